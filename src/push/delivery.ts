/**
 * Delivery: hands one push to one terminal, in its session or by a bearer that carries content itself, and settles what became
 * of it. Where a network will say later what did, the delivery waits for that (`receipt.ts`). The content goes out under the
 * push's uid, the same for every attempt, so that a terminal which has it already can tell (MSRP Message-ID, RFC 4975 §7.1.1).
 */
import { describeError, RefusedError } from '../kernel/errors.js';
import type {
  ConnectionBearer,
  ConnectionItem,
  Delivery,
  LaneCargo,
  TerminalConnection,
} from '../lane/ports.js';
import { PAP_CODE } from '../protocols/pap/index.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { TerminalId } from '../registry/terminal-id.js';
import { binaryTypeOf, type ContentValidator, convertForTerminal } from './content-conversion.js';
import { type GivingUpPorts, giveUp } from './giving-up.js';
import type { Settlement } from './ports.js';
import type { PushHead, PushUid } from './push-message.js';
import { confirmationFor } from './quality-of-service.js';
import { settleDelivery } from './settling.js';

export interface DeliveryPorts extends GivingUpPorts {
  /** Knows the document types that are compiled for terminals which read only their binary form. */
  readonly contentValidator: ContentValidator;
}

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

/** What has to be recorded of an attempt. `awaited`: a network has the content, and a receipt is to come. */
type Fact =
  | { readonly kind: 'ended'; readonly ending: Ending }
  | { readonly kind: 'awaited'; readonly bearer: ConnectionBearer }
  | {
      readonly kind: 'givenUp';
      readonly push: PushHead;
      readonly bearer: ConnectionBearer;
      readonly failedBearers: readonly string[];
      readonly detail: string;
    };

/** Facts that could not be recorded, at most: what is beyond is delivered a second time. */
const MAX_UNRECORDED = 10_000;

export class PushDelivery implements LaneCargo {
  readonly #ports: DeliveryPorts;
  /** What terminals answered while the store was away, by push and terminal: recorded next time instead of sending again. */
  readonly #unrecorded = new Map<string, Fact>();

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
      if (unrecorded) return await this.#record(uid, terminal, unrecorded);
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
        return this.#record(uid, terminal, { kind: 'awaited', bearer: connection.bearer });
      case 'fenced':
        return { kind: 'stop', reason: 'a newer lease is at work' };
      case 'onHold':
        return { kind: 'onHold' };
      case 'begun':
    }
    const { push, failedBearers } = begun;
    if (failedBearers.includes(connection.bearer))
      return { kind: 'givenUp', reason: `given up by ${connection.bearer} before` };
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
        return this.#record(uid, terminal, { kind: 'awaited', bearer });
      case 'givenUp': {
        const { kind, detail } = outcome;
        return this.#record(uid, terminal, { kind, push, bearer, failedBearers, detail });
      }
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

  #end(uid: PushUid, terminal: TerminalId, ending: Ending): Promise<Delivery> {
    return this.#record(uid, terminal, { kind: 'ended', ending });
  }

  /** Records what came of an attempt; kept in mind when the store is away, so that a terminal does not get twice what it has confirmed. */
  async #record(uid: PushUid, terminal: TerminalId, fact: Fact): Promise<Delivery> {
    const key = keyOf(uid, terminal);
    try {
      const delivery = await this.#recorded(uid, terminal, fact);
      this.#unrecorded.delete(key);
      return delivery;
    } catch (error) {
      if (this.#unrecorded.size < MAX_UNRECORDED) this.#unrecorded.set(key, fact);
      throw error;
    }
  }

  async #recorded(uid: PushUid, terminal: TerminalId, fact: Fact): Promise<Delivery> {
    switch (fact.kind) {
      case 'ended': {
        const { ageMs, ...settlement } = fact.ending;
        await settleDelivery(uid, terminal, settlement, this.#ports, ageMs);
        return { kind: 'done' };
      }
      case 'awaited': {
        const { store, clock } = this.#ports;
        const { bearer } = fact;
        const handed = await store.handOver(uid, terminal, { bearer, at: clock.now() });
        // The receipt may have come first.
        if (handed === 'givenUp') return { kind: 'givenUp', reason: `${bearer} has reported that it failed` };
        return { kind: handed === 'handed' ? 'parked' : 'done' };
      }
      case 'givenUp': {
        const { push, detail: reason, failedBearers } = fact;
        const bearer = fact.bearer as BearerName; // a session of a terminal gives nothing up
        const after = await giveUp(push, { terminal, bearer, failedBearers, detail: reason }, this.#ports);
        return after === 'ended' ? { kind: 'done' } : { kind: 'givenUp', reason };
      }
    }
  }

  async expire(terminal: TerminalId, id: string): Promise<void> {
    const uid = id as PushUid;
    const unrecorded = this.#unrecorded.get(keyOf(uid, terminal));
    if (unrecorded?.kind === 'awaited') await this.#record(uid, terminal, unrecorded); // what expires is the wait for its receipt
    await this.#end(uid, terminal, unrecorded?.kind === 'ended' ? unrecorded.ending : EXPIRED);
  }
}

const keyOf = (uid: PushUid, terminal: TerminalId): string => `${uid}.${terminal}`;
