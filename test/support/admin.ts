/**
 * An admin endpoint over real HTTP on a free port, with everything behind it in memory. Every answer is held to `openapi.yaml` on
 * the way, so a test that makes a request also tests the description.
 */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect } from 'vitest';
import { adminApplication } from '../../src/endpoints/admin/admin-routes.js';
import type { AdminPorts } from '../../src/endpoints/admin/ports.js';
import type { LaneView } from '../../src/lane/lane.js';
import { cancel } from '../../src/push/cancellation.js';
import { explain } from '../../src/push/explanation.js';
import { settledState } from '../../src/push/journey.js';
import type { Bearer, ListOptions, PushStore, Settled, Settlement } from '../../src/push/ports.js';
import { passesFilter } from '../../src/push/push-filter.js';
import type { DeliveryRecord, PushStory, PushUid } from '../../src/push/push-message.js';
import type { BearerName } from '../../src/registry/bearer-name.js';
import { withConfigured } from '../../src/registry/initiator-configured.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { EventFeed } from '../../src/telemetry/events.js';
import { RecentEvents } from '../../src/telemetry/recent-events.js';
import type { LinkView } from '../../src/transports/smpp/link-options.js';
import { MemoryGroupDirectory } from './memory-groups.js';
import { countingBytes, MemoryInitiatorDirectory } from './memory-initiators.js';
import { MemoryRegistry } from './memory-registry.js';
import { answerErrors, OPENAPI_FILE } from './openapi.js';
import { NO_RULES } from './push-stage.js';

export const TOKEN = 'token-of-the-tests';
export const VIEWER_TOKEN = 'token-of-somebody-who-looks';
/** 2026-03-01T08:00:00.000Z */
export const NOW = 1_772_352_000_000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body read as JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Ask {
  readonly body?: unknown;
  /** Sent as they are; `undefined` leaves one out that would be sent otherwise. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** For requests outside the description. */
  readonly isDescribed?: false;
}

export class AdminRig implements AsyncDisposable {
  readonly registry = new MemoryRegistry({ now: () => NOW });
  readonly groups = new MemoryGroupDirectory();
  readonly stored = new MemoryInitiatorDirectory();
  readonly pushes = new StoryBook();
  readonly lanes = new Map<TerminalId, LaneView>();
  /** What the gateway can reach terminals by. */
  readonly bearers = new Map<BearerName, Bearer>();
  readonly links: LinkView[] = [];
  readonly kicked: TerminalId[] = [];
  readonly abandoned: { readonly terminal: TerminalId; readonly reason: string; readonly known: boolean }[] =
    [];
  readonly log: Record<string, unknown>[] = [];
  readonly events = new EventFeed();
  /** Ends the answers that would never end. */
  readonly stopping = new AbortController();
  /** What abandoning a lane rejects with. */
  abandonFailure: Error | undefined;
  /** What telling a link something rejects with. */
  orderFailure: Error | undefined;
  /** What the readiness check answers. */
  problem: string | undefined;
  readonly #server = createServer(adminApplication(this.#ports()).callback());

  static async start(): Promise<AdminRig> {
    const rig = new AdminRig();
    rig.#server.listen(0, '127.0.0.1');
    await once(rig.#server, 'listening');
    return rig;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #ports(): AdminPorts {
    return {
      token: TOKEN,
      viewerToken: VIEWER_TOKEN,
      realm: 'example.test',
      registry: this.registry,
      groups: this.groups,
      initiators: withConfigured(this.stored, [{ id: 'configured', password: 'x' }], countingBytes()),
      quotas: { usage: async () => ({ pendingPushes: 3, pendingBytes: 4096 }) },
      pushes: this.pushes,
      lanes: { view: async (terminal) => this.lanes.get(terminal) ?? emptyLane(terminal) },
      explain: (user, subject) =>
        explain(
          user,
          subject,
          {
            terminalStates: async (known) => ({ user: known, states: new Map(), sources: [] }),
            targeting: NO_RULES,
            bearers: this.bearers,
            rules: [],
            costs: {},
            isMulti: async ({ terminals }) => terminals.length > 1,
            lanes: { view: async (terminal) => this.lanes.get(terminal) ?? emptyLane(terminal) },
            now: () => NOW,
          },
          { alwaysIncludeIdentity: false },
        ),
      cancel: (uid, reason) =>
        cancel(
          uid,
          { addresses: [], reason },
          {
            store: this.pushes as unknown as PushStore,
            alarms: { resultDue: async () => {} },
            clock: { now: () => NOW, after: () => ({ cancel: () => {} }) },
          },
        ),
      kick: (terminal) => {
        this.kicked.push(terminal);
      },
      abandonLane: async (terminal, reason) => {
        if (this.abandonFailure) throw this.abandonFailure;
        const known = (await this.registry.findTerminal(terminal)) !== undefined;
        this.abandoned.push({ terminal, reason, known });
      },
      holdLane: async (terminal, reason) => {
        const before = this.lanes.get(terminal) ?? emptyLane(terminal);
        const since = before.hold?.since ?? NOW;
        this.lanes.set(terminal, { ...before, state: 'onHold', hold: { reason, since } });
        return before.hold === undefined;
      },
      releaseLane: async (terminal) => {
        const { hold, ...rest } = this.lanes.get(terminal) ?? emptyLane(terminal);
        this.lanes.set(terminal, { ...rest, state: 'waiting' });
        return hold !== undefined;
      },
      links: {
        list: () => this.links,
        order: async (name, mode, reason) => {
          if (this.orderFailure) throw this.orderFailure;
          const index = this.links.findIndex((link) => link.name === name);
          const { hold: _, ...link } = this.links[index] ?? expect.fail(`there is no link ${name}`);
          const hold = { since: NOW, ...(reason === undefined ? {} : { reason }) };
          this.links[index] = { ...link, mode, ...(mode === 'running' ? {} : { hold }) };
        },
      },
      status: async () => ({ version: '0.1.0', node: 'gw-1', startedAt: NOW, counts: { lanes: 2 } }),
      metrics: async () => ({
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
        text: 'carillon_up 1\n',
      }),
      problem: async () => this.problem,
      openapiFile: OPENAPI_FILE,
      random: countingBytes(),
      now: () => NOW,
      audit: (change) => {
        this.events.publish({ type: 'admin.change', ...change });
        this.log.push({ ...change });
      },
      events: new RecentEvents(this.events, { now: () => NOW, process: 'gw-1', size: 5 }),
      stopping: this.stopping.signal,
      log: (event) => {
        this.log.push(Object.fromEntries(Object.entries(event)));
      },
    };
  }

  /** Writes octets onto a connection of its own, ends it there if told to, and reads until the gateway closes it. */
  async raw(octets: string, options: { readonly hangUp?: true } = {}): Promise<string> {
    const { port } = this.#server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    if (options.hangUp) socket.end(octets);
    else socket.write(octets);
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    return text;
  }

  /** Log lines of the audit trail. */
  get audit(): readonly Record<string, unknown>[] {
    return this.log.filter(({ message }) => message === 'admin change');
  }

  async ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const isRaw = typeof ask.body === 'string' || ask.body instanceof Uint8Array;
    const payload = ask.body === undefined || isRaw ? (ask.body as string) : JSON.stringify(ask.body);
    const given = {
      authorization: `Bearer ${TOKEN}`,
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...ask.headers,
    };
    const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const { port } = this.#server.address() as AddressInfo;
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
    outgoing.end(payload);
    const [incoming] = await once(outgoing, 'response');
    let text = '';
    for await (const chunk of incoming.setEncoding('utf8')) text += chunk;
    const contentType = String(incoming.headers['content-type'] ?? '');
    const answer = { status: incoming.statusCode as number, contentType, body: text };
    if (ask.isDescribed !== false) {
      expect(answerErrors({ method, path: path.split('?', 1)[0] ?? '' }, answer)).toEqual([]);
    }
    return {
      status: answer.status,
      headers: incoming.headers,
      text,
      json: /json/.test(contentType) && text !== '' ? JSON.parse(text) : {},
    };
  }
}

/** The part of the push store that the admin side uses. */
export class StoryBook implements Pick<PushStore, 'story' | 'list' | 'settle'> {
  readonly #stories: PushStory[] = [];

  add(...stories: PushStory[]): void {
    this.#stories.push(...stories);
  }

  async story(uid: PushUid): Promise<PushStory | undefined> {
    return this.#stories.find(({ push }) => push.uid === uid);
  }

  async list({ limit, cursor, ...filter }: ListOptions) {
    const matching = this.#stories.filter((story) => passesFilter(story, filter));
    const start = cursor === undefined ? 0 : Number(cursor);
    const stories = matching.slice(start, start + limit);
    return { stories, ...(stories.length === limit ? { cursor: String(start + limit) } : {}) };
  }

  async settle(uid: PushUid, terminal: TerminalId, { event, at, reason }: Settlement): Promise<Settled> {
    const index = this.#stories.findIndex(({ push }) => push.uid === uid);
    const story = this.#stories[index];
    const before = story?.deliveries.find((delivery) => delivery.terminal === terminal);
    const state = before && settledState(event, before.state);
    if (!story || !before || state === undefined) return { moved: false, takenBack: [], owed: [] };
    const after: DeliveryRecord = {
      ...before,
      state,
      at,
      ...(reason === undefined ? {} : { reason }),
    };
    this.#stories[index] = {
      ...story,
      deliveries: story.deliveries.map((delivery) => (delivery === before ? after : delivery)),
    };
    return { moved: true, state, takenBack: [], owed: [] };
  }
}

export function emptyLane(terminal: TerminalId): LaneView {
  return {
    terminal,
    state: 'empty',
    held: 0,
    deferred: 0,
    parked: 0,
    connections: {},
    wake: { epoch: 0, sent: 0, method: 0, notBefore: 0 },
    wakes: [],
  };
}
