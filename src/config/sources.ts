/** Keys of the sources outside that say what terminals a user has. */
import { z } from 'zod';
import { count, text } from './shapes.js';

/** A source of knowledge about terminals that is reached by SIP. */
const source = (what: { readonly uri: string; readonly section: string }) =>
  z
    .strictObject({
      uri: text(/^sips?:[^\s<>"]{1,255}$/, 'a SIP URI such as sip:core.example.test;lr', what.uri),
      timeoutMs: count(
        300,
        1,
        30_000,
        'How long a push waits for its answer, milliseconds; after that the last answer that was stored counts.',
      ),
      ttlSeconds: count(
        3600,
        0,
        604_800,
        'How long the subscription for a user is kept after somebody last asked about the user, seconds; 0: none is kept, each push fetches.',
      ),
      maxUsers: count(
        10_000,
        1,
        1_000_000,
        'Users that are watched at once; the one that nobody has asked about for longest makes room.',
      ),
      createTerminals: z.boolean().default(true).meta({
        description:
          'Whether a device that it names by its instance and that is not known becomes a terminal of the user.',
      }),
    })
    .optional()
    .meta({ description: what.section });

export const sources = z.strictObject({
  regEvent: source({
    uri: 'The SIP core that answers SUBSCRIBE for the `reg` event (RFC 3680): next hop of the SUBSCRIBEs.',
    section: 'Registrations at the SIP core, by its registration event package. Absent: not asked.',
  }),
  presence: source({
    uri: 'The presence server that answers SUBSCRIBE for the `presence` event (RFC 3856): next hop of the SUBSCRIBEs.',
    section: 'State of the terminals, from a presence server. Absent: not asked.',
  }),
  createUsers: z.boolean().default(false).meta({
    description:
      'Whether a user that a trusted peer registers with the gateway (third-party REGISTER) and that is not known becomes a user.',
  }),
});
