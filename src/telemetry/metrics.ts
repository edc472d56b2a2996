/**
 * Every metric of the gateway: name, labels, meaning, all in this file, so that dashboards have one place to look at. Served
 * as Prometheus text by the admin API. Counters and histograms are moved by whoever sees the fact; gauges are read when
 * they are asked for (`watch`), so that nobody has to keep them up to date.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds from 1 ms to 10 s: what a caller waits for. */
const ANSWER_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** Seconds from 10 ms to three days: what passes until a terminal has its content. */
const DELIVERY_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 43_200, 259_200];

/** Values that are read at the moment of a scrape. A rejected promise leaves the gauge out of that scrape. */
export interface Watched {
  readonly heldDeliveries?: () => Promise<number> | number;
  /** Seconds since the oldest push was accepted that is still held for some terminal; 0 when none is. */
  readonly oldestHeldSeconds?: () => Promise<number> | number;
  readonly waitingLanes?: () => Promise<number> | number;
  /** Seconds by which the most overdue lane is late; 0 when none is. */
  readonly overdueSeconds?: () => Promise<number> | number;
  readonly connectedTerminals?: () => Promise<number> | number;
  /** Subscriptions at other servers that this process keeps up. */
  readonly subscriptions?: () => Promise<number> | number;
  /** 1 while Redis can be trusted with messages, else 0. */
  readonly redisReady?: () => Promise<number> | number;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** A fresh set of metrics with a registry of its own: several gateways in one process (tests) do not meet. */
export function createMetrics(options: { readonly version: string; readonly processMetrics?: boolean }) {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'carillon_build_info',
    help: 'Always 1; the labels tell the versions.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: options.version, node: process.version }, 1);

  return {
    registry,
    pushesAccepted: new Counter({
      name: 'carillon_pushes_accepted_total',
      help: 'Pushes stored and answered with 1001.',
      registers,
    }),
    pushesRefused: new Counter({
      name: 'carillon_pushes_refused_total',
      help: 'Pushes refused, by PAP result code or HTTP status.',
      labelNames: ['code'],
      registers,
    }),
    acceptSeconds: new Histogram({
      name: 'carillon_push_accept_seconds',
      help: 'From the request of a push initiator being read to its answer.',
      buckets: ANSWER_BUCKETS,
      registers,
    }),
    deliveryAttempts: new Counter({
      name: 'carillon_delivery_attempts_total',
      help: 'Attempts to hand a push to a terminal, by bearer and outcome.',
      labelNames: ['bearer', 'outcome'],
      registers,
    }),
    deliveriesSettled: new Counter({
      name: 'carillon_deliveries_settled_total',
      help: 'Deliveries to one terminal that reached a final state, by that state.',
      labelNames: ['state'],
      registers,
    }),
    deliverySeconds: new Histogram({
      name: 'carillon_delivery_seconds',
      help: 'From a push being accepted to a terminal having it.',
      buckets: DELIVERY_BUCKETS,
      registers,
    }),
    wakeUps: new Counter({
      name: 'carillon_wake_ups_total',
      help: 'Session initiation requests sent, by bearer and outcome.',
      labelNames: ['bearer', 'outcome'],
      registers,
    }),
    sessionsOpened: new Counter({
      name: 'carillon_push_sessions_opened_total',
      help: 'Push sessions that terminals opened here.',
      registers,
    }),
    resultNotifications: new Counter({
      name: 'carillon_result_notifications_total',
      help: 'Attempts to tell push initiators a result: sent, delayed (to be tried again), abandoned.',
      labelNames: ['outcome'],
      registers,
    }),
    segments: new Counter({
      name: 'carillon_smpp_segments_total',
      help: 'Short messages submitted to a message centre, by link and what it said: accepted, refused, unknown (no answer), notSent.',
      labelNames: ['link', 'result'],
      registers,
    }),
    segmentSeconds: new Histogram({
      name: 'carillon_smpp_response_seconds',
      help: 'From a short message being sent to the answer of the message centre.',
      labelNames: ['link'],
      buckets: ANSWER_BUCKETS,
      registers,
    }),
    smsReceived: new Counter({
      name: 'carillon_smpp_received_total',
      help: 'What message centres handed over, by link: receipts by state, messages of subscribers by what became of them.',
      labelNames: ['link', 'kind', 'result'],
      registers,
    }),
    sourceAnswers: new Counter({
      name: 'carillon_source_answers_total',
      help: 'Sources asked about the terminals of a user: used, stale (an older answer was used), missing.',
      labelNames: ['source', 'state'],
      registers,
    }),
    registrations: new Counter({
      name: 'carillon_sip_registrations_total',
      help: 'REGISTER requests answered, by status.',
      labelNames: ['status'],
      registers,
    }),
    /** Gauges of links, read when the metrics are scraped. Call once. */
    watchLinks(read: () => readonly WatchedLink[]): void {
      for (const [name, help, value] of LINK_GAUGES) {
        new Gauge({
          name,
          help,
          labelNames: ['link'],
          registers,
          collect() {
            for (const link of read()) this.set({ link: link.name }, value(link));
          },
        });
      }
    },
    /** Gauges that are read when the metrics are scraped. Call once. */
    watch(watched: Watched): void {
      for (const [key, { name, help }] of Object.entries(WATCHED_GAUGES)) {
        const read = watched[key as keyof Watched];
        if (read !== undefined) watchedGauge(name, help, read, registry);
      }
    },
  };
}

/** A link to a message centre at the moment of a scrape. */
export interface WatchedLink {
  readonly name: string;
  readonly state: string;
  readonly mode: string;
  readonly underWay: number;
  readonly queued: number;
  readonly queueAgeMs: number;
}

const LINK_GAUGES: readonly (readonly [name: string, help: string, value: (link: WatchedLink) => number])[] =
  [
    ['carillon_smpp_bound', '1 while the link is bound, else 0.', ({ state }) => (state === 'bound' ? 1 : 0)],
    [
      'carillon_smpp_held',
      '1 while an operator has paused or drains the link, else 0.',
      ({ mode }) => (mode === 'running' ? 0 : 1),
    ],
    ['carillon_smpp_under_way', 'Short messages without an answer.', ({ underWay }) => underWay],
    ['carillon_smpp_queued', 'Short messages that wait for their turn.', ({ queued }) => queued],
    [
      'carillon_smpp_queue_age_seconds',
      'How long the first of them has waited.',
      ({ queueAgeMs }) => queueAgeMs / 1000,
    ],
  ];

const WATCHED_GAUGES: Readonly<Record<keyof Watched, { readonly name: string; readonly help: string }>> = {
  heldDeliveries: { name: 'carillon_deliveries_held', help: 'Deliveries that are held, on all nodes.' },
  oldestHeldSeconds: {
    name: 'carillon_oldest_held_seconds',
    help: 'Age of the oldest push that is still held for some terminal.',
  },
  waitingLanes: { name: 'carillon_lanes_waiting', help: 'Terminals that something is held for.' },
  overdueSeconds: {
    name: 'carillon_lane_overdue_seconds',
    help: 'How late the most overdue lane is; grows when alarms are not carried out.',
  },
  connectedTerminals: { name: 'carillon_push_sessions', help: 'Terminals with an open push session here.' },
  subscriptions: {
    name: 'carillon_sip_subscriptions',
    help: 'Subscriptions at the SIP core and the presence server that are kept up here.',
  },
  redisReady: { name: 'carillon_redis_ready', help: '1 while Redis can be trusted with messages, else 0.' },
};

function watchedGauge(
  name: string,
  help: string,
  read: () => Promise<number> | number,
  registry: Registry,
): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      try {
        this.set(await read());
      } catch {
        // A value that cannot be had is better missing than stale; the log of its owner tells why.
        this.remove();
      }
    },
  });
}
