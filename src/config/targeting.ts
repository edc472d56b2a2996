/** Keys of targeting: which terminals get a push, and by which bearers (docs/targeting.md). */
import { z } from 'zod';

export const targetPolicy = z.enum([
  'all-subscribed',
  'connected-first',
  'available-first',
  'newest-registered',
]);

const BEARERS = ['sip', 'sms', 'wsp', 'ota-http', 'ussd', 'http-callback', 'web-push'] as const;

const words = (description: string) =>
  z.array(z.string().min(1).max(512)).min(1).max(64).optional().meta({ description });

const choices = <const Values extends readonly [string, ...string[]]>(values: Values, description: string) =>
  z.array(z.enum(values)).min(1).max(64).optional().meta({ description });

/** The rows of `registry/targeting-rule.ts`, which reads them once more. */
const targetingRule = z.strictObject({
  when: z
    .strictObject({
      applications: words(
        'Application ids (`mms.ua`, `x-wap-application:*`) of the pushes that the rule is for.',
      ),
      contentTypes: words('Media types (`video/*`) of the pushes that the rule is for.'),
      users: words('Patterns of users (`sip:*@example.test`) that the rule is for.'),
    })
    .optional()
    .meta({ description: 'What the rule is for; absent: every push.' }),
  target: targetPolicy.optional().meta({ description: 'Which of the terminals that take the push get it.' }),
  terminals: words('Names of the only terminals that may get it, the first choice first.'),
  completion: z.enum(['all', 'any']).optional().meta({
    description: '`any`: the first terminal that has it is enough, from the others it is taken back.',
  }),
  fallbackSeconds: z.int().min(1).max(604_800).optional().meta({
    description: 'One terminal after the other, each after so many seconds without success of those before.',
  }),
  bearers: choices(BEARERS, 'The only bearers by which its terminals are reached, the first choice first.'),
  mode: z.enum(['routed', 'proxy-routed', 'filtered', 'open', 'plain', 'delegated']).optional().meta({
    description:
      'How the SIR finds the terminal (docs/targeting.md); absent: routed where that is possible, else filtered, else open.',
  }),
  identityIn: choices(['header', 'value', 'body'], 'Where the device identity stands in the SIR.'),
  activate: z
    .strictObject({
      id: z.string().min(1).max(512).meta({ description: 'Application id.' }),
      name: z.string().min(1).max(512).optional().meta({ description: 'Its name, for people.' }),
    })
    .optional()
    .meta({ description: 'The application that the terminal is asked to activate.' }),
  return: choices(
    ['capability', 'preference', 'security', 'subscription', 'rejection'],
    'What the terminal is asked to return once it is connected; `rejection`: why it does not connect.',
  ),
  send: choices(['registration', 'capability'], 'What it is asked to send once it is connected.'),
  ppg: z
    .string()
    .regex(/^sips?:[^\s<>"]{1,255}$/)
    .optional()
    .meta({ description: 'SIP URI of the gateway that it is to connect to, when that is not this one.' }),
  delegate: z.string().min(1).max(128).optional().meta({
    description: 'Name of the gateway (`delegates`) that wakes and delivers, for mode `delegated`.',
  }),
});

export const targeting = z.strictObject({
  rules: z.array(targetingRule).max(64).default([]).meta({
    description:
      'For some pushes something else: the first rule that is for the push and says anything about a setting counts. Rules of the user go before them.',
  }),
  multiCheck: z.enum(['before', 'after']).default('before').meta({
    description:
      'Whether the presence server is asked about users with a single terminal: `before` counts first, and such a user costs no look-up.',
  }),
  countTerminals: z.enum(['provisioned', 'registered']).default('provisioned').meta({
    description: 'What makes a user one of several terminals: those provisioned, or those registered now.',
  }),
  bearerCosts: z.partialRecord(z.enum(BEARERS), z.number().min(0)).default({}).meta({
    description:
      'What a message costs by each bearer, in any unit: `{ sms: 4, ussd: 1 }`. The cheapest way to a terminal is tried first where neither a rule nor the terminal has an order of its own; a bearer without a figure costs nothing.',
  }),
});
