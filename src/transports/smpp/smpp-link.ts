/**
 * One link to an SMSC, kept up: connects, binds, connects again when it breaks; sends what it is given within its window and rate, and stops
 * for a while when the SMSC says that it is too much (ESME_RTHROTTLED, ESME_RMSGQFUL). It never makes a sender wait for long: what cannot go
 * out soon is given back at once with a moment when it can, so that a slow or dead link holds nobody up who could take another one.
 */
import type { Timer } from '../../kernel/clock.js';
import { DeliveryError, describeError, RefusedError } from '../../kernel/errors.js';
import { MINUTE_MS, SECOND_MS } from '../../kernel/units.js';
import { type Pdu, refusalOf, STATUS, statusText } from '../../protocols/smpp/index.js';
import { Breaker } from './breaker.js';
import type {
  LinkMode,
  LinkOrder,
  LinkState,
  LinkView,
  SmppLinkOptions,
  SmppLinkPorts,
  Submission,
  Submitted,
} from './link-options.js';
import { openSocket } from './open-socket.js';
import { Pace } from './pace.js';
import { SmppConnection } from './smpp-connection.js';

interface Waiting extends Submission {
  readonly since: number;
  readonly resolve: (submitted: Submitted) => void;
}

const BREAKER = { failures: 5, pauseMs: 10 * SECOND_MS, maxPauseMs: 5 * MINUTE_MS } as const;
/** Bound for so long, a link has come back for good: the next loss is a first one. */
const STEADY_MS = 30 * SECOND_MS;
/** What one that is turned away is told to leave the others, when the link has no rate. */
const SPREAD_MS = 10;
/** What comes to a link that is not to run asks again so much later: soon after it runs again, and seldom until then. */
const HELD_MS = 5 * SECOND_MS;
/** At the end: for what is under way to be answered, and for unbind. */
const GOODBYE_MS = 2 * SECOND_MS;
const INTERFACE_VERSION = 0x34;

export class SmppLink implements AsyncDisposable {
  readonly #options: SmppLinkOptions;
  readonly #ports: SmppLinkPorts;
  readonly #pace: Pace;
  readonly #breaker: Breaker;
  #queue: Waiting[] = [];
  #underWay = 0;
  #connection: SmppConnection | undefined;
  #isBound = false;
  #state: LinkState = 'closed';
  #since: number;
  #order: LinkOrder | undefined;
  #reason: string | undefined;
  #attempts = 0;
  #throttles = 0;
  #throttledUntil = 0;
  /** The last moment that somebody who was turned away was given. */
  #promisedUntil = 0;
  #retry: Timer | undefined;
  /** When the next attempt to connect is due (ms epoch). */
  #retryAt = 0;
  #wakeUp: Timer | undefined;
  #idle: (() => void) | undefined;
  #isEnding = false;

  constructor(options: SmppLinkOptions, ports: SmppLinkPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#pace = new Pace(options.segmentsPerSecond, ports.clock);
    this.#breaker = new Breaker(BREAKER, ports.clock);
    this.#since = ports.clock.now();
  }

  get name(): string {
    return this.#options.name;
  }

  /** Begins to connect; from now on it is kept up. */
  start(): void {
    void this.#connect();
  }

  /** Would a message go out soon? */
  get isUsable(): boolean {
    return this.#obstacle() === undefined;
  }

  /** Never rejects. */
  submit(submission: Submission): Promise<Submitted> {
    const obstacle = this.#obstacle();
    if (obstacle !== undefined) return Promise.resolve(this.#turnedAway(obstacle));
    return new Promise((resolve) => {
      this.#queue.push({ ...submission, since: this.#ports.clock.now(), resolve });
      this.#pump();
    });
  }

  /** What an operator wants of it; undefined: that it runs. Safe to repeat. */
  obey(order: LinkOrder | undefined): void {
    const before = this.#mode;
    this.#order = order;
    if (this.#mode === before) return;
    const reason = order?.reason ?? (order === undefined ? 'released' : 'no reason given');
    this.#ports.observe({ kind: 'mode', link: this.name, mode: this.#mode, reason });
    if (this.#mode === 'paused') this.#giveBack(() => true, 'the link is paused');
    this.#pump();
  }

  get #mode(): LinkMode {
    return this.#order?.mode ?? 'running';
  }

  view(): LinkView {
    const { name, host, port, bind, window, segmentsPerSecond } = this.#options;
    const now = this.#ports.clock.now();
    const [first] = this.#queue;
    return {
      name,
      host,
      port,
      bind,
      state: this.#state,
      since: this.#since,
      mode: this.#mode,
      ...holdOf(this.#order),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      window,
      underWay: this.#underWay,
      queued: this.#queue.length,
      queueAgeMs: first === undefined ? 0 : Math.max(0, now - first.since),
      breaker: this.#breaker.state,
      ...(this.#throttledUntil > now ? { throttledUntil: this.#throttledUntil } : {}),
      ...(segmentsPerSecond === undefined ? {} : { segmentsPerSecond }),
    };
  }

  /** Takes nothing more, waits a moment for answers, says goodbye and closes. Safe to repeat. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#retry?.cancel();
    this.#wakeUp?.cancel();
    this.#giveBack(() => true, 'the gateway is stopping');
    const connection = this.#connection;
    if (connection && this.#isBound) {
      await this.#within(GOODBYE_MS, this.#answered());
      await this.#within(
        GOODBYE_MS,
        connection.request('unbind', {}).catch(() => undefined),
      );
    }
    connection?.close('the gateway is stopping');
    this.#became('closed', 'the gateway is stopping');
  }

  async #connect(): Promise<void> {
    this.#became('connecting', this.#reason ?? 'starting');
    try {
      const socket = await openSocket(this.#options, this.#ports.clock);
      if (this.#isEnding) return void socket.destroy();
      const { delivered, clock } = this.#ports;
      const connection: SmppConnection = new SmppConnection(
        socket,
        {
          delivered: (message) => delivered(message, this.name),
          closed: (reason) => this.#lost(connection, reason),
        },
        { ...this.#options, clock },
      );
      this.#connection = connection;
      await this.#bind(connection);
    } catch (error) {
      this.#failed(describeError(error));
    }
  }

  async #bind(connection: SmppConnection): Promise<void> {
    const { bind, systemId, password, systemType, addressRange } = this.#options;
    const request = {
      systemId,
      password,
      systemType,
      interfaceVersion: INTERFACE_VERSION,
      addressTon: 0,
      addressNpi: 0,
      addressRange,
    };
    // An SMSC that answers everything but the bind would keep the connection of every attempt open.
    const response = await connection.request(`bind_${bind}`, request).catch((error: unknown) => {
      connection.close(`no bind: ${describeError(error)}`);
    });
    if (!response) return;
    if (response.status !== STATUS.ok || response.command !== `bind_${bind}_resp`) {
      connection.close(`the SMSC refused the bind: ${statusText(response.status)}`);
      return;
    }
    this.#isBound = true;
    this.#reason = undefined;
    this.#became('bound', `as ${bind}`);
    this.#pump();
  }

  #lost(connection: SmppConnection, reason: string): void {
    if (this.#connection !== connection) return;
    const { clock } = this.#ports;
    if (this.#isBound && clock.now() - this.#since >= STEADY_MS) this.#attempts = 0;
    this.#connection = undefined;
    this.#isBound = false;
    this.#failed(reason);
  }

  /** Not connected: what waits goes elsewhere, and the next attempt is set. */
  #failed(reason: string): void {
    if (this.#isEnding || this.#state === 'waiting') return;
    this.#reason = reason;
    this.#became('waiting', reason);
    const { reconnectMs } = this.#options;
    const delayMs = reconnectMs[Math.min(this.#attempts, reconnectMs.length - 1)] ?? SECOND_MS;
    this.#attempts += 1;
    this.#retryAt = this.#ports.clock.now() + delayMs;
    this.#giveBack(() => true, reason);
    this.#retry = this.#ports.clock.after(delayMs, () => void this.#connect());
  }

  /** Why a message would not go out soon. */
  #obstacle(): string | undefined {
    const { bind, maxQueued, maxWaitMs } = this.#options;
    if (bind === 'receiver') return 'the link only receives';
    if (this.#isEnding) return 'the gateway is stopping';
    if (this.#mode !== 'running') return `the link is ${this.#mode}`;
    if (!this.#isBound) return `not bound: ${this.#reason ?? 'connecting'}`;
    if (this.#breaker.state === 'open') return 'too many failures in a row';
    if (!this.#breaker.admits()) return 'being tried after failures';
    if (this.#throttledUntil - this.#ports.clock.now() > maxWaitMs) return 'the SMSC asked for a pause';
    if (this.#queue.length >= maxQueued) return 'too much waits for the link';
    if (this.#pace.delayMs + this.#pace.timeFor(this.#queue.length) > maxWaitMs)
      return 'too much for its rate';
    return undefined;
  }

  /** Whoever is turned away is given a moment of its own, so that they do not all come back at once. */
  #turnedAway(detail: string): Submitted {
    const now = this.#ports.clock.now();
    const wait = Math.max(
      this.#throttledUntil,
      this.#breaker.openUntil ?? 0,
      now + this.#pace.delayMs,
      this.#mode === 'running' ? 0 : now + HELD_MS,
      this.#isBound ? 0 : Math.max(now + SECOND_MS, this.#retryAt),
    );
    const behindQueue = wait + this.#pace.timeFor(this.#queue.length);
    const spread = this.#pace.timeFor(1) || SPREAD_MS;
    this.#promisedUntil = Math.ceil(Math.max(behindQueue, this.#promisedUntil) + spread);
    return { kind: 'notSent', detail: `${this.name}: ${detail}`, retryAt: this.#promisedUntil };
  }

  #giveBack(which: (waiting: Waiting) => boolean, detail: string): void {
    const back = this.#queue.filter(which);
    if (back.length === 0) return;
    this.#queue = this.#queue.filter((waiting) => !back.includes(waiting));
    for (const { resolve } of back) resolve(this.#turnedAway(detail));
  }

  #pump(): void {
    this.#wakeUp?.cancel();
    this.#wakeUp = undefined;
    for (let [next] = this.#queue; next; [next] = this.#queue) {
      if (!this.#isBound || !this.#connection || this.#mode === 'paused') return;
      const delayMs = Math.max(this.#throttledUntil - this.#ports.clock.now(), this.#pace.delayMs);
      if (delayMs > 0) {
        this.#wakeUp = this.#ports.clock.after(delayMs, () => this.#pump());
        return;
      }
      if (this.#underWay >= this.#options.window || !this.#breaker.admits()) return;
      this.#queue.shift();
      void this.#send(next, this.#connection);
    }
  }

  async #send(waiting: Waiting, connection: SmppConnection): Promise<void> {
    const { clock, observe } = this.#ports;
    const sentAt = clock.now();
    this.#pace.take();
    this.#breaker.sent();
    this.#underWay += 1;
    const submitted = await connection.request('submit_sm', waiting.message, waiting.parameters).then(
      (response) => this.#answeredWith(response, waiting),
      (error: unknown) => this.#unanswered(error),
    );
    this.#underWay -= 1;
    if (submitted) {
      observe({
        kind: 'submitted',
        link: this.name,
        result: submitted.kind,
        latencyMs: clock.now() - sentAt,
      });
      waiting.resolve(submitted);
    }
    if (this.#underWay === 0) this.#idle?.();
    this.#pump();
  }

  /** Undefined when it waits for another turn. */
  #answeredWith(response: Pdu, waiting: Waiting): Submitted | undefined {
    const { status, command } = response;
    if (status === STATUS.ok && command === 'submit_sm_resp') {
      this.#breaker.succeeded();
      this.#throttles = 0;
      return { kind: 'accepted', messageId: response.body.messageId };
    }
    const detail = `${this.name} answered ${statusText(status)}`;
    const meaning = refusalOf(status);
    if (meaning === 'later') return this.#throttled(status, waiting);
    if (meaning === 'link') this.#failure(detail);
    else this.#breaker.succeeded();
    return { kind: 'refused', meaning, detail };
  }

  /** Several that were under way together are told together: that is one reason to stop, not many. */
  #throttled(status: number, waiting: Waiting): Submitted | undefined {
    const { clock, observe } = this.#ports;
    const { throttleMs, maxWaitMs } = this.#options;
    const now = clock.now();
    this.#breaker.succeeded();
    if (this.#throttledUntil <= now) {
      const forMs = throttleMs[Math.min(this.#throttles, throttleMs.length - 1)] ?? SECOND_MS;
      this.#throttles += 1;
      this.#throttledUntil = now + forMs;
      observe({ kind: 'throttled', link: this.name, status: statusText(status), forMs });
      this.#giveBack(({ since }) => since + maxWaitMs < this.#throttledUntil, statusText(status));
    }
    const mayWait =
      waiting.since + maxWaitMs >= this.#throttledUntil && this.#mode !== 'paused' && this.#isBound;
    if (!mayWait || this.#isEnding) return this.#turnedAway(statusText(status));
    this.#queue.unshift(waiting);
    return undefined;
  }

  #unanswered(error: unknown): Submitted {
    if (error instanceof RefusedError) return { kind: 'refused', meaning: 'message', detail: error.detail };
    const detail = describeError(error);
    if (error instanceof DeliveryError && error.code === 'timeout') this.#failure(detail);
    return { kind: 'unknown', detail: `${this.name}: ${detail}` };
  }

  #failure(reason: string): void {
    if (!this.#breaker.failed()) return;
    const until = this.#breaker.openUntil ?? 0;
    this.#reason = reason;
    this.#ports.observe({ kind: 'broken', link: this.name, reason, until });
    this.#giveBack(() => true, 'too many failures in a row');
  }

  #became(state: LinkState, reason: string): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#since = this.#ports.clock.now();
    this.#ports.observe({ kind: 'state', link: this.name, state, reason });
  }

  /** Resolves when nothing is under way. */
  #answered(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  async #within(ms: number, task: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#ports.clock.after(ms, resolve);
      void task.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

function holdOf(order: LinkOrder | undefined): Pick<LinkView, 'hold'> {
  if (order === undefined) return {};
  const { mode: _, ...hold } = order;
  return { hold };
}
