/** Parts of pushes and SIRs in Redis: one hash for each message of several parts, one string for each name that a network has given to a part. */
import {
  type CarriedMessage,
  type CarriedPart,
  PART_STATES,
  type PartName,
  type PartReceipt,
  type PartState,
  type PartsLedger,
  type PartsRecord,
} from '../push/parts.js';
import * as keys from './keys.js';
import { findPart, notePart, openParts, raisePart } from './lua/carried-parts.js';
import type { RedisClient } from './redis-connection.js';

export interface RedisPartsLedgerOptions {
  readonly now: () => number;
  /** How long everything is known after it is of no more use: receipts come late. */
  readonly keptMs: number;
}

/** References of 16 bits come round long after the message that had one is gone. */
const REFERENCES = 0x1_0000;
const REFERENCE_LIFE_MS = 7 * 86_400_000;

export class RedisPartsLedger implements PartsLedger {
  readonly #redis: RedisClient;
  readonly #options: RedisPartsLedgerOptions;

  constructor(redis: RedisClient, options: RedisPartsLedgerOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  async open(
    message: CarriedMessage,
    { address, until }: { readonly address: string; readonly until: number },
  ): Promise<PartsRecord> {
    const key = keys.partsKey(message.id, message.terminal);
    const known = await this.#redis.hgetall(key);
    const fields =
      known['reference'] === undefined
        ? pairs(
            await openParts.run(
              this.#redis,
              [key],
              [await this.#reference(address), message.total, this.#life(until)],
            ),
          )
        : known;
    const { sender } = fields;
    return {
      reference: Number(fields['reference'] ?? 0),
      ...(sender === undefined ? {} : { sender }),
      parts: Array.from({ length: message.total }, (_, index) => stateOf(fields[`p${index + 1}`])),
    };
  }

  async raise(
    part: CarriedPart,
    state: PartState,
    { until, sender = '' }: { readonly until: number; readonly sender?: string },
  ): Promise<readonly PartState[]> {
    const { id, terminal, number, total } = part;
    const rank = PART_STATES.indexOf(state);
    const ranks = await raisePart.run(
      this.#redis,
      [keys.partsKey(id, terminal)],
      [number, rank, total, this.#life(until), sender],
    );
    return (ranks as readonly number[]).map((one) => PART_STATES[one] ?? 'open');
  }

  async note(
    part: CarriedPart,
    name: PartName,
    aliases: readonly PartName[],
    until: number,
  ): Promise<PartReceipt | undefined> {
    const { id, terminal, bearer, number, total, what } = part;
    const early = await notePart.run(
      this.#redis,
      [keys.partNameKey(name), ...aliases.map(keys.earlyReceiptKey)],
      [JSON.stringify([id, terminal, bearer, number, total, what]), this.#life(until)],
    );
    return typeof early === 'string' ? (JSON.parse(early) as PartReceipt) : undefined;
  }

  async find(names: readonly PartName[]): Promise<CarriedPart | undefined> {
    const [first] = names;
    return first && this.#find(names, first, '', 0);
  }

  async findOrKeep(
    names: readonly PartName[],
    {
      name,
      receipt,
      until,
    }: { readonly name: PartName; readonly receipt: PartReceipt; readonly until: number },
  ): Promise<CarriedPart | undefined> {
    return this.#find(
      names,
      name,
      JSON.stringify(receipt),
      Math.max(1, Math.ceil(until - this.#options.now())),
    );
  }

  async #find(
    names: readonly PartName[],
    early: PartName,
    receipt: string,
    lifeMs: number,
  ): Promise<CarriedPart | undefined> {
    const found = await findPart.run(
      this.#redis,
      [keys.earlyReceiptKey(early), ...names.map(keys.partNameKey)],
      [receipt, lifeMs],
    );
    if (typeof found !== 'string') return undefined;
    const [id, terminal, bearer, number, total, what] = JSON.parse(found) as [
      CarriedPart['id'],
      CarriedPart['terminal'],
      CarriedPart['bearer'],
      number,
      number,
      CarriedPart['what'],
    ];
    return { what, id, terminal, bearer, number, total };
  }

  async #reference(address: string): Promise<number> {
    const key = keys.partReferenceKey(address);
    const [drawn] = await Promise.all([this.#redis.incr(key), this.#redis.pexpire(key, REFERENCE_LIFE_MS)]);
    return drawn % REFERENCES;
  }

  #life(until: number): number {
    const { now, keptMs } = this.#options;
    return Math.ceil(Math.max(0, until - now()) + keptMs);
  }
}

function stateOf(rank: string | undefined): PartState {
  return PART_STATES[Number(rank ?? 0)] ?? 'open';
}

function pairs(reply: unknown): Record<string, string> {
  const flat = reply as readonly string[];
  const found: Record<string, string> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) found[flat[index] ?? ''] = flat[index + 1] ?? '';
  return found;
}
