/** Keys of the bearers that go over HTTP: OTA-HTTP in both directions, the call-back of an operator, Web Push. */
import { z } from 'zod';
import { advertise, count, file, host, MAX_LIST_ENTRIES, name, secret, text } from './shapes.js';
import { smsBearer } from './smpp.js';
import { wspBearer } from './wsp-bearers.js';

const allowPrivateAddresses = (whom: string) =>
  z
    .boolean()
    .default(false)
    .meta({
      description: `Whether ${whom} may be called at loopback, private and link-local addresses.`,
    });

const timeoutMs = (what: string) =>
  count(10_000, 100, 120_000, `Time for ${what}, connecting and answer included, milliseconds.`);

export const bearers = z.strictObject({
  otaHttp: z
    .strictObject({
      allowPrivateAddresses: allowPrivateAddresses('terminals'),
      timeoutMs: timeoutMs('one push or SIR to a terminal that listens'),
      maxPerHost: count(
        64,
        1,
        10_000,
        'Requests under way to one host at a time; several terminals may be behind it.',
      ),
      caFile: file(
        'CAs of the certificates of terminals, PEM, besides those of the system; for addresses that begin with https.',
      ).optional(),
    })
    .prefault({})
    .meta({ description: 'The `ota-http` bearer: pushes and SIRs to terminals that listen for OTA-HTTP.' }),
  sms: smsBearer
    .prefault({})
    .meta({ description: 'The `sms` bearer: pushes and SIRs in short messages, over the links of `smpp`.' }),
  wsp: wspBearer
    .prefault({})
    .meta({ description: 'The `wsp` bearer: pushes and SIRs in datagrams, by connectionless WSP.' }),
});

const delegateUrl = (description: string) =>
  text(
    /^https?:\/\/[^\s@"<>]{1,2000}[^\s@"<>/]$/,
    'an http or https URL without credentials and without a slash at its end',
    description,
  );

export const delegates = z
  .array(
    z.strictObject({
      name: name('What `delegate` of a targeting rule calls it.'),
      url: delegateUrl('Its PAP endpoint: `https://ppg2.example.test/pap`.'),
      initiator: text(
        /^[^\s:]{1,128}$/,
        '1 to 128 characters without colons',
        'Push initiator that this gateway is there.',
      ),
      password: secret('Its password.'),
      notifyUrl: delegateUrl(
        'Where that gateway reaches the public listener of this one, for results: `https://ppg1.example.test`.',
      ),
      timeoutMs: timeoutMs('one push'),
    }),
  )
  .max(MAX_LIST_ENTRIES)
  .default([])
  .meta({
    description:
      'Gateways that wake and deliver in the place of this one, for the mode `delegated` of targeting (docs/targeting.md).',
  });

export const otaHttp = z.strictObject({
  enabled: z.boolean().default(false).meta({
    description: 'Whether the gateway listens for terminals that call it (TO-TCP).',
  }),
  host: host('127.0.0.1', 'Address that it listens on for them.'),
  port: z.int().min(0).max(65_535).optional().meta({
    description: 'Its TCP port; absent: 4035, with TLS 4036. 0 takes a free one.',
  }),
  advertise: advertise(
    'host or host:port that SIRs tell terminals to call, instead of the bound address. Only an IP address can stand in a SIR.',
  ),
  tls: z
    .strictObject({
      certFile: file('Certificate chain of the gateway, PEM.'),
      keyFile: file('Its private key, PEM.'),
    })
    .optional()
    .meta({
      description:
        'TLS on that port. The same certificate is shown to terminals that the gateway calls by https. Absent: plain TCP.',
    }),
  terminalSecret: z.string().min(16).max(1024).optional().meta({
    description:
      'Secret from which the key of each terminal derives: HMAC-SHA256 of the terminal id under it. Absent: terminals show who they are by the SIR that they follow or by their certificate.',
    writeOnly: true,
  }),
  sirSuffices: z.boolean().default(true).meta({
    description:
      'Whether a terminal that cites a SIR which was made for it has shown who it is. Off: it needs its key or certificate all the same.',
  }),
  maxConnections: count(
    10_000,
    1,
    1_000_000,
    'Connections of terminals at a time; one address gets a quarter of them.',
  ),
  answerTimeoutMs: count(
    10_000,
    100,
    600_000,
    'How long nothing may move on a connection while an answer is due, milliseconds.',
  ),
});

const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{31,86}={0,2}$/;
const WEBHOOK_SECRET_FORM = 'whsec_ and the base64 of 24 to 64 octets';

const callbackUrl = (description: string) =>
  text(/^https?:\/\/[^\s@"<>]{1,2000}$/, 'an http or https URL without credentials', description);

const webhookSecret = (description: string) =>
  secret(description).regex(WEBHOOK_SECRET, WEBHOOK_SECRET_FORM).meta({
    description,
    writeOnly: true,
    patternErrorMessage: WEBHOOK_SECRET_FORM,
  });

export const httpCallback = z.strictObject({
  secret: webhookSecret(
    'Signs what is sent (Standard Webhooks). Absent: only the addresses of `tenants` are called; without those the gateway has no `http-callback` bearer.',
  ).optional(),
  address: callbackUrl('Where to, for activation methods that name no address.').optional(),
  tenants: z
    .array(
      z.strictObject({
        address: callbackUrl('Where the URL of the activation method begins: `https://wake.example.test/`.'),
        secret: webhookSecret('Signs what goes there.'),
      }),
    )
    .max(MAX_LIST_ENTRIES)
    .default([])
    .meta({
      description: 'Secrets of their own for addresses of different owners; the longest address counts.',
    }),
  allowPrivateAddresses: allowPrivateAddresses('wake-up services'),
  timeoutMs: timeoutMs('one call'),
});

export const webPush = z.strictObject({
  subject: text(
    /^(?:mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/,
    'a mailto: or https: URI',
    'Whom a push service writes to about this gateway (RFC 8292). Absent: the gateway has no `web-push` bearer.',
  ).optional(),
  privateKey: text(
    /^[A-Za-z0-9_-]{43}$/,
    '32 octets in base64url',
    'VAPID key of an application server whose subscriptions are taken over. Absent: one is made at the first start and kept in Redis.',
  )
    .meta({ writeOnly: true })
    .optional(),
  allowPrivateAddresses: allowPrivateAddresses('push services'),
  timeoutMs: timeoutMs('one call'),
});
