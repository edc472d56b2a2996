/**
 * The policy file of `carillon terminal`: by what the reference terminal judges a SIR, each factor in a section of its own, so that one can
 * be changed and the others stay. YAML or JSON. Keys and values only; what follows from them is for `app/terminal-policy.ts`.
 * Whatever is absent speaks for following a SIR.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from './config-error.js';
import { parseConfigFile } from './config-file.js';
import type { SchemaNode } from './config-keys.js';
import { sentences } from './problems.js';
import { count, MAX_LIST_ENTRIES, secret, text } from './shapes.js';

const words = (description: string) =>
  z.array(z.string().min(1).max(512)).max(MAX_LIST_ENTRIES).meta({ description });

const mediaTypes = (description: string) =>
  z
    .array(
      text(/^[^\s;,]{1,255}$/, 'a media type such as text/plain, or a range such as image/*', description),
    )
    .max(MAX_LIST_ENTRIES)
    .meta({ description });

const time = (description: string) =>
  text(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 22:30, in quotes', description);

const section = <Shape extends z.ZodRawShape>(shape: Shape, description: string) =>
  z.strictObject(shape).meta({ description });

const safety = section(
  {
    gateways: words(
      'The only push proxy gateways that are trusted, as senders and as places to connect to: `sip:ppg@example.test`, `http://192.0.2.7:4035`, or a bare host.',
    ).min(1),
    onlyFromRegistrar: z.boolean().default(true).meta({
      description: 'Whether a SIR by SIP has to be handed in by the registrar.',
    }),
    key: secret('Key shared with the gateway (its `sirKey`); with it, a SIR has to be signed.').optional(),
  },
  'Safety: which SIRs are believed. Absent: all.',
);

const capability = section(
  {
    applications: words('Applications that are installed. Absent: any.').optional(),
    accept: mediaTypes('Media types that the terminal can take. Absent: any.').optional(),
    maxMessageSize: z
      .int()
      .min(0)
      .max(2 ** 40)
      .meta({ description: 'Largest content, octets. Absent: any.' })
      .optional(),
  },
  'Capability: what the terminal can take.',
);

const subscription = section(
  { applications: words('Applications that the user is subscribed to. Absent: any.').optional() },
  'Subscription of the user.',
);

const preference = section(
  {
    applications: words('Applications whose pushes the user wants. Absent: any.').optional(),
    refusedTypes: mediaTypes('Media types that the user does not want.').default([]),
    quietHours: section(
      {
        from: time('Their begin.'),
        to: time('Their end.'),
        timeZone: z
          .string()
          .refine(isTimeZone, 'the name of a time zone such as Europe/Vienna')
          .default('UTC')
          .meta({ description: 'IANA time zone.' }),
      },
      'When only pushes of high priority may disturb.',
    ).optional(),
  },
  'Preference of the user.',
);

const user = section(
  {
    answer: z.enum(['accept', 'reject', 'later', 'timeout', 'ask']).meta({
      description:
        'What the user says to a SIR that would be followed; `timeout`: nothing; `ask`: what comes on standard input, `accept`, `reject` or `later`, alone or with the id of the SIR behind it.',
    }),
    afterSeconds: count(0, 0, 3600, 'How long the user thinks it over.'),
    timeoutSeconds: count(20, 1, 3600, 'How long the terminal waits for the answer.'),
  },
  'The user, who is asked last. Absent: nobody is asked.',
);

const connect = section(
  {
    automatically: z
      .boolean()
      .default(true)
      .meta({ description: 'Whether sessions are opened; otherwise SIRs are judged and reported only.' }),
    by: z
      .array(z.enum(['sip', 'ota-http', 'wsp']))
      .min(1)
      .max(3)
      .default(['sip', 'ota-http', 'wsp'])
      .meta({
        description: 'By what it connects; the first that the SIR offers is taken.',
      }),
    gateway: text(
      /^sips?:[^\s<>"]{1,255}$/,
      'a SIP URI such as sip:ppg@example.test',
      'The gateway that the terminal is provisioned with, for SIRs that had no room to name one. Absent: the first SIP URI of `safety.gateways`.',
    ).optional(),
    reconnectSeconds: count(0, 0, 86_400, 'Pause before a broken session is opened again; 0: never.'),
  },
  'How the terminal connects.',
);

const activation = section(
  {
    when: z.enum(['before', 'after']).default('after').meta({
      description: 'Whether the application of a SIR is activated before the terminal connects, or after.',
    }),
    applications: z
      .array(
        z.strictObject({
          id: z.string().min(1).max(512).meta({ description: 'Application id, in full or its last part.' }),
          command: words(
            'Program and arguments. It gets `{"id", "name"}` as JSON on standard input, and may print a JSON object with what is to be returned, by kind.',
          )
            .min(1)
            .optional(),
          timeoutSeconds: count(10, 1, 600, 'How long the program may take.'),
          information: information('What the application says without a program, by kind.').optional(),
        }),
      )
      .max(100)
      .default([])
      .meta({ description: 'Applications that can be activated.' }),
  },
  'Activation of the application that a SIR names.',
);

const returning = section(
  {
    by: z.enum(['sip', 'http', 'sms']).default('sip').meta({
      description:
        'Carrier of what is returned: SIP MESSAGE to the gateway of the SIR, HTTP POST, or short messages, which appear as `sms` events and go out at the SMSC.',
    }),
    url: text(
      /^https?:\/\/[^\s"<>]{1,2000}$/,
      'an http or https URL',
      'For `http`: `http://ppg.example.test:8080/v1/returns`.',
    ).optional(),
    to: text(/^\+?[0-9]{3,20}$/, 'a number, in quotes', 'For `sms`: number of the gateway.').optional(),
    key: secret('Signs what goes by HTTP and SMS. Absent: that of `safety`.').optional(),
    withhold: z
      .array(z.enum(['capability', 'preference', 'security', 'subscription', 'rejection']))
      .max(5)
      .default([])
      .meta({ description: 'What is not told, though a SIR asks for it.' }),
    information: information(
      'What is told, by kind, in place of what follows from the sections above.',
    ).prefault({}),
  },
  'What the terminal returns when a SIR asks for it.',
);

function information(description: string) {
  const anything = (kind: string) =>
    z
      .unknown()
      .meta({ description: `${kind}: any value.` })
      .optional();
  return section(
    {
      capability: anything('Capabilities'),
      preference: anything('Preferences'),
      security: anything('Security'),
      subscription: anything('Subscriptions'),
    },
    description,
  );
}

const policySchema = z
  .strictObject({
    safety: safety.optional(),
    identities: words('Names of the terminal besides its instance: IMEI, MAC, GRUU and others.').default([]),
    capability: capability.prefault({}),
    subscription: subscription.prefault({}),
    preference: preference.prefault({}),
    user: user.optional(),
    connect: connect.prefault({}),
    activation: activation.prefault({}),
    return: returning.prefault({}),
  })
  .superRefine(({ return: { by, url, to } }, context) => {
    const missing = by === 'http' && url === undefined ? 'url' : by === 'sms' && to === undefined ? 'to' : '';
    if (missing === '') return;
    context.addIssue({ code: 'custom', path: ['return', missing], message: `a value, because of by: ${by}` });
  });

export type TerminalPolicyFile = z.output<typeof policySchema>;

/** JSON Schema (2020-12) of the policy file. */
export function terminalPolicyJsonSchema(): SchemaNode {
  return z.toJSONSchema(policySchema, { io: 'input' }) as SchemaNode;
}

/** A policy is a page of text; more is a wrong file. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Reads a policy file. Throws ConfigError with one sentence for each problem. */
export function loadTerminalPolicy(path: string, workingDirectory = process.cwd()): TerminalPolicyFile {
  const file = resolve(workingDirectory, path);
  return parseTerminalPolicy(file, readPolicy(file));
}

/** The same for a text that was read already; `file` names it in problems. */
export function parseTerminalPolicy(file: string, source: string): TerminalPolicyFile {
  const document = parseConfigFile(file, source);
  const parsed = policySchema.safeParse(document.values);
  if (parsed.data !== undefined) return parsed.data;
  const origin = {
    raw: document.values,
    document,
    variables: new Map<string, string>(),
    schema: terminalPolicyJsonSchema(),
  };
  throw new ConfigError(parsed.error.issues.flatMap((issue) => sentences(issue, origin)));
}

function readPolicy(file: string): string {
  try {
    const octets = readFileSync(file);
    if (octets.length <= MAX_FILE_BYTES) return octets.toString('utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code;
    throw new ConfigError([`The policy file ${file} (--policy) cannot be read: ${why}.`]);
  }
  throw new ConfigError([`${file} is larger than 1 MiB; is it the right file?`]);
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
