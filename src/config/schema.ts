/**
 * Every configuration key: its shape, its default and one sentence on what it decides. The JSON Schema in `schemas/`,
 * the tables of docs/configuration.md and the names of the environment variables are all derived from here.
 * Says nothing about where values come from (load-config.ts) nor about limits that nobody should have to tune (limits.ts).
 */
import { z } from 'zod';
import { bearers, delegates, httpCallback, otaHttp, webPush } from './http-bearers.js';
import { parseRedisUrl, REDIS_URL_FORMS } from './redis-url.js';
import { advertise, count, delays, host, MAX_LIST_ENTRIES, name, port, secret, text } from './shapes.js';
import { smppLink } from './smpp.js';
import { wsp } from './wsp-bearers.js';

const redis = z.strictObject({
  url: z
    .string()
    .refine((url) => parseRedisUrl(url) !== undefined, REDIS_URL_FORMS)
    .meta({
      writeOnly: true,
      patternErrorMessage: REDIS_URL_FORMS,
      description:
        'The Redis or Valkey that holds everything; absent: the gateway starts a private server of its own inside dataDir. REDIS_URL sets it too.',
    })
    .optional(),
  durability: z.enum(['always', 'everysec']).default('always').meta({
    description:
      'Private server only: `always` syncs to disk before anything is answered, `everysec` may lose the last second on power loss.',
  }),
  allowVolatile: z.boolean().default(false).meta({
    description:
      'Be ready even on a Redis that may lose data (no append-only file, or a policy that evicts keys).',
  }),
});

const moreHosts = (what: string) =>
  z
    .array(host('::1', 'Address.'))
    .max(16)
    .default([])
    .meta({
      description: `Further addresses that ${what} listens on, on the same ports: an IPv6 address beside an IPv4 one, for instance. What peers are told of us is of the family that they use.`,
    });

/** TLS on a port of its own. */
const tlsPort = (what: { readonly port: number; readonly does: string; readonly section: string }) =>
  z
    .strictObject({
      port: port(what.port, `Port of ${what.does} over TLS; 0 takes a free one.`),
      certFile: z.string().min(1).max(4096).meta({ description: 'Certificate chain of the gateway, PEM.' }),
      keyFile: z.string().min(1).max(4096).meta({ description: 'Its private key, PEM.' }),
    })
    .optional()
    .meta({ description: what.section });

const sip = z.strictObject({
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

const sources = z.strictObject({
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

const push = z.strictObject({
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
  defaultPolicy: z
    .enum(['all-subscribed', 'connected-first', 'available-first', 'newest-registered'])
    .default('all-subscribed')
    .meta({
      description:
        'Which terminals of a user get a push that names none, when neither the user nor a rule says anything else.',
    }),
  includeIdentityForSingleTerminal: z.boolean().default(false).meta({
    description: 'Put the device identity into the SIR even when the user has one terminal only.',
  }),
});

const wake = z.strictObject({
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

const lane = z.strictObject({
  leaseSeconds: count(
    30,
    2,
    600,
    'How long a gateway process keeps the right to deliver to a terminal without prolonging it, seconds. When one of several processes on a Redis crashes, nobody delivers to the terminals it was busy with for up to this time; one that halts for longer loses them to another one.',
  ),
});

const notify = z.strictObject({
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

/** Texts whose form is checked where they are used, at start too. */
const texts = (description: string) =>
  z.array(z.string().min(1).max(1024)).min(1).max(256).optional().meta({ description });

const limit = (max: number, description: string) => z.int().min(1).max(max).optional().meta({ description });

const pushInitiator = z
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
  target: z
    .enum(['all-subscribed', 'connected-first', 'available-first', 'newest-registered'])
    .optional()
    .meta({ description: 'Which of the terminals that take the push get it.' }),
  terminals: words('Names of the only terminals that may get it, the first choice first.'),
  completion: z.enum(['all', 'any']).optional().meta({
    description: '`any`: the first terminal that has it is enough, from the others it is taken back.',
  }),
  fallbackSeconds: z.int().min(1).max(604_800).optional().meta({
    description: 'One terminal after the other, each after so many seconds without success of those before.',
  }),
  bearers: choices(
    ['sip', 'sms', 'wsp', 'ota-http', 'ussd', 'http-callback', 'web-push'],
    'The only bearers by which its terminals are reached, the first choice first.',
  ),
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

const activationBearer = z.enum(['sip', 'sms', 'wsp', 'ota-http', 'ussd', 'http-callback', 'web-push']);

const targeting = z.strictObject({
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
  bearerCosts: z.partialRecord(activationBearer, z.number().min(0)).default({}).meta({
    description:
      'What a message costs by each bearer, in any unit: `{ sms: 4, ussd: 1 }`. The cheapest way to a terminal is tried first where neither a rule nor the terminal has an order of its own; a bearer without a figure costs nothing.',
  }),
});

export const configSchema = z
  .strictObject({
    domain: text(
      /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/,
      'a domain name such as push.example.test',
      'SIP domain and PPG name of this gateway.',
    )
      .toLowerCase()
      .default('carillon.test'),
    dataDir: z.string().min(1).max(4096).default('.carillon').meta({
      description:
        'Directory for everything kept on disk: the private Redis, large content, the admin token. Relative to the working directory.',
    }),
    redis: redis.prefault({}).meta({ description: 'Where the truth is held.' }),
    http: z
      .strictObject({
        host: host('127.0.0.1', 'Address that the public HTTP server listens on.'),
        port: port(8080, 'Public HTTP port (PAP, JSON API); 0 takes a free one.'),
        tls: z
          .strictObject({
            certFile: z.string().min(1).max(4096).meta({
              description: 'Certificate chain of the gateway, PEM.',
            }),
            keyFile: z.string().min(1).max(4096).meta({ description: 'Its private key, PEM.' }),
            clientCaFile: z.string().min(1).max(4096).optional().meta({
              description:
                'CAs of client certificates, PEM. When given, initiators may show a certificate instead of a password; nobody has to.',
            }),
          })
          .optional()
          .meta({ description: 'TLS on the public port: HTTPS instead of HTTP. Absent: plain HTTP.' }),
      })
      .prefault({})
      .meta({ description: 'Public HTTP: what push initiators and terminals call.' }),
    admin: z
      .strictObject({
        host: host('127.0.0.1', 'Address that the admin HTTP server listens on.'),
        port: port(8081, 'Admin HTTP port; 0 takes a free one.'),
        token: text(
          /^[A-Za-z0-9._~+/-]{1,512}=*$/,
          'letters, digits and the signs . _ ~ + / - (a bearer token, RFC 6750)',
          'Bearer token of the admin API; absent: generated once and kept in `<dataDir>/admin-token`, readable by the owner only.',
        )
          .meta({ writeOnly: true })
          .optional(),
        viewerToken: text(
          /^[A-Za-z0-9._~+/-]{1,512}=*$/,
          'letters, digits and the signs . _ ~ + / - (a bearer token, RFC 6750)',
          'A second bearer token of the admin API, with which everything can be read and nothing changed; absent: there is none.',
        )
          .meta({ writeOnly: true })
          .optional(),
      })
      .prefault({})
      .meta({ description: 'Admin HTTP: API, metrics, health.' }),
    sip: sip.prefault({}).meta({ description: 'SIP: registrations, wake-ups, push sessions.' }),
    sources: sources.prefault({}).meta({
      description: 'Who else knows about terminals: the SIP core in front of the gateway, a presence server.',
    }),
    msrp: z
      .strictObject({
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
      })
      .prefault({})
      .meta({ description: 'MSRP, which carries push sessions.' }),
    pushInitiators: z.array(pushInitiator).max(MAX_LIST_ENTRIES).default([]).meta({
      description: 'Push initiators known from the start; more can be added through the admin API.',
    }),
    push: push.prefault({}).meta({ description: 'Limits and habits of the push journey.' }),
    targeting: targeting
      .prefault({})
      .meta({ description: 'Which terminals get a push, and how they are woken (docs/targeting.md).' }),
    wake: wake.prefault({}).meta({ description: 'Waking terminals that are not connected.' }),
    lane: lane.prefault({}).meta({ description: 'The lanes: one process at a time delivers to a terminal.' }),
    notify: notify.prefault({}).meta({ description: 'Result notifications to push initiators.' }),
    smpp: z.array(smppLink).max(MAX_LIST_ENTRIES).default([]).meta({
      description: 'Links to short message centres, for the `sms` bearer.',
    }),
    bearers: bearers.prefault({}).meta({ description: 'Ways to reach terminals that are not connected.' }),
    otaHttp: otaHttp.prefault({}).meta({ description: 'Where terminals call the gateway by OTA-HTTP.' }),
    wsp: wsp.prefault({}).meta({ description: 'Where terminals open WSP sessions.' }),
    httpCallback: httpCallback.prefault({}).meta({
      description:
        'The `http-callback` bearer: a wake-up service of your own, called by a signed POST of JSON.',
    }),
    webPush: webPush.prefault({}).meta({ description: 'The `web-push` bearer: terminals in browsers.' }),
    delegates,
    log: z
      .strictObject({
        level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info').meta({
          description: 'Least severe log lines written.',
        }),
      })
      .prefault({})
      .meta({ description: 'Log lines: JSON on standard output.' }),
    shutdown: z
      .strictObject({
        deadlineSeconds: count(
          10,
          1,
          600,
          'Time to finish what is under way after SIGTERM or SIGINT, seconds; what is left then continues after the next start.',
        ),
      })
      .prefault({})
      .meta({ description: 'Stopping.' }),
  })
  .refine((c) => new Set(c.pushInitiators.map(({ id }) => id)).size === c.pushInitiators.length, {
    path: ['pushInitiators'],
    message: 'a list in which every id is different',
  })
  .refine((c) => new Set(c.smpp.map(({ name }) => name)).size === c.smpp.length, {
    path: ['smpp'],
    message: 'a list in which every name is different',
  })
  .refine(
    ({ sip, webPush }) => !sip.registrar.pushServices.includes('webpush') || webPush.subject !== undefined,
    {
      path: ['sip', 'registrar', 'pushServices'],
      message: 'webpush only together with webPush.subject',
    },
  )
  .refine(
    ({ sip, httpCallback }) =>
      sip.registrar.pushServices.every((name) => name === 'webpush') ||
      (httpCallback.address !== undefined && httpCallback.secret !== undefined),
    {
      path: ['sip', 'registrar', 'pushServices'],
      message: 'services other than webpush only together with httpCallback.address and httpCallback.secret',
    },
  );

type ParsedConfig = z.output<typeof configSchema>;

/** The configuration in force: every default filled in, `dataDir` absolute. Frozen by convention: nobody changes it. */
export type Config = DeepReadonly<
  Omit<ParsedConfig, 'sip'> & {
    sip: Omit<ParsedConfig['sip'], 'registrar'> & {
      registrar: Complete<ParsedConfig['sip']['registrar']>;
    };
  }
>;

type Complete<T> = { [Key in keyof T]-?: Exclude<T[Key], undefined> };

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;
