/**
 * Every section of the configuration with the sentence that says what it is for; the larger ones have files of their own. The JSON
 * Schema in `schemas/`, the tables of docs/configuration.md and the names of the environment variables are all derived from here.
 * Says nothing about where values come from (load-config.ts) nor about limits that nobody has to tune, which stand beside their decoders.
 */
import { z } from 'zod';
import { admin, http } from './http.js';
import { bearers, delegates, httpCallback, otaHttp, webPush } from './http-bearers.js';
import { lane, notify, push, wake } from './push.js';
import { pushInitiator } from './push-initiators.js';
import { redis } from './redis.js';
import { count, MAX_LIST_ENTRIES, text } from './shapes.js';
import { msrp, sip } from './sip.js';
import { smppLink } from './smpp.js';
import { sources } from './sources.js';
import { targeting } from './targeting.js';
import { wsp } from './wsp-bearers.js';

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
    http: http.prefault({}).meta({ description: 'Public HTTP: what push initiators and terminals call.' }),
    admin: admin.prefault({}).meta({ description: 'Admin HTTP: API, metrics, health.' }),
    sip: sip.prefault({}).meta({ description: 'SIP: registrations, wake-ups, push sessions.' }),
    sources: sources.prefault({}).meta({
      description: 'Who else knows about terminals: the SIP core in front of the gateway, a presence server.',
    }),
    msrp: msrp.prefault({}).meta({ description: 'MSRP, which carries push sessions.' }),
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
