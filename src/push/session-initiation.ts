/**
 * Session initiation: the SIR that asks a terminal to open a push session for everything its lane holds. The steps are those of the
 * units of the requirement (SIR-147): does the user have several terminals (13)? then obtain the device identity (10) and add
 * it, with the public user identity (11, 15); a bearer encapsulates (14) and sends (12). What is sent is kept first, so that whoever
 * cites the SIR is known also after a crash.
 */
import type { Clock, RandomBytes } from '../kernel/clock.js';
import { SECOND_MS } from '../kernel/units.js';
import type { LaneEntry, WakeRecord } from '../lane/lane.js';
import type { WakeOutcome, WakeRequest, Waker } from '../lane/ports.js';
import type { TerminalId } from '../registry/terminal-id.js';
import type { User } from '../registry/user.js';
import type { Way } from './bearer-choice.js';
import { sendToAll } from './broadcast.js';
import type { BearerOutcome } from './ports.js';
import { type Reach, type ReachPorts, reachFor } from './reach.js';
import type { Refusal } from './refusal.js';
import type { Sir, SirStore } from './sir.js';
import { askedOf, offeredTo, planSir, type SirPlan } from './sir-plan.js';
import { DEFAULT_APPLICATION_ID } from './target-resolution.js';

export interface SessionInitiationPorts extends ReachPorts {
  readonly sirs: SirStore;
  /** Has the user several terminals, by the operator's way of counting (SIR-44, SIR-45)? */
  readonly isMulti: (user: User) => Promise<boolean>;
  /** Which of these terminals still wait for the push; the first of them speaks for all when a SIR goes to all. */
  readonly waiting: (entry: LaneEntry, terminals: readonly TerminalId[]) => Promise<readonly TerminalId[]>;
  /** The terminal refused for good: what its lane holds for this application is given up (SIR-136). */
  readonly refused: (terminal: TerminalId, refusal: Refusal) => Promise<void>;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Told of every attempt, with the time that the bearer took. */
  readonly observe: (terminal: TerminalId, record: WakeRecord, latencyMs: number) => void;
}

export interface SessionInitiationOptions {
  /** Put the device identity into the SIR even when the user has one terminal only. */
  readonly alwaysIncludeIdentity: boolean;
  /** How long a SIR asks for a session. */
  readonly sirLifeMs: number;
  /** How long a bearer may take to say what became of a SIR before the next way is tried. */
  readonly answerMs: number;
}

export class SessionInitiation implements Waker {
  readonly #ports: SessionInitiationPorts;
  readonly #options: SessionInitiationOptions;

  constructor(ports: SessionInitiationPorts, options: SessionInitiationOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  async wake(terminalId: TerminalId, request: WakeRequest): Promise<WakeOutcome> {
    const reach = await reachFor(terminalId, request, this.#ports);
    const methods = reach?.ways.length ?? 0;
    const way = reach?.ways[request.method % Math.max(methods, 1)];
    if (!reach || !way) {
      const detail = reach ? 'the terminal has no activation method' : 'the terminal is gone';
      return { methods: 0, record: notSent('none', 'failed', detail, request.now) };
    }
    if (reach.quietUntil !== undefined) {
      const detail = `quiet hours until ${new Date(reach.quietUntil).toISOString()}`;
      const record = notSent(way.bearer, 'deferred', detail, request.now);
      this.#ports.observe(terminalId, record, 0);
      return { methods, record, retryAt: reach.quietUntil };
    }
    const startedAt = this.#ports.clock.now();
    const { record, ...sent } = await this.#reachOut(reach, way, request);
    this.#ports.observe(terminalId, record, this.#ports.clock.now() - startedAt);
    return { methods, record, ...sent };
  }

  async #reachOut(reach: Reach, way: Way, request: WakeRequest): Promise<Omit<WakeOutcome, 'methods'>> {
    const { terminal } = reach;
    const { sirs, bearers } = this.#ports;
    const bearer = bearers.get(way.bearer);
    if (!bearer) {
      return {
        record: notSent(way.bearer, 'failed', `the gateway has no ${way.bearer} bearer`, request.now),
      };
    }
    const plan = await planFor(reach, way, this.#ports, this.#options);
    const { mode, reasons } = plan;
    const speaker = await this.#speaker(reach, plan, request);
    if (speaker !== undefined) {
      const detail = `covered by the SIR for ${speaker}, which goes to every terminal of the user`;
      return { record: { ...notSent(way.bearer, 'handed', detail, request.now), mode, reasons } };
    }
    const sir = this.#build(reach, plan, request.now);
    await sirs.keep(recordOf(sir, reach, way.bearer));
    const { kind, detail, address, elsewhere, retryAt, receipt } = await this.#inTime(
      plan.audience === 'user'
        ? sendToAll(reach, way, sir, request, this.#ports)
        : bearer.wake(terminal, sir, way.address),
      (outcome) => this.#takeRefusals(reach, request, sir, outcome),
    );
    const record: WakeRecord = {
      sirId: sir.id,
      at: request.now,
      bearer: way.bearer,
      outcome: kind,
      detail,
      ...(address === undefined ? {} : { address }),
      mode,
      reasons,
      ...(receipt === undefined ? {} : { receipt }),
    };
    return {
      record,
      ...(elsewhere === undefined ? {} : { elsewhere }),
      ...(retryAt === undefined ? {} : { retryAt }),
    };
  }

  /**
   * The outcome, or a failure when none comes in time: the next way is tried meanwhile. A refusal counts whenever it comes; the user
   * may have been asked.
   */
  async #inTime(
    sending: Promise<BearerOutcome>,
    take: (outcome: BearerOutcome) => Promise<void>,
  ): Promise<BearerOutcome> {
    const { answerMs } = this.#options;
    const taken = sending.then(async (outcome) => {
      await take(outcome);
      return outcome;
    });
    return new Promise((resolve, reject) => {
      const timer = this.#ports.clock.after(answerMs, () =>
        resolve({ kind: 'failed', detail: `no answer within ${answerMs / SECOND_MS} s` }),
      );
      taken.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  async #takeRefusals(
    { terminal }: Reach,
    { entries }: WakeRequest,
    { applicationId }: Sir,
    { kind, detail, refusals = [] }: BearerOutcome,
  ): Promise<void> {
    const own = kind === 'refused' && refusals.length === 0 ? [{ terminal: terminal.id, detail }] : [];
    for (const refusal of [...own, ...refusals]) {
      await this.#ports.refused(refusal.terminal, { entries, applicationId, detail: refusal.detail });
    }
  }

  /**
   * A SIR to all terminals that names none of them is sent once, for the first of those that wait; the name of that one, when it is
   * another terminal than this.
   */
  async #speaker(
    { terminal, user }: Reach,
    { audience, device }: SirPlan,
    { entries }: WakeRequest,
  ): Promise<string | undefined> {
    const [first] = entries;
    if (audience !== 'user' || device !== undefined || !first) return undefined;
    const waiting = await this.#ports.waiting(
      first,
      user.terminals.map(({ id }) => id),
    );
    const speaker = user.terminals.find(({ id }) => waiting.includes(id));
    return speaker === undefined || speaker.id === terminal.id ? undefined : speaker.name;
  }

  #build({ terminal, user, push, targeting }: Reach, plan: SirPlan, now: number): Sir {
    const random = Buffer.from(this.#ports.randomBytes(9)).toString('base64url');
    const key = plan.audience === 'terminal' ? (terminal.sirKey ?? user.sirKey) : user.sirKey;
    return {
      id: `${terminal.id}.${random}`,
      user: user.id,
      mode: plan.mode,
      audience: plan.audience,
      ...(plan.device === undefined ? {} : { device: plan.device }),
      identityIn: plan.identityIn,
      applicationId: push?.applicationId ?? DEFAULT_APPLICATION_ID,
      ...askedOf(targeting.settings),
      ...(push === undefined ? {} : { describes: descriptionOf(push) }),
      createdAt: now,
      expiresAt: now + this.#options.sirLifeMs,
      ...(key === undefined ? {} : { signingKey: key }),
      ...offeredTo(terminal),
    };
  }
}

/** How a SIR would find the terminal by this way, as things are now. */
export async function planFor(
  { terminal, user, push, targeting }: Reach,
  { bearer, address }: Way,
  { bearers, isMulti }: Pick<SessionInitiationPorts, 'bearers' | 'isMulti'>,
  { alwaysIncludeIdentity }: Pick<SessionInitiationOptions, 'alwaysIncludeIdentity'>,
): Promise<SirPlan> {
  const [hasSeveral, presence] = await Promise.all([
    isMulti(user),
    bearers.get(bearer)?.presence?.(terminal, address) ?? ('alone' as const),
  ]);
  return planSir({
    terminal,
    bearer,
    presence,
    isMulti: hasSeveral,
    isNamed: push?.named.has(terminal.id) === true,
    alwaysIncludeIdentity,
    targeting,
  });
}

function notSent(bearer: string, outcome: WakeRecord['outcome'], detail: string, at: number): WakeRecord {
  return { sirId: '', at, bearer, outcome, detail };
}

function descriptionOf({
  contentType,
  size,
  priority,
}: NonNullable<Reach['push']>): NonNullable<Sir['describes']> {
  return { contentType, size, priority };
}

function recordOf(sir: Sir, { terminal, user }: Reach, bearer: string) {
  const { id, mode, applicationId, return: back, send, createdAt, expiresAt } = sir;
  const mayOpen =
    sir.device === undefined && sir.audience === 'user' ? user.terminals.map((one) => one.id) : [terminal.id];
  return {
    id,
    user: user.id,
    mode,
    bearer,
    terminal: terminal.id,
    mayOpen,
    applicationId,
    return: back,
    send,
    createdAt,
    expiresAt,
  };
}
