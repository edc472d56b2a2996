/** Keys of SIP with its registrar, and of MSRP, which SIP sets up. */
import { z } from 'zod';
import { advertise, count, host, MAX_LIST_ENTRIES, moreHosts, port, text, tlsPort } from './shapes.js';

export const sip = z.strictObject({
  host: host('127.0.0.1', 'Address that SIP listens on.'),
  moreHosts: moreHosts('SIP'),
  port: port(5060, 'SIP port, UDP and TCP alike; 0 takes a free one.'),
  transports: z
    .array(z.enum(['udp', 'tcp', 'ws']))
    .min(1)
    .max(3)
    .refine((list) => new Set(list).size === list.length, 'a list that names each transport once')
    .default(['udp', 'tcp', 'ws'])
    .meta({
      description:
        'Transports that SIP is spoken on: UDP and TCP on `sip.port`, WebSocket (`ws`, RFC 7118) as `/sip` of the public HTTP port, over TLS when that port is.',
    }),
  advertise: advertise(
    'host or host:port written into Via and Contact; needed when sip.host is a wildcard or behind address translation.',
  ),
  tls: tlsPort({
    port: 5061,
    does: 'SIP',
    section:
      'SIP over TLS, on `sip.host` beside the other transports. Absent: it is not listened for. The certificate names the domain that clients and proxies connect to (RFC 5922).',
  }),
  caFile: z.string().min(1).max(4096).optional().meta({
    description:
      'CAs of the SIP servers that the gateway connects to over TLS, PEM; absent: those that Node.js knows.',
  }),
  webSocketOrigins: z
    .array(
      text(
        /^(?:\*|https?:\/\/[^\s/]{1,255})$/,
        'an origin such as https://app.example.test, or *',
        'Origin of pages that may connect.',
      ),
    )
    .max(MAX_LIST_ENTRIES)
    .default([])
    .meta({
      description:
        'Origins of the web pages that may register over WebSocket; `*`: all. Clients that are no browsers always may.',
    }),
  ppgUser: text(
    /^[A-Za-z0-9._+-]{1,64}$/,
    '1 to 64 letters, digits and the signs . _ + -',
    'User part of the address that terminals open push sessions to: `sip:<ppgUser>@<domain>`.',
  ).default('ppg'),
  outboundProxy: text(
    /^sips?:[^\s<>"]{1,255}$/,
    'a SIP URI such as sip:proxy.example.test;lr',
    'Next hop of every request that is not sent on a registered flow.',
  ).optional(),
  trustedPeers: z.array(z.string().min(1).max(64)).max(MAX_LIST_ENTRIES).default([]).meta({
    description:
      'Addresses and networks (CIDR) of the SIP core: what comes from there is believed about who it is from (P-Asserted-Identity), and its third-party registrations are taken. Name nothing that a terminal could send from.',
  }),
  registrar: z
    .strictObject({
      allowWithoutCredentials: z
        .boolean()
        .meta({
          description:
            'Whether a user without a SIP password may register and open sessions. When absent: true while every address that SIP is spoken on is a loopback address (`sip.host`, `sip.moreHosts`; for WebSocket `http.host`), else false.',
        })
        .optional(),
      minExpires: count(
        60,
        1,
        2_592_000,
        'Shortest registration granted, seconds; shorter requests get 423.',
      ),
      defaultExpires: count(3600, 1, 2_592_000, 'Registration time when the terminal names none, seconds.'),
      maxExpires: count(86_400, 1, 2_592_000, 'Longest registration granted, seconds.'),
      pushServices: z
        .array(
          text(
            /^[A-Za-z0-9._~-]{1,64}$/,
            'the name of a push notification service such as apns, fcm or webpush',
            'Value of `pn-provider`.',
          ),
        )
        .max(32)
        .default([])
        .meta({
          description:
            'Push notification services (RFC 8599, `pn-provider`) that wake registered terminals: `webpush` by the `web-push` bearer, all others by the `http-callback` bearer. Empty: registrations are not looked at for them.',
        }),
    })
    .refine((r) => r.minExpires <= r.defaultExpires && r.defaultExpires <= r.maxExpires, {
      message: 'values with minExpires <= defaultExpires <= maxExpires',
    })
    .prefault({})
    .meta({ description: 'The built-in registrar.' }),
});

export const msrp = z.strictObject({
  host: host('127.0.0.1', 'Address that MSRP listens on.'),
  moreHosts: moreHosts('MSRP'),
  port: port(2855, 'MSRP port (TCP); 0 takes a free one.'),
  advertise: advertise('host or host:port written into MSRP paths instead of the bound address.'),
  tls: tlsPort({
    port: 2856,
    does: 'MSRP',
    section:
      'MSRP over TLS, for sessions that are offered so. Absent: such offers are refused. A terminal knows the certificate by its fingerprint in the session description, whoever issued it.',
  }),
});
