/**
 * The SMS bearer (SIR-84, WDP over SMS): SIRs and pushes as connectionless WSP in short messages to port 2948, over links to SMSCs. The first
 * link that leads to the number and takes the message has it; one that is away or busy costs no time. A push in several parts is sent under one
 * reference, however many attempts it takes, and what the network has of it is not sent again. That an SMSC took a message says nothing of the
 * terminal: its receipt does (`endpoints/sms`).
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import { describeError, RefusedError } from '../../kernel/errors.js';
import type { ConnectionOutcome } from '../../lane/ports.js';
import { parseContentType } from '../../protocols/mime/index.js';
import { encodeSia } from '../../protocols/sia/index.js';
import { partCount, segment, WAP_PUSH_PORTS } from '../../protocols/sms/index.js';
import { encodePush } from '../../protocols/wsp/index.js';
import { namesOfPart } from '../../push/part-names.js';
import {
  type CarriedPart,
  joinPart,
  type PartReceipt,
  type PartState,
  type PartsLedger,
  wholeOf,
} from '../../push/parts.js';
import type { Bearer, BearerOutcome, CarriedItem } from '../../push/ports.js';
import type { Sir } from '../../push/sir.js';
import type { Terminal } from '../../registry/user.js';
import { type SirSender, signedSia } from '../sir-body.js';
import { AwaitedSir } from './awaited-sir.js';
import type { SmsAttempt } from './sms-attempt.js';
import { type SmsLink, usableFirst } from './sms-link.js';
import { routesTo } from './sms-route.js';
import { type Sent, sendParts } from './sms-sending.js';

export interface SmsBearerPorts {
  readonly links: readonly SmsLink[];
  readonly ledger: PartsLedger;
  readonly observe: (attempt: SmsAttempt) => void;
  readonly clock: Clock;
}

export interface SmsBearerOptions {
  readonly sender: SirSender;
  /** Short messages that one push or SIR may take. */
  readonly maxSegments: number;
  readonly referenceBits: 8 | 16;
  readonly dataCoding: number;
}

const BEARER = 'sms';
const NO_ADDRESS = 'the activation method has no number';

/** A push on its way: what of it the network has. */
interface Carriage {
  readonly item: CarriedItem;
  readonly terminal: Terminal;
  readonly address: string;
  readonly parts: readonly Uint8Array[];
  readonly states: PartState[];
  /** Of the parts that the network has already. */
  sender: string | undefined;
  wantsReceipt: boolean;
  /** What a receipt said that came before everything was sent. */
  early: PartReceipt | undefined;
}

export class SmsBearer implements Bearer {
  readonly #ports: SmsBearerPorts;
  readonly #options: SmsBearerOptions;

  constructor(ports: SmsBearerPorts, options: SmsBearerOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  async wake(terminal: Terminal, sir: Sir, address: string | undefined): Promise<BearerOutcome> {
    if (address === undefined) return { kind: 'failed', detail: NO_ADDRESS };
    try {
      return { ...(await this.#wake(terminal, sir, address)), address };
    } catch (error) {
      return { kind: 'failed', detail: describeError(error), address };
    }
  }

  async carry(
    terminal: Terminal,
    item: CarriedItem,
    address: string | undefined,
  ): Promise<ConnectionOutcome> {
    if (address === undefined) return { kind: 'unfit', detail: NO_ADDRESS };
    try {
      return await this.#carry(terminal, item, address);
    } catch (error) {
      if (error instanceof RefusedError) return { kind: 'unfit', detail: error.detail };
      return { kind: 'lost', detail: describeError(error) };
    }
  }

  /** No link to the number works. */
  isDown(address: string | undefined): boolean {
    return address !== undefined && !routesTo(this.#ports.links, address).some(({ isUsable }) => isUsable);
  }

  async #wake(terminal: Terminal, sir: Sir, address: string): Promise<BearerOutcome> {
    const { ledger, clock } = this.#ports;
    const octets = sirOctets(sir, this.#options.sender);
    const reference = createHash('sha256').update(sir.id).digest().readUInt16BE(0);
    const parts = this.#parts(octets, reference).map((userData, index) => ({ number: index + 1, userData }));
    const { dataCoding } = this.#options;
    const { expiresAt } = sir;
    const to = { terminal: terminal.id, bearer: BEARER, address } as const;
    let last: Sent | undefined;
    for (const link of this.#links(terminal, address)) {
      const parcel = { address, parts, dataCoding, wantsReceipt: link.hasReceipts, expiresAt };
      const awaited = new AwaitedSir(sir, to, parts.length, ledger);
      const sent = await sendParts(link, parcel, clock, (...part) => awaited.taken(link, ...part));
      this.#tell({ sir: sir.id }, terminal, address, link, parts.length, sent);
      if (sent.result === 'accepted') return awaited.outcome(sent.detail, clock);
      last = sooner(last, sent);
      if (sent.meaning === 'address') break; // the same number by another way
    }
    const retry = last?.retryAt === undefined ? {} : { retryAt: last.retryAt };
    return { kind: 'failed', detail: last?.detail ?? noLink(address), ...retry };
  }

  async #carry(terminal: Terminal, item: CarriedItem, address: string): Promise<ConnectionOutcome> {
    const links = this.#links(terminal, address).filter(
      ({ hasReceipts }) => hasReceipts || item.confirmation !== 'required',
    );
    if (links.length === 0) return { kind: 'unfit', detail: noLink(address) };
    const carriage = await this.#open(terminal, item, address);
    let last: Sent | undefined;
    for (const link of links) {
      if (wholeOf(carriage.states) !== 'open') break;
      // A terminal puts together only what comes from one sender.
      if (carriage.sender !== undefined && carriage.sender !== link.sender.address) continue;
      const sent = await this.#send(carriage, link);
      last = sooner(last, sent);
      if (sent.result === 'unknown') break;
      if (sent.meaning === 'address' || sent.meaning === 'message') {
        return { kind: 'givenUp', detail: sent.detail };
      }
    }
    return this.#outcome(carriage, last);
  }

  #outcome(carriage: Carriage, last: Sent | undefined): ConnectionOutcome {
    const { states, wantsReceipt, early } = carriage;
    const detail = last?.detail ?? 'a message centre has it';
    switch (wholeOf(states)) {
      case 'delivered':
        return { kind: 'confirmed' };
      case 'failed':
        return { kind: 'givenUp', detail: early?.detail ?? 'a message centre gave a part of it up' };
      case 'accepted':
        return { kind: wantsReceipt ? 'awaited' : 'handed', detail };
      case 'open':
        return { kind: 'lost', detail, ...(last?.retryAt === undefined ? {} : { retryAt: last.retryAt }) };
    }
  }

  async #open(terminal: Terminal, item: CarriedItem, address: string): Promise<Carriage> {
    const octets = pushOctets(item);
    const { referenceBits, maxSegments } = this.#options;
    const total = partCount(octets.length, WAP_PUSH_PORTS, referenceBits);
    if (total > maxSegments)
      throw new RefusedError('limitExceeded', `too large for SMS (${total} short messages)`);
    const message = { what: 'push', id: item.id, terminal: terminal.id, total } as const;
    const known =
      total === 1
        ? { reference: 0, parts: ['open' as const] }
        : await this.#ports.ledger.open(message, { address, until: item.expiresAt });
    return {
      item,
      terminal,
      address,
      parts: this.#parts(octets, known.reference),
      states: [...known.parts],
      sender: 'sender' in known ? known.sender : undefined,
      wantsReceipt: item.confirmation !== 'unwanted',
      early: undefined,
    };
  }

  /** Sends what the network does not have yet. */
  async #send(carriage: Carriage, link: SmsLink): Promise<Sent> {
    const { item, terminal, address, parts, states } = carriage;
    const missing = parts.flatMap((userData, index) =>
      states[index] === 'open' ? [{ number: index + 1, userData }] : [],
    );
    if (!link.hasReceipts) carriage.wantsReceipt = false;
    const { dataCoding } = this.#options;
    const { expiresAt } = item;
    const { wantsReceipt } = carriage;
    const parcel = { address, parts: missing, dataCoding, wantsReceipt, expiresAt };
    const sent = await sendParts(link, parcel, this.#ports.clock, (number, messageId) =>
      this.#taken(carriage, link, number, messageId),
    );
    this.#tell({ push: item.id }, terminal, address, link, missing.length, sent);
    return sent;
  }

  /** The name first: a part that counts as taken and has none would never be heard of again. */
  async #taken(carriage: Carriage, link: SmsLink, number: number, messageId: string): Promise<void> {
    const { item, terminal, address, states } = carriage;
    const { ledger } = this.#ports;
    const { expiresAt: until } = item;
    const total = states.length;
    const part: CarriedPart = {
      what: 'push',
      id: item.id,
      terminal: terminal.id,
      bearer: BEARER,
      number,
      total,
    };
    carriage.sender = link.sender.address;
    states[number - 1] = 'accepted';
    if (carriage.wantsReceipt) {
      const { name, aliases } = namesOfPart(messageId, address, link);
      const early = await ledger.note(part, name, aliases, until);
      if (early) states[number - 1] = early.state;
      carriage.early ??= early;
    }
    if (total > 1) {
      const sender = link.sender.address;
      // Receipts of other parts have been taken meanwhile, and whoever learns of the last one has to tell.
      const known = await ledger.raise(part, states[number - 1] ?? 'accepted', { until, sender });
      for (const [index, state] of known.entries()) states[index] = joinPart(states[index] ?? 'open', state);
    }
  }

  #links(terminal: Terminal, address: string): readonly SmsLink[] {
    return usableFirst(routesTo(this.#ports.links, address, operatorOf(terminal)));
  }

  #parts(octets: Uint8Array, reference: number): readonly Uint8Array[] {
    const { referenceBits, maxSegments } = this.#options;
    const parts = segment(octets, WAP_PUSH_PORTS, {
      reference: reference % 2 ** referenceBits,
      referenceBits,
    });
    if (parts.length > maxSegments) {
      throw new RefusedError('limitExceeded', `too large for SMS (${parts.length} short messages)`);
    }
    return parts;
  }

  #tell(
    what: Pick<SmsAttempt, 'push' | 'sir'>,
    terminal: Terminal,
    address: string,
    link: SmsLink,
    segments: number,
    { accepted, result, detail, latencyMs }: Sent,
  ): void {
    const attempt = { segments, accepted, result, detail, latencyMs };
    this.#ports.observe({
      bearer: BEARER,
      ...what,
      terminal: terminal.id,
      address,
      link: link.name,
      ...attempt,
    });
  }
}

/** As it was provisioned: numbers are taken along from one operator to the next. */
export function operatorOf({ capabilities }: Terminal): string | undefined {
  const { operator } = capabilities;
  return typeof operator === 'string' ? operator : undefined;
}

function sirOctets(sir: Sir, sender: SirSender): Uint8Array {
  return encodePush({
    transactionId: transactionOf(sir.id),
    contentType: parseContentType('application/vnd.wap.sia'),
    headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }],
    body: encodeSia(signedSia(sir, sender)),
  });
}

/** The octets are the same at every attempt: a terminal knows a repetition by them. */
function pushOctets({ id, contentType, headers, content }: CarriedItem): Uint8Array {
  const { transactionId, type } = { transactionId: transactionOf(id), type: parseContentType(contentType) };
  return encodePush({ transactionId, contentType: type, headers, body: content });
}

function transactionOf(id: string): number {
  return createHash('sha256').update(id).digest()[0] ?? 0;
}

function noLink(address: string): string {
  return `no link leads to numbers that begin with ${address.slice(0, 4)}`;
}

/** The one that has to be waited for less. */
function sooner(a: Sent | undefined, b: Sent): Sent {
  if (a?.retryAt === undefined || b.retryAt === undefined) return b;
  return a.retryAt < b.retryAt ? a : b;
}
