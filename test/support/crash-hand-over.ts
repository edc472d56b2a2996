/**
 * A gateway that is killed while it hands pushes over to one terminal, as a suite for any way of doing so: between the terminal's
 * confirmation and its record a push comes once more under the same id, and nothing is lost at any other moment.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pushUid } from '../../src/push/push-message.js';
import { beginDelivery } from '../../src/stores/lua/begin-delivery.js';
import { releaseLane } from '../../src/stores/lua/release-lane.js';
import { settleDelivery } from '../../src/stores/lua/settle-delivery.js';
import type { Script } from '../../src/stores/script.js';
import { CrashAdmin } from './crash-admin.js';
import { chance } from './crash-chance.js';
import { BOUNDARY, postPush } from './crash-initiator.js';
import { CrashGateway, gatewayPorts, SharedRedis } from './crash-process.js';
import { buildGateway } from './gateway-process.js';
import { multipartBody, papText } from './pap.js';
import { freePort } from './ports.js';
import { RedisProxy, runs } from './redis-proxy.js';

/** The terminal's side. */
export interface HandOverTerminal extends AsyncDisposable {
  readonly activation: object;
  /** What the gateway needs for this way, by section of its configuration. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface HandOverOptions {
  readonly seed: number;
  /** Starts the terminal, which tells the id of each push that it confirms. */
  readonly terminal: (taken: (id: string) => void) => Promise<HandOverTerminal>;
}

const USER = 'sip:somebody@crash.test';
const INSTANCE = 'urn:uuid:00000000-0000-4000-8000-000000000009';
const INITIATOR = { id: 'pi', password: 'secret' };
const LIMIT_MS = 300_000;
/** Other test files share the machine. */
const PATIENCE_MS = 120_000;
/** Deliveries of one terminal that a run works on at once: sent, or confirmed and not recorded yet. */
const UNDER_WAY = 8;

export function describeHandOverCrashes(what: string, options: HandOverOptions): void {
  describe(what, () => {
    let home: string;
    let redis: SharedRedis;
    let proxy: RedisProxy;
    let gateway: CrashGateway;
    let terminal: HandOverTerminal;
    /** Ids in the order of their arrival. */
    let taken: string[] = [];
    let count = 0;

    beforeAll(async () => {
      buildGateway();
      home = mkdtempSync(join(tmpdir(), 'carillon-crash-'));
      redis = new SharedRedis(join(home, 'redis'), await freePort());
      await redis.start();
      proxy = await RedisProxy.start(redis.port);
      terminal = await options.terminal((id) => taken.push(id));
      gateway = new CrashGateway({
        name: 'gateway',
        home,
        dataDir: join(home, 'data'),
        ports: await gatewayPorts(),
        redisUrl: proxy.url,
        config: {
          domain: 'crash.test',
          pushInitiators: [INITIATOR],
          wake: { retrySeconds: [1] },
          lane: { leaseSeconds: 2 },
          ...terminal.config,
        },
      });
      await start();
      await admin().putUser(USER);
      await admin().putTerminal(USER, 'phone', INSTANCE, [terminal.activation]);
      await delivered([await submit()]); // every script has been run once: Redis knows them by their digests
    }, LIMIT_MS);
    beforeEach(() => {
      taken = [];
    });
    afterAll(async () => {
      await gateway?.stop();
      await terminal?.[Symbol.asyncDispose]();
      await proxy?.[Symbol.asyncDispose]();
      await redis?.stop();
      rmSync(home, { recursive: true, force: true });
    }, LIMIT_MS);

    const admin = () => new CrashAdmin(gateway.ports.admin);
    const uidOf = (pushId: string) => pushUid(INITIATOR.id, pushId);

    async function start(): Promise<void> {
      gateway.start();
      await gateway.ready();
    }

    /** Submits until the gateway has taken it; returns its push-id. */
    async function submit(): Promise<string> {
      count += 1;
      const pushId = `${count}@pi`;
      const address = `WAPPUSH=${encodeURIComponent(USER)}/TYPE=USER@ppg.crash.test`;
      const control = `<push-message push-id="${pushId}"><address address-value="${address}"/></push-message>`;
      const parts = [
        { headers: 'Content-Type: application/xml', content: papText(control) },
        { headers: 'Content-Type: application/octet-stream', content: Buffer.alloc(20, count) },
      ];
      const body = multipartBody(parts, BOUNDARY);
      for (;;) {
        const code = await postPush({ port: gateway.ports.http, ...INITIATOR }, body);
        if (code === 1001 || code === 2007) return pushId;
        await pause(50);
      }
    }

    async function delivered(pushIds: readonly string[]): Promise<void> {
      const until = Date.now() + PATIENCE_MS;
      for (const pushId of pushIds) {
        for (;;) {
          const story = await admin().story(INITIATOR.id, pushId);
          if (story?.recipients[0]?.state === 'delivered') break;
          if (Date.now() > until) throw new Error(`not delivered: ${JSON.stringify(story)}`);
          await pause(25);
        }
      }
    }

    it.each<readonly [moment: string, script: Script, times: number]>([
      ['before the attempt is noted', beginDelivery, 1],
      ['between the confirmation and its record', settleDelivery, 2],
      ['after the record', releaseLane, 1],
    ])(
      'killed %s, the push comes as often as it must and no more',
      async (_, script, times) => {
        const killed = proxy.intercept({
          matches: runs(script),
          moment: 'before',
          act: () => gateway.kill(),
        });
        // Whether the initiator was answered before the kill is up to chance; it repeats until it is.
        const [pushId] = await Promise.all([submit(), killed.then(start)]);
        await delivered([pushId]);
        await delivered([await submit()]); // what the lane still does about the first one it has done by now
        expect(taken.filter((id) => id === uidOf(pushId))).toHaveLength(times);
      },
      LIMIT_MS,
    );

    it(
      'killed again and again in the middle of many, it loses none, and repeats no more than was under way each time',
      async () => {
        const random = chance(options.seed);
        const pushIds: string[] = [];
        const kills = 5;
        for (let kill = 0; kill < kills; kill += 1) {
          for (let index = 0; index < 12; index += 1) pushIds.push(await submit());
          await pause(random.between(0, 40));
          await gateway.kill();
          await start();
        }
        await delivered(pushIds);
        const ours = taken.filter((id) => pushIds.some((pushId) => uidOf(pushId) === id));
        expect(new Set(ours)).toEqual(new Set(pushIds.map(uidOf)));
        expect(ours.length - pushIds.length).toBeLessThanOrEqual(kills * UNDER_WAY);
      },
      LIMIT_MS,
    );
  });
}
