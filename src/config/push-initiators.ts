/** Keys of a push initiator: who it is, what it may do, and how much of it. */
import { z } from 'zod';
import { name, secret } from './shapes.js';

/** Texts whose form is checked where they are used, at start too. */
const texts = (description: string) =>
  z.array(z.string().min(1).max(1024)).min(1).max(256).optional().meta({ description });

const limit = (max: number, description: string) => z.int().min(1).max(max).optional().meta({ description });

export const pushInitiator = z
  .strictObject({
    id: name('Name of the push initiator: the user name of HTTP Basic.'),
    password: secret('Its password.').optional(),
    certificates: z
      .array(
        z.strictObject({
          sha256: z.string().max(95).optional().meta({ description: 'SHA-256 fingerprint, hexadecimal.' }),
          subject: z.string().max(1024).optional().meta({
            description: 'Subject as in RFC 4514, for instance `CN=pi.example.test,O=Example`.',
          }),
        }),
      )
      .min(1)
      .max(32)
      .optional()
      .meta({
        description: 'Client certificates that stand for it; they need `http.tls.clientCaFile`.',
      }),
    sourceNetworks: texts(
      'Networks that it may call from, in CIDR notation; absent: from anywhere that can reach the port.',
    ),
    rights: z
      .strictObject({
        addresses: texts(
          'Patterns of recipients (`tel:+43*`, `sip:*@example.test`) that it may push to; absent: to all.',
        ),
        applicationIds: texts(
          'Patterns of application ids (`mms.ua`) that it may push for; absent: for all.',
        ),
      })
      .optional()
      .meta({ description: 'What it may do.' }),
    limits: z
      .strictObject({
        pushesPerSecond: z
          .number()
          .min(0.001)
          .max(100_000)
          .optional()
          .meta({ description: 'Pushes in a second, counted over all gateways together.' }),
        burst: limit(
          1_000_000,
          'Pushes that may come at once within the rate; absent: as many as one second allows.',
        ),
        pendingPushes: limit(100_000_000, 'Pushes held at the same time.'),
        pendingBytes: limit(1_099_511_627_776, 'Octets of content held at the same time.'),
        maxContentBytes: limit(1_073_741_824, 'Largest content of one push, octets.'),
        maxAddresses: limit(100_000, 'Most recipient addresses in one push.'),
      })
      .optional()
      .meta({ description: 'How much of it; an absent limit does not exist, those of `push` hold for all.' }),
    trust: z
      .strictObject({
        initiatorUris: texts(
          'Patterns of X-Wap-Initiator-URI (`https://pi.example.test/*`) that are its own; absent: those whose host is its id.',
        ),
        content: z
          .boolean()
          .optional()
          .meta({ description: 'Whether the operator answers for its content.' }),
      })
      .optional()
      .meta({ description: 'What terminals are told of its pushes (Push-Flag) when they came over TLS.' }),
  })
  .refine(({ password, certificates }) => password !== undefined || certificates !== undefined, {
    path: ['password'],
    message: 'a password, or certificates: without either nobody could use it',
  });
