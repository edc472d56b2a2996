/**
 * Kills and broken connections at chosen points: between storing and answering, between the terminal's confirmation and its
 * record, and around every other step that changes something outside the process.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushUid } from '../../src/push/push-message.js';
import { BlobDirectory } from '../../src/stores/blob-directory.js';
import { acceptPush } from '../../src/stores/lua/accept-push.js';
import { beginDelivery } from '../../src/stores/lua/begin-delivery.js';
import { openLane } from '../../src/stores/lua/open-lane.js';
import { recordResult } from '../../src/stores/lua/record-result.js';
import { releaseLane } from '../../src/stores/lua/release-lane.js';
import { settleDelivery } from '../../src/stores/lua/settle-delivery.js';
import { RedisPushStore } from '../../src/stores/redis-push-store.js';
import type { Script } from '../../src/stores/script.js';
import { CrashAdmin, type Story } from '../support/crash-admin.js';
import { CrashBooks, nameOf } from '../support/crash-books.js';
import { chance } from '../support/crash-chance.js';
import { BOUNDARY, postPush } from '../support/crash-initiator.js';
import { CrashGateway, gatewayPorts, SharedRedis } from '../support/crash-process.js';
import { CrashTerminal } from '../support/crash-terminal.js';
import { buildGateway } from '../support/gateway-process.js';
import { multipartBody, papText } from '../support/pap.js';
import { freePort } from '../support/ports.js';
import { type Interception, type RedisCommand, RedisProxy, runs } from '../support/redis-proxy.js';
import { startScriptedInitiator } from '../support/scripted-initiator.js';

/** Opens sessions. */
const PHONE = {
  user: 'sip:alice@crash.test',
  terminal: 'phone',
  instance: 'urn:uuid:00000000-0000-4000-8000-000000000001',
};
/** Takes small content by MESSAGE, from whichever gateway. */
const WATCH = {
  user: 'sip:bob@crash.test',
  terminal: 'watch',
  instance: 'urn:uuid:00000000-0000-4000-8000-000000000002',
};
const INITIATOR = { id: 'pi', password: 'secret' };
const LIMIT_MS = 150_000;
/** Other test files share the machine. */
const PATIENCE_MS = 60_000;

let home: string;
let redis: SharedRedis;
let proxy: RedisProxy;
let gateway: CrashGateway;
let terminals: CrashTerminal[] = [];
let books: CrashBooks;
let count = 0;

beforeAll(async () => {
  buildGateway();
  home = mkdtempSync(join(tmpdir(), 'carillon-points-'));
  redis = new SharedRedis(join(home, 'redis'), await freePort());
  await redis.start();
  proxy = await RedisProxy.start(redis.port);
  gateway = await newGateway('gateway', proxy.url);
  gateway.start();
  await gateway.ready();
  books = new CrashBooks();
  terminals = [await appear(PHONE, 'S1'), await appear(WATCH, 'both')];
  // Every script has been run once: Redis knows them by their digests from here on.
  const first = push();
  expect(await submit(first)).toBe(1001);
  await settled(first);
}, LIMIT_MS);

afterAll(async () => {
  for (const terminal of terminals) await terminal.close();
  await gateway?.stop();
  await proxy?.[Symbol.asyncDispose]();
  await redis?.stop();
  rmSync(home, { recursive: true, force: true });
}, LIMIT_MS);

async function newGateway(name: string, redisUrl: string): Promise<CrashGateway> {
  return new CrashGateway({
    name,
    home,
    dataDir: join(home, 'data'),
    ports: await gatewayPorts(),
    redisUrl,
    config: {
      domain: 'crash.test',
      pushInitiators: [INITIATOR],
      wake: { retrySeconds: [1] },
      lane: { leaseSeconds: 2 },
      notify: { allowPrivateAddresses: true, timeoutMs: 1000, retrySeconds: [1] },
    },
  });
}

async function appear(name: typeof PHONE, profile: 'S1' | 'both'): Promise<CrashTerminal> {
  await admin().putUser(name.user);
  await admin().putTerminal(name.user, name.terminal, name.instance);
  const terminal = new CrashTerminal(
    {
      name,
      instance: name.instance,
      habit: 'steady',
      profile,
      transport: 'udp',
      reconnects: true,
      sipPort: gateway.ports.sip,
      directory: home,
      chance: chance(1),
    },
    books,
  );
  await terminal.run();
  return terminal;
}

interface TestPush {
  readonly to: typeof PHONE;
  readonly pushId: string;
  readonly body: Buffer;
}

interface PushOptions {
  readonly to?: typeof PHONE;
  readonly size?: number;
  readonly notifyTo?: string;
}

function push({ to = PHONE, size = 20, notifyTo }: PushOptions = {}): TestPush {
  count += 1;
  const pushId = `${count}@pi`;
  const device = encodeURIComponent(to.instance);
  const address = `WAPPUSH=${encodeURIComponent(to.user)}/device=${device}/TYPE=USER@ppg.crash.test`;
  const notify = notifyTo === undefined ? '' : ` ppg-notify-requested-to="${notifyTo}"`;
  const control = `<push-message push-id="${pushId}"${notify}><address address-value="${address}"/></push-message>`;
  const parts = [
    { headers: 'Content-Type: application/xml', content: papText(control) },
    { headers: 'Content-Type: application/octet-stream', content: Buffer.alloc(size, count) },
  ];
  return { to, pushId, body: multipartBody(parts, BOUNDARY) };
}

const admin = () => new CrashAdmin(gateway.ports.admin);
const submit = ({ body }: TestPush) =>
  postPush({ port: gateway.ports.http, ...INITIATOR }, body, PATIENCE_MS);
const uidOf = ({ pushId }: TestPush) => pushUid(INITIATOR.id, pushId);

async function kill(): Promise<void> {
  await gateway.kill();
}

async function restart(): Promise<void> {
  gateway.start();
  await gateway.ready();
}

/** The story of the push once it is delivered. */
async function settled(sent: TestPush, by = admin()): Promise<Story> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const story = await by.story(INITIATOR.id, sent.pushId);
    if (story?.recipients[0]?.state === 'delivered') return story;
    if (Date.now() > until) throw new Error(`not delivered: ${JSON.stringify(story)}`);
    await pause(50);
  }
}

/** How often the terminal has got the push: as new, and as a repetition that it recognised. */
function seen(sent: TestPush) {
  const mine = (books.sightings.get(nameOf(sent.to)) ?? []).filter(({ id }) => id === uidOf(sent));
  const asNew = mine.filter(({ isDuplicate }) => !isDuplicate).length;
  return { asNew, again: mine.length - asNew };
}

/** The lane holds nothing any more. */
async function laneEmpty(): Promise<void> {
  const direct = new Redis(redis.url);
  try {
    for (const until = Date.now() + PATIENCE_MS; ; ) {
      const keys = await direct.keys('carillon:{t:*}:d*');
      if (keys.length === 0) return;
      if (Date.now() > until) throw new Error(`left over: ${keys.join()}`);
      await pause(50);
    }
  } finally {
    direct.disconnect();
  }
}

const blobs = () =>
  readdirSync(join(home, 'data', 'blobs'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );

/** Content is removed after its push has ended. */
async function blobsGone(): Promise<void> {
  for (const until = Date.now() + PATIENCE_MS; blobs().length > 0; ) {
    if (Date.now() > until) throw new Error(`left over: ${blobs().map(({ name }) => name)}`);
    await pause(50);
  }
}

describe('between storing and answering', () => {
  it(
    'a push whose answer was lost with the gateway is delivered once, and a repetition is told so',
    async () => {
      const sent = push();
      const killed = proxy.intercept({ matches: runs(acceptPush), moment: 'after', act: kill });
      expect(await submit(sent)).toBeUndefined();
      await killed;
      await restart();
      expect(await submit(sent)).toBe(2007);
      await settled(sent);
      expect(seen(sent)).toEqual({ asNew: 1, again: 0 });
    },
    LIMIT_MS,
  );

  it(
    'a push whose answer was lost with the connection to Redis is answered "later", and a repetition is told',
    async () => {
      const sent = push();
      const cut = proxy.intercept({ matches: runs(acceptPush), moment: 'after', act: () => proxy.cut() });
      expect(await submit(sent)).toBe(4001);
      await cut;
      expect(await submitted(sent)).toBe(2007);
      await settled(sent);
      expect(seen(sent)).toEqual({ asNew: 1, again: 0 });
    },
    LIMIT_MS,
  );

  it(
    'a push that was not stored is not there, and is taken when it is repeated',
    async () => {
      const sent = push();
      const killed = proxy.intercept({ matches: runs(acceptPush), moment: 'before', act: kill });
      expect(await submit(sent)).toBeUndefined();
      await killed;
      await restart();
      expect(await admin().story(INITIATOR.id, sent.pushId)).toBeUndefined();
      expect(await submit(sent)).toBe(1001);
      await settled(sent);
      expect(seen(sent)).toEqual({ asNew: 1, again: 0 });
    },
    LIMIT_MS,
  );

  it(
    'large content that was written without its push is no obstacle to the repetition',
    async () => {
      const sent = push({ size: 100_000 });
      const killed = proxy.intercept({ matches: runs(acceptPush), moment: 'before', act: kill });
      expect(await submit(sent)).toBeUndefined();
      await killed;
      expect(blobs()).toHaveLength(1);
      await restart();
      expect(await submit(sent)).toBe(1001);
      await settled(sent);
      await blobsGone();
    },
    LIMIT_MS,
  );
});

/** Repeats what is answered "later". */
async function submitted(sent: TestPush): Promise<number | undefined> {
  for (;;) {
    const code = await submit(sent);
    if (code !== 4001) return code;
    await pause(50);
  }
}

/** A command like `then`, once one like `first` has come: a lane may be looked at at any time, for whatever was due before. */
function following(first: (command: RedisCommand) => boolean, then: (command: RedisCommand) => boolean) {
  let hasCome = false;
  return (command: RedisCommand) => {
    if (hasCome) return then(command);
    hasCome = first(command);
    return false;
  };
}

/** Submits the push. `act` is done at the first such command after it is stored, when the initiator has been answered. */
async function interrupted(sent: TestPush, { matches, moment, act }: Interception): Promise<void> {
  const isAboutIt = (command: RedisCommand) => command.some((argument) => argument.includes(uidOf(sent)));
  let answer: Promise<number | undefined> | undefined;
  const over = proxy.intercept({
    matches: following(runs(acceptPush, isAboutIt), matches),
    moment,
    async act() {
      await answer;
      await act();
    },
  });
  answer = submit(sent);
  expect(await answer).toBe(1001);
  await over;
}

describe('between sending and recording', () => {
  it(
    'what a terminal confirmed and nobody recorded comes again under the same id',
    async () => {
      const sent = push();
      await interrupted(sent, { matches: runs(settleDelivery), moment: 'before', act: kill });
      await restart();
      await settled(sent);
      expect(seen(sent)).toEqual({ asNew: 1, again: 1 });
    },
    LIMIT_MS,
  );

  it(
    'what a terminal confirmed while Redis was away is recorded later and not sent again',
    async () => {
      const sent = push();
      await interrupted(sent, { matches: runs(settleDelivery), moment: 'before', act: () => proxy.cut() });
      await settled(sent);
      expect(seen(sent)).toEqual({ asNew: 1, again: 0 });
    },
    LIMIT_MS,
  );

  it(
    'what is recorded is not sent again, though the lane was not let go of',
    async () => {
      const sent = push();
      await interrupted(sent, {
        matches: following(runs(settleDelivery), runs(releaseLane)),
        moment: 'before',
        act: kill,
      });
      await restart();
      await laneEmpty();
      expect(seen(sent)).toEqual({ asNew: 1, again: 0 });
    },
    LIMIT_MS,
  );

  it(
    'large content that outlived its push is found when the next gateway tidies up',
    async () => {
      const sent = push({ size: 100_000 });
      await interrupted(sent, { matches: runs(settleDelivery), moment: 'after', act: kill });
      await restart();
      await laneEmpty();
      const direct = new Redis(redis.url);
      const options = { now: Date.now, inlineBytes: 0, retentionMs: 0, isCluster: false };
      await new RedisPushStore(
        direct,
        new BlobDirectory(join(home, 'data', 'blobs')),
        options,
      ).removeOrphanContent(Date.now() + 1);
      direct.disconnect();
      expect(blobs()).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'an attempt that was counted and never made is made by the next gateway',
    async () => {
      const sent = push();
      await interrupted(sent, { matches: runs(beginDelivery), moment: 'after', act: kill });
      await restart();
      const story = await settled(sent);
      expect(story.recipients[0]?.deliveries[0]?.attempts).toBe(2);
      expect(seen(sent)).toEqual({ asNew: 1, again: 0 });
    },
    LIMIT_MS,
  );

  it(
    'a lane that was taken by a gateway that died is taken over when its lease has ended',
    async () => {
      const sent = push();
      await interrupted(sent, { matches: runs(openLane), moment: 'after', act: kill });
      await restart();
      await settled(sent);
      expect(seen(sent)).toEqual({ asNew: 1, again: 0 });
    },
    LIMIT_MS,
  );
});

describe('between telling the initiator and recording it', () => {
  it(
    'the result is told again, and says the same',
    async () => {
      const initiator = await startScriptedInitiator();
      const sent = push({ notifyTo: initiator.url });
      const isSent = (command: readonly string[]) =>
        command.some((argument) => argument.includes('"state":"sent"'));
      await interrupted(sent, { matches: runs(recordResult, isSent), moment: 'before', act: kill });
      await restart();
      const told = await initiator.told(2);
      expect(told[0]).toContain('message-state="delivered"');
      expect(told[1]).toBe(told[0]);
      await initiator[Symbol.asyncDispose]();
    },
    LIMIT_MS,
  );
});

describe('a gateway that stands still for longer than its lease', () => {
  /** Halts it at a command to Redis until another gateway has delivered the push; returns how often the terminal got it. */
  async function haltedAt(script: Script) {
    const other = await newGateway('other', redis.url);
    const sent = push({ to: WATCH });
    try {
      other.start();
      await other.ready();
      await interrupted(sent, {
        matches: runs(script),
        moment: 'held',
        async act() {
          gateway.signal('SIGSTOP');
          await settled(sent, new CrashAdmin(other.ports.admin)).finally(() => gateway.signal('SIGCONT'));
        },
      });
      // What comes after this one in the same lane comes after whatever the first gateway still does.
      const next = push({ to: WATCH });
      expect(await submit(next)).toBe(1001);
      await settled(next);
    } finally {
      await other.stop();
    }
    return seen(sent);
  }

  it(
    'does not send what another one has delivered meanwhile',
    async () => {
      expect(await haltedAt(beginDelivery)).toEqual({ asNew: 1, again: 0 });
    },
    LIMIT_MS,
  );

  it(
    'does not disturb the record of another one when it had sent the content itself',
    async () => {
      expect(await haltedAt(settleDelivery)).toEqual({ asNew: 1, again: 1 });
    },
    LIMIT_MS,
  );
});
