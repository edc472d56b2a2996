/** Keys of the push journey, of the lanes that it runs on, and of the results that it ends with. */
import { z } from 'zod';
import { count, delays } from './shapes.js';
import { targetPolicy } from './targeting.js';

export const push = z.strictObject({
  maxContentBytes: count(1_048_576, 1, 1_073_741_824, 'Largest content of one push, octets.'),
  maxControlBytes: count(262_144, 1024, 16_777_216, 'Largest PAP control entity, octets.'),
  maxAddresses: count(1000, 1, 100_000, 'Most recipient addresses in one push.'),
  maxAgeSeconds: count(
    259_200,
    1,
    31_536_000,
    'How long a push without deliver-before-timestamp is kept for its terminals, seconds; also the most that a deadline may ask for.',
  ),
  sessionIdleSeconds: count(
    60,
    1,
    86_400,
    'A push session without traffic is closed after this time, seconds.',
  ),
  window: count(8, 1, 1000, 'Pushes sent to one terminal without their confirmation being there yet.'),
  retentionSeconds: count(
    604_800,
    0,
    31_536_000,
    'How long a finished push can still be asked about, seconds; a push-id is refused as duplicate for as long.',
  ),
  defaultPolicy: targetPolicy.default('all-subscribed').meta({
    description:
      'Which terminals of a user get a push that names none, when neither the user nor a rule says anything else.',
  }),
  includeIdentityForSingleTerminal: z.boolean().default(false).meta({
    description: 'Put the device identity into the SIR even when the user has one terminal only.',
  }),
});

export const wake = z.strictObject({
  answerSeconds: count(
    8,
    1,
    60,
    'Time for a bearer to say what became of a wake-up before the next way to the terminal is tried, seconds.',
  ),
  retrySeconds: delays(
    [30, 60, 120, 300, 600, 1800],
    'Waits after the first, second, … wake-up that a terminal did not follow, seconds; the last one repeats.',
  ),
});

export const lane = z.strictObject({
  leaseSeconds: count(
    30,
    2,
    600,
    'How long a gateway process keeps the right to deliver to a terminal without prolonging it, seconds. When one of several processes on a Redis crashes, nobody delivers to the terminals it was busy with for up to this time; one that halts for longer loses them to another one.',
  ),
});

export const notify = z.strictObject({
  allowPrivateAddresses: z.boolean().default(false).meta({
    description:
      'Whether result notifications may go to loopback, private and link-local addresses. Leave it off unless every push initiator is trusted.',
  }),
  timeoutMs: count(
    10_000,
    100,
    120_000,
    'Time for one result notification, connecting and answer included, milliseconds.',
  ),
  maxAttempts: count(11, 1, 1000, 'Attempts to deliver one result notification before it is abandoned.'),
  retrySeconds: delays(
    [2, 10, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200],
    'Waits between attempts, seconds; the last one repeats.',
  ),
});
