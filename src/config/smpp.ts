/** Keys of the links to SMSCs, and of the `sms` bearer that uses them. */
import { z } from 'zod';
import { count, delays, file, MAX_LIST_ENTRIES, name, port } from './shapes.js';

const ascii = (max: number, description: string) =>
  z
    .string()
    .max(max)
    .regex(/^[\x20-\x7e]*$/, 'ASCII characters')
    .meta({ description, patternErrorMessage: 'ASCII characters' });

export const smppLink = z
  .strictObject({
    name: name('Name of the link in logs, metrics and the admin API.'),
    host: z.string().min(1).max(255).meta({ description: 'Host of the SMSC.' }),
    port: port(2775, 'Port of the SMSC.'),
    systemId: z.string().min(1).max(15).meta({ description: 'system_id of the bind.' }),
    password: z
      .string()
      .max(8)
      .meta({ description: 'Password of the bind, at most 8 octets.', writeOnly: true }),
    systemType: ascii(12, 'system_type of the bind.').default(''),
    bind: z.enum(['transceiver', 'transmitter', 'receiver']).default('transceiver').meta({
      description:
        'How it binds. Receipts of what goes out over a transmitter come over another link to the same `centre`.',
    }),
    addressRange: ascii(40, 'address_range of the bind: numbers whose messages the SMSC sends here.').default(
      '',
    ),
    tls: z
      .strictObject({
        caFile: file('CAs of the certificate of the SMSC, PEM. Absent: those of the system.').optional(),
        certFile: file('Certificate that the gateway shows, PEM.').optional(),
        keyFile: file('Its private key, PEM.').optional(),
        serverName: z.string().min(1).max(253).optional().meta({
          description: 'Name that the certificate of the SMSC has to have; absent: `host`.',
        }),
      })
      .optional()
      .meta({ description: 'TLS. Absent: plain TCP.' }),
    carries: z
      .array(z.enum(['sms', 'ussd']))
      .min(1)
      .max(2)
      .default(['sms'])
      .meta({ description: 'Bearers that use it.' }),
    sender: ascii(
      20,
      'Sender of messages: `+` and digits, a short code, or up to 11 letters and digits.',
    ).default('carillon'),
    prefixes: z
      .array(z.string().regex(/^\+[0-9]{1,15}$/, '+ and 1 to 15 digits'))
      .max(MAX_LIST_ENTRIES)
      .default([])
      .meta({
        description: 'Beginnings of the numbers that it leads to; none: all. The longest goes first.',
      }),
    operators: z.array(z.string().min(1).max(64)).max(MAX_LIST_ENTRIES).default([]).meta({
      description:
        'Operators whose subscribers it leads to, whatever their numbers: `operator` in the capabilities of a terminal.',
    }),
    weight: count(
      1,
      0,
      1000,
      'Its share of the numbers among links that lead to them equally; 0: only when the others fail.',
    ),
    centre: name(
      'Name of the SMSC: links with the same name have the same message ids, so that receipts may come over another one. Absent: `host`.',
    ).optional(),
    receipts: z.boolean().default(true).meta({
      description:
        'Whether the SMSC sends receipts. Without them a push that the SMSC took counts as delivered, unconfirmed.',
    }),
    receiptIds: z.enum(['auto', 'same', 'hex-to-decimal', 'decimal-to-hex']).default('auto').meta({
      description:
        'How the message id of a receipt is written against that of the response: `hex-to-decimal` is hexadecimal in the response and decimal in the receipt. `auto` takes whichever is known.',
    }),
    defaultAlphabet: z.enum(['gsm', 'latin1', 'utf-8']).default('gsm').meta({
      description: 'What the SMSC means by data_coding 0 in messages of subscribers.',
    }),
    serviceType: ascii(5, 'service_type of short messages.').default(''),
    window: count(10, 1, 1000, 'Messages without a response, at most.'),
    segmentsPerSecond: z.number().positive().max(100_000).optional().meta({
      description: 'Short messages a second, at most. Absent: as many as the SMSC takes.',
    }),
    maxQueued: count(
      32,
      1,
      1000,
      'Messages that wait for their turn, at most; what is beyond goes over another link, or later.',
    ),
    maxWaitMs: count(3000, 0, 60_000, 'How long one may wait for its turn, milliseconds.'),
    responseTimeoutMs: count(10_000, 100, 120_000, 'Time for the response of the SMSC, milliseconds.'),
    enquireLinkSeconds: count(
      30,
      1,
      3600,
      'After so long without a sign of the SMSC it is asked for one (enquire_link), seconds.',
    ),
    reconnectSeconds: delays(
      [1, 2, 5, 10, 30, 60],
      'Waits before connecting again, seconds; the last one repeats.',
    ),
    throttleSeconds: delays(
      [1, 2, 5, 10, 30],
      'Waits when the SMSC says that it is too much (ESME_RTHROTTLED, ESME_RMSGQFUL), seconds; the last one repeats.',
    ),
  })
  .refine(({ tls }) => (tls?.certFile === undefined) === (tls?.keyFile === undefined), {
    path: ['tls'],
    message: 'certFile and keyFile together',
  });

export const smsBearer = z.strictObject({
  maxSegments: count(
    16,
    1,
    255,
    'Short messages that one push or SIR may take; what is larger goes another way.',
  ),
  referenceBits: z
    .union([z.literal(8), z.literal(16)])
    .default(16)
    .meta({
      description:
        'Width of the number that parts of a message have in common, bits. With 8 every part carries one octet more; two of 256 messages to a terminal may be taken for one.',
    }),
  dataCoding: count(
    4,
    0,
    255,
    'data_coding of pushes: 4 is 8-bit data; some SMSCs want 245 (8-bit data, class 1).',
  ),
});
