/**
 * Delivery: hands one push to one terminal, in its session or by a bearer that carries content itself, and settles what became
 * of it. Where a network will say later what did, the delivery waits for that (`receipt.ts`). The content goes out under the
 * push's uid, the same for every attempt, so that a terminal which has it already can tell (MSRP Message-ID, RFC 4975 §7.1.1).
 */
import type { Clock } from '../kernel/clock.js';
import { describeError, RefusedError } from '../kernel/errors.js';
import type {
  ConnectionBearer,
  ConnectionItem,
  ConnectionOutcome,
  Delivery,
  LaneCargo,
  TerminalConnection,
} from '../lane/ports.js';
import { PAP_CODE } from '../protocols/pap/index.js';
import type { TerminalId } from '../registry/user.js';
import { binaryTypeOf, type ContentValidator, convertForTerminal } from './content-conversion.js';
import type { DeliveryState } from './journey.js';
import type { Alarms, PushStore, Settlement } from './ports.js';
import { FIRST_HAS_IT, type PushUid } from './push-message.js';
import { confirmationFor } from './quality-of-service.js';

export interface DeliveryPorts {
  readonly store: PushStore;
  readonly clock: Clock;
  /** Knows the document types that are compiled for terminals which read only their binary form. */
  readonly contentValidator: ContentValidator;
  readonly alarms: Pick<Alarms, 'resultDue'>;
  readonly observe: (fact: DeliveryFact) => void;
}

/** What telemetry is told. */
export type DeliveryFact =
  | {
      readonly kind: 'attempted';
      readonly uid: PushUid;
      readonly terminal: TerminalId;
      readonly bearer: ConnectionBearer;
      readonly outcome: ConnectionOutcome;
      /** Of the content as it went out. */
      readonly bytes: number;
      readonly latencyMs: number;
    }
  | {
      readonly kind: 'settled';
      readonly uid: PushUid;
      readonly terminal: TerminalId;
      readonly state: DeliveryState;
      readonly reason?: string;
      readonly ageMs?: number;
    }
  | {
      readonly kind: 'failed';
      readonly uid: PushUid;
      readonly terminal: TerminalId;
      readonly error: unknown;
    };

/** What the initiator is told when a terminal refuses content (PAP §9.14: 2005/2006 for what it cannot take, 5xxx for an abort). */
const REFUSALS = {
  mediaType: { event: 'fail', code: 2006 },
  size: { event: 'fail', code: 2006 },
  declined: { event: 'abort', code: 5000 },
} as const;

/** The octets are gone from where they were kept: an internal server error to the initiator. */
const CONTENT_LOST = { event: 'fail', code: 3000, reason: 'the content is lost' } as const;
const EXPIRED = { event: 'expire', reason: 'the deadline passed' } as const;

/** What a delivery came to. */
interface Ending extends Pick<Settlement, 'event' | 'code' | 'reason' | 'isUnconfirmed'> {
  readonly ageMs?: number;
}

/** A network has the content, and a receipt is to come. */
const AWAITED = 'awaited';

/** Endings that could not be recorded, at most: what is beyond is delivered a second time. */
const MAX_UNRECORDED = 10_000;

export class PushDelivery implements LaneCargo {
  readonly #ports: DeliveryPorts;
  /** What terminals answered while the store was away, by push and terminal: recorded next time instead of sending again. */
  readonly #unrecorded = new Map<string, Ending | typeof AWAITED>();

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
  }

  async deliver(
    terminal: TerminalId,
    id: string,
    connection: TerminalConnection,
    token: number,
  ): Promise<Delivery> {
    const uid = id as PushUid;
    try {
      const unrecorded = this.#unrecorded.get(keyOf(uid, terminal));
      if (unrecorded === AWAITED) return await this.#await(uid, terminal);
      if (unrecorded) return await this.#end(uid, terminal, unrecorded);
      return await this.#attempt(uid, terminal, connection, token);
    } catch (error) {
      this.#ports.observe({ kind: 'failed', uid, terminal, error });
      return { kind: 'stop', reason: describeError(error) };
    }
  }

  async #attempt(
    uid: PushUid,
    terminal: TerminalId,
    connection: TerminalConnection,
    token: number,
  ): Promise<Delivery> {
    const { store, clock, observe } = this.#ports;
    const begun = await store.begin(uid, terminal, { token, bearer: connection.bearer, at: clock.now() });
    switch (begun.kind) {
      case 'missing': // a left-over: the push has been settled and forgotten
      case 'settled':
        return { kind: 'leftOver' };
      case 'handed': // a crash came before its entry was set aside
        return this.#await(uid, terminal);
      case 'fenced':
        return { kind: 'stop', reason: 'a newer lease is at work' };
      case 'onHold':
        return { kind: 'onHold' };
      case 'begun':
    }
    const { push, failedBearers } = begun;
    if (failedBearers.includes(connection.bearer))
      return { kind: 'unfit', reason: `given up by ${connection.bearer} before` };
    if (push.expiresAt <= clock.now()) return this.#end(uid, terminal, EXPIRED);
    const content = await begun.content();
    if (!content) return this.#end(uid, terminal, CONTENT_LOST);

    const { contentType, headers } = push.content;
    const { expiresAt } = push;
    const confirmation = confirmationFor(push.quality);
    let item: ConnectionItem = { id: uid, contentType, headers, content, expiresAt, confirmation };
    try {
      item = this.#readable(item, connection);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return this.#end(uid, terminal, { event: 'fail', code: PAP_CODE[error.code], reason: error.detail });
    }
    const sentAt = clock.now();
    const outcome = await connection.deliver(item);
    const { bearer } = connection;
    const bytes = item.content instanceof Uint8Array ? item.content.length : item.content.size;
    observe({ kind: 'attempted', uid, terminal, bearer, outcome, bytes, latencyMs: clock.now() - sentAt });
    const delivered = { event: 'deliver', ageMs: clock.now() - push.acceptedAt } as const;
    switch (outcome.kind) {
      case 'confirmed':
        return this.#end(uid, terminal, delivered);
      case 'handed':
        return this.#end(uid, terminal, { ...delivered, isUnconfirmed: true });
      case 'awaited':
        return this.#await(uid, terminal);
      case 'refused': {
        const { event, code } = REFUSALS[outcome.why];
        return this.#end(uid, terminal, { event, code: outcome.code ?? code, reason: outcome.detail });
      }
      case 'unfit':
        return { kind: 'unfit', reason: outcome.detail };
      case 'lost': {
        const { detail: reason, retryAt } = outcome;
        return { kind: 'stop', reason, ...(retryAt === undefined ? {} : { retryAt }) };
      }
    }
  }

  /** The item as the terminal can read it: compiled, when it takes the binary form of a document and not its text. */
  #readable(item: ConnectionItem, connection: TerminalConnection): ConnectionItem {
    const { contentType, headers, content } = item;
    if (connection.accepts === undefined || connection.accepts(contentType)) return item;
    const binaryType = binaryTypeOf((contentType.split(';', 1)[0] ?? '').trim().toLowerCase());
    if (binaryType === undefined || !connection.accepts(binaryType)) return item; // the connection says why it refuses
    if (!(content instanceof Uint8Array)) return item; // no such document is as large
    const options = { wantsBinary: true, validator: this.#ports.contentValidator };
    const converted = convertForTerminal({ contentType, headers, octets: content }, options);
    return {
      ...item,
      contentType: converted.contentType,
      headers: converted.headers,
      content: converted.octets,
    };
  }

  /** Records an ending; kept in mind when the store is away, so that a terminal does not get twice what it has confirmed. */
  async #end(uid: PushUid, terminal: TerminalId, ending: Ending): Promise<Delivery> {
    await this.#recorded(uid, terminal, ending, () => this.#settle(uid, terminal, ending));
    return { kind: 'done' };
  }

  /** Records that a receipt will come. When it came first the delivery is over. */
  async #await(uid: PushUid, terminal: TerminalId): Promise<Delivery> {
    const { store, clock } = this.#ports;
    const handOver = () => store.handOver(uid, terminal, clock.now());
    return { kind: (await this.#recorded(uid, terminal, AWAITED, handOver)) ? 'parked' : 'done' };
  }

  async #recorded<T>(
    uid: PushUid,
    terminal: TerminalId,
    fact: Ending | typeof AWAITED,
    record: () => Promise<T>,
  ): Promise<T> {
    const key = keyOf(uid, terminal);
    try {
      const result = await record();
      this.#unrecorded.delete(key);
      return result;
    } catch (error) {
      if (this.#unrecorded.size < MAX_UNRECORDED) this.#unrecorded.set(key, fact);
      throw error;
    }
  }

  async expire(terminal: TerminalId, id: string): Promise<void> {
    const uid = id as PushUid;
    const unrecorded = this.#unrecorded.get(keyOf(uid, terminal));
    if (unrecorded === AWAITED) await this.#await(uid, terminal); // it has gone out: what expires is the wait for its receipt
    await this.#end(uid, terminal, unrecorded === AWAITED ? EXPIRED : (unrecorded ?? EXPIRED));
  }

  async #settle(uid: PushUid, terminal: TerminalId, ending: Ending): Promise<void> {
    const { ageMs, ...settlement } = ending;
    await settleDelivery(uid, terminal, settlement, this.#ports, ageMs);
  }
}

export type SettlingPorts = Pick<DeliveryPorts, 'store' | 'clock' | 'alarms' | 'observe'>;

/**
 * Ends a delivery, tells telemetry, and sets the alarms of the reports that are owed now. Returns false when the delivery had ended
 * before.
 */
export async function settleDelivery(
  uid: PushUid,
  terminal: TerminalId,
  settlement: Omit<Settlement, 'at' | 'notifyAt'>,
  { store, clock, alarms, observe }: SettlingPorts,
  ageMs?: number,
): Promise<boolean> {
  const now = clock.now();
  const { moved, state, takenBack, owed } = await store.settle(uid, terminal, {
    ...settlement,
    at: now,
    notifyAt: now,
  });
  const { reason } = settlement;
  if (moved && state !== undefined) {
    observe({
      kind: 'settled',
      uid,
      terminal,
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(ageMs === undefined ? {} : { ageMs }),
    });
  }
  for (const other of takenBack) {
    observe({ kind: 'settled', uid, terminal: other, state: 'cancelled', reason: FIRST_HAS_IT });
  }
  await Promise.all(owed.map((recipient) => alarms.resultDue(uid, recipient, now)));
  return moved;
}

const keyOf = (uid: PushUid, terminal: TerminalId): string => `${uid}.${terminal}`;
