/**
 * A whole crash test: real gateways on a real Redis, initiators that submit, terminals that come, go and vanish, and somebody
 * who kills. When the time is up everybody who can be there is there, nothing is killed any more, and the books must balance.
 * One seed decides every choice; `npm test` runs it short, `npm run soak` long.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { BlobDirectory } from '../../src/stores/blob-directory.js';
import { RedisPushStore } from '../../src/stores/redis-push-store.js';
import { CrashAdmin, type Story } from './crash-admin.js';
import { auditStore, auditStories, deliveriesOf } from './crash-audit.js';
import { CrashBooks, nameOf } from './crash-books.js';
import { type Chance, chance } from './crash-chance.js';
import {
  CrashInitiator,
  type NotificationServer,
  startNotificationServer,
  type User,
} from './crash-initiator.js';
import {
  CrashGateway,
  gatewayPorts,
  killPrivateRedis,
  privateRedisSocket,
  SharedRedis,
} from './crash-process.js';
import { CrashTerminal, type Habit } from './crash-terminal.js';
import { freePort } from './ports.js';

/** What is done to the gateway. `both` kills it together with its Redis, `halt` stops it for longer than a lease. */
export type Disturbance = 'gateway' | 'redis' | 'both' | 'halt';

export interface CrashRunOptions {
  readonly seed: number;
  /** A directory of its own. */
  readonly home: string;
  /** One has a Redis of its own; two share one. */
  readonly gateways: 1 | 2;
  readonly durationMs: number;
  /** Goes on for longer, within limits, when fewer pushes have been accepted by then. */
  readonly leastAccepted?: number;
  /** Drawn from with equal chances. */
  readonly disturbances: readonly [Disturbance, ...Disturbance[]];
  /** Longest undisturbed time in milliseconds. */
  readonly calmMs: number;
  readonly onProgress?: (report: CrashReport) => void;
}

export interface CrashReport {
  readonly seed: number;
  readonly accepted: number;
  /** Given up by the initiator without an answer that says. */
  readonly unknown: number;
  /** Deliveries by their state in the end, one push for two terminals counted twice. */
  readonly deliveries: Readonly<Record<string, number>>;
  readonly seenAsNew: number;
  /** Sent again by the gateway and recognised by the terminal. */
  readonly duplicatesRecognised: number;
  readonly notifications: number;
  readonly gatewayKills: number;
  readonly gatewayStarts: number;
  readonly redisKills: number;
  readonly halts: number;
  readonly terminalLives: number;
  readonly violations: readonly string[];
}

const DOMAIN = 'crash.test';
const LEASE_SECONDS = 2;
const INITIATORS = ['weather', 'mms', 'devices'] as const;
const SETTLE_LIMIT_MS = 120_000;
const OVERTIME_MS = 180_000;
const PROGRESS_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 250;
/** Pushes accepted between two disturbances: how many at least, and for how long they are waited for. */
const PROGRESS = { pushes: 3, limitMs: 5000 };
/** In overtime the pushes are what is missing. */
const OVERTIME_PROGRESS = { pushes: 25, limitMs: 60_000 };

const CONFIG = {
  domain: DOMAIN,
  pushInitiators: INITIATORS.map((id) => ({ id, password: `secret of ${id}` })),
  wake: { retrySeconds: [1] },
  lane: { leaseSeconds: LEASE_SECONDS },
  push: { sessionIdleSeconds: 2 },
  notify: { allowPrivateAddresses: true, timeoutMs: 1000, maxAttempts: 1000, retrySeconds: [1] },
};

/** Runs it and takes everything down again. Rejects when something that has to work for the test did not. */
export async function crashRun(options: CrashRunOptions): Promise<CrashReport> {
  const run = await CrashRun.open(options);
  try {
    return await run.report();
  } finally {
    await run.close();
  }
}

class CrashRun {
  readonly #options: CrashRunOptions;
  readonly #chance: Chance;
  readonly #books = new CrashBooks();
  readonly #dataDir: string;
  #shared: SharedRedis | undefined;
  #gateways: CrashGateway[] = [];
  #terminals: CrashTerminal[] = [];
  #initiators: CrashInitiator[] = [];
  #notifications: NotificationServer | undefined;
  #redisKills = 0;
  #halts = 0;

  static async open(options: CrashRunOptions): Promise<CrashRun> {
    const run = new CrashRun(options);
    try {
      await run.#open();
      return run;
    } catch (error) {
      await run.close();
      throw error;
    }
  }

  private constructor(options: CrashRunOptions) {
    this.#options = options;
    this.#chance = chance(options.seed);
    this.#dataDir = join(options.home, 'data');
  }

  async #open(): Promise<void> {
    const { gateways, home } = this.#options;
    mkdirSync(this.#dataDir, { recursive: true });
    if (gateways === 2) {
      this.#shared = new SharedRedis(join(home, 'redis'), await freePort());
      await this.#shared.start();
    }
    for (const name of ['a', 'b'].slice(0, gateways)) await this.#addGateway(`gateway-${name}`);
    for (const gateway of this.#gateways) gateway.start();
    for (const gateway of this.#gateways) await gateway.ready();
    const users = await this.#provision();
    this.#notifications = await startNotificationServer(this.#books, this.#chance.stream('notifications'));
    for (const id of INITIATORS) this.#addInitiator(id, users);
  }

  async #addGateway(name: string): Promise<void> {
    const options = { name, home: this.#options.home, dataDir: this.#dataDir, config: CONFIG };
    const redis = this.#shared === undefined ? {} : { redisUrl: this.#shared.url };
    this.#gateways.push(new CrashGateway({ ...options, ...redis, ports: await gatewayPorts() }));
  }

  /** Users with one to three terminals of every habit, profile and transport. */
  async #provision(): Promise<[User, ...User[]]> {
    const habits: readonly [string, ...Habit[]][] = [
      ['steady', 'steady', 'flapping'],
      ['visiting', 'visiting'],
      ['mixed', 'steady', 'visiting', 'flapping'],
      ['flapping', 'flapping'],
      ['late', 'late', 'steady'],
      ['gone', 'gone', 'visiting'],
    ];
    const users: User[] = [];
    const directory = join(this.#options.home, 'terminals');
    mkdirSync(directory);
    for (const [what, ...itsHabits] of habits) {
      const user = `sip:${what}@${DOMAIN}`;
      await this.#admin().putUser(user);
      const terminals = [];
      for (const [index, habit] of itsHabits.entries()) {
        terminals.push(await this.#addTerminal({ user, terminal: `${what}${index}` }, habit, directory));
      }
      users.push({ user, terminals: nonEmpty(terminals) });
    }
    return nonEmpty(users);
  }

  async #addTerminal(name: { user: string; terminal: string }, habit: Habit, directory: string) {
    const number = String(this.#terminals.length + 1).padStart(12, '0');
    const instance = `urn:uuid:00000000-0000-4000-8000-${number}`;
    await this.#admin().putTerminal(name.user, name.terminal, instance);
    const draws = this.#chance.stream(`terminal ${name.terminal}`);
    const terminal = new CrashTerminal(
      {
        name,
        instance,
        habit,
        profile: draws.happens(0.4) ? 'both' : 'S1',
        transport: draws.happens(0.35) ? 'tcp' : 'udp',
        reconnects: draws.happens(0.5),
        sipPort: draws.pick(nonEmpty(this.#gateways)).ports.sip,
        directory,
        chance: draws,
      },
      this.#books,
    );
    this.#terminals.push(terminal);
    return { name, instance };
  }

  #addInitiator(id: string, users: [User, ...User[]]): void {
    const options = {
      id,
      password: `secret of ${id}`,
      ports: nonEmpty(this.#gateways.map(({ ports }) => ports.http)),
      domain: DOMAIN,
      users,
      notifyUrl: this.#notifications?.url ?? '',
      chance: this.#chance.stream(`initiator ${id}`),
      paceMs: 80,
    };
    this.#initiators.push(new CrashInitiator(options, this.#books));
  }

  #admin(): CrashAdmin {
    return new CrashAdmin(this.#gateways[0]?.ports.admin ?? 0);
  }

  async report(): Promise<CrashReport> {
    const { durationMs, onProgress } = this.#options;
    const until = Date.now() + durationMs;
    const progress = setInterval(() => onProgress?.(this.#state([], [])), PROGRESS_EVERY_MS);
    try {
      const terminals = this.#terminals.map((terminal) => terminal.run());
      const initiators = this.#initiators.map((initiator) => initiator.run());
      await this.#disturb(until);
      for (const initiator of this.#initiators) initiator.stop();
      await Promise.all(initiators);
      for (const terminal of this.#terminals) terminal.settle();
      await Promise.all(terminals);
      await this.#waitUntilSettled();
      return await this.#audit();
    } finally {
      clearInterval(progress);
    }
  }

  async #disturb(until: number): Promise<void> {
    const draws = this.#chance.stream('disturbances');
    const { disturbances, calmMs } = this.#options;
    while (Date.now() < until || (this.#isTooCalm() && Date.now() < until + OVERTIME_MS)) {
      const before = this.#books.count('accepted');
      await pause(draws.between(0, calmMs));
      await this.#progress(before, Date.now() < until ? PROGRESS : OVERTIME_PROGRESS);
      const gateway = draws.pick(nonEmpty(this.#gateways));
      this.#disturbed();
      switch (draws.pick(disturbances)) {
        case 'gateway':
          await gateway.kill();
          await this.#startAgain(gateway, draws);
          break;
        case 'redis':
          await this.#killRedis();
          break;
        case 'both': {
          const isRedisFirst = draws.happens(0.5);
          if (isRedisFirst) await this.#killRedis();
          await pause(draws.between(0, 60));
          await gateway.kill();
          if (!isRedisFirst) await this.#killRedis();
          await this.#startAgain(gateway, draws);
          break;
        }
        case 'halt':
          gateway.signal('SIGSTOP');
          this.#halts += 1;
          await pause(draws.between(100, 3 * LEASE_SECONDS * 1000));
          gateway.signal('SIGCONT');
      }
      this.#disturbed();
    }
  }

  /** On a machine that is busy, what comes back needs time before there is anything to disturb. */
  async #progress(before: number, { pushes, limitMs } = PROGRESS): Promise<void> {
    const until = Date.now() + limitMs;
    while (this.#books.count('accepted') < before + pushes && Date.now() < until) {
      await pause(LOOK_EVERY_MS);
    }
  }

  #isTooCalm(): boolean {
    return this.#books.count('accepted') < (this.#options.leastAccepted ?? 0);
  }

  /** At once or after a while; sometimes killed again while it starts. */
  async #startAgain(gateway: CrashGateway, draws: Chance): Promise<void> {
    if (draws.happens(0.3)) await pause(draws.between(0, 3000));
    while (draws.happens(0.3)) {
      gateway.start();
      await pause(draws.between(0, 1500));
      await gateway.kill();
    }
    gateway.start();
    await gateway.ready();
  }

  async #killRedis(): Promise<void> {
    if (this.#shared) {
      await this.#shared.stop();
      await this.#shared.start();
      this.#redisKills += 1;
    } else if (await killPrivateRedis(this.#dataDir)) this.#redisKills += 1;
  }

  #disturbed(): void {
    this.#books.disturbances.push(Date.now());
  }

  /** Nothing is pending but for terminals that never come, and every result has been told. */
  async #waitUntilSettled(): Promise<void> {
    const until = Date.now() + SETTLE_LIMIT_MS;
    const admin = this.#admin();
    for (;;) {
      const stories = await this.#stories();
      const isSettled = [...stories.values()].every((story) => this.#isSettled(story));
      if (isSettled || Date.now() > until) return; // the audit says what is not
      await pause(LOOK_EVERY_MS);
      while (Date.now() < until && (await this.#hasPending(admin))) await pause(LOOK_EVERY_MS);
    }
  }

  async #hasPending(admin: CrashAdmin): Promise<boolean> {
    for (const { initiator, pushId } of await admin.inState('pending')) {
      const story = await admin.story(initiator, pushId);
      if (story && !this.#isSettled(story)) return true;
    }
    return false;
  }

  #isSettled(story: Story): boolean {
    return story.recipients.every((recipient) => {
      const held = [...deliveriesOf(recipient)].filter(([, { state }]) => state === 'held');
      return held.every(([name]) => !this.#isReachable(name)) && recipient.result?.state !== 'owed';
    });
  }

  #isReachable(name: string): boolean {
    return this.#terminals.some(({ options }) => nameOf(options.name) === name && options.habit !== 'gone');
  }

  async #stories(): Promise<ReadonlyMap<string, Story>> {
    const admin = this.#admin();
    const stories = new Map<string, Story>();
    const submissions = [...this.#books.submissions.values()];
    const readers = Array.from({ length: 8 }, async () => {
      for (let next = submissions.shift(); next; next = submissions.shift()) {
        const story = await admin.story(next.initiator, next.pushId);
        if (story) stories.set(next.uid, story);
      }
    });
    await Promise.all(readers);
    return stories;
  }

  async #audit(): Promise<CrashReport> {
    const stories = await this.#stories();
    const found = auditStories(this.#books, stories, (name) => this.#isReachable(name));
    const redis = this.#shared
      ? new Redis(this.#shared.url)
      : new Redis({ path: privateRedisSocket(this.#dataDir) });
    try {
      // What every start of a gateway does with large content that is old enough.
      await this.#pushStore(redis).removeOrphanContent(Date.now());
      found.push(...(await auditStore(redis, stories.values(), this.#dataDir)));
    } finally {
      redis.disconnect();
    }
    for (const terminal of this.#terminals) await terminal.close();
    for (const gateway of this.#gateways) await gateway.stop();
    found.push(...this.#gateways.flatMap(({ unexpectedEnds }) => unexpectedEnds));
    return this.#state([...stories.values()], found);
  }

  #pushStore(redis: Redis): RedisPushStore {
    const options = { now: Date.now, inlineBytes: 0, retentionMs: 0, isCluster: false };
    return new RedisPushStore(redis, new BlobDirectory(join(this.#dataDir, 'blobs')), options);
  }

  #state(stories: readonly Story[], violations: readonly string[]): CrashReport {
    const deliveries: Record<string, number> = {};
    for (const { state } of stories.flatMap(({ recipients }) =>
      recipients.flatMap((one) => one.deliveries),
    )) {
      deliveries[state] = (deliveries[state] ?? 0) + 1;
    }
    const books = this.#books;
    return {
      seed: this.#options.seed,
      accepted: books.count('accepted'),
      unknown: books.count('unknown'),
      deliveries,
      seenAsNew: books.sightingsAsNew,
      duplicatesRecognised: books.duplicatesRecognised,
      notifications: [...books.notifications.values()].flat().length,
      gatewayKills: this.#gateways.reduce((sum, { kills }) => sum + kills, 0),
      gatewayStarts: this.#gateways.reduce((sum, { starts }) => sum + starts, 0),
      redisKills: this.#redisKills,
      halts: this.#halts,
      terminalLives: this.#terminals.reduce((sum, { lives }) => sum + lives, 0),
      violations,
    };
  }

  /** Safe after every failure: whatever runs is killed. */
  async close(): Promise<void> {
    for (const terminal of this.#terminals) terminal.settle();
    for (const initiator of this.#initiators) initiator.stop();
    await Promise.all(this.#terminals.map((terminal) => terminal.close()));
    await this.#notifications?.[Symbol.asyncDispose]();
    for (const gateway of this.#gateways) await gateway.kill();
    await this.#shared?.stop();
    await killPrivateRedis(this.#dataDir);
  }
}

function nonEmpty<T>(list: readonly T[]): [T, ...T[]] {
  const [first, ...rest] = list;
  if (first === undefined) throw new Error('an empty list');
  return [first, ...rest];
}
