/**
 * What passes between the gateway and one terminal by OTA-HTTP, whoever opened the connection: a push with the tag of the
 * capabilities that the terminal is known by; when the terminal says that it is not what we take it for, a look at its capabilities
 * and the push once more; and the capabilities stored as its report. How a request gets there is for the caller.
 */
import type { Clock } from '../../kernel/clock.js';
import type { ConnectionItem } from '../../lane/ports.js';
import { retryAfter } from '../../protocols/http/index.js';
import type { HeaderField } from '../../protocols/mime/index.js';
import {
  encodePushRequestHead,
  type PushResponse,
  type Registration,
  readPushResponse,
  readRegistration,
  registrationHeaders,
} from '../../protocols/ota-http/index.js';
import { terminalCapabilities, withReport } from '../../registry/capabilities.js';
import { cpiReport } from '../../registry/cpi-report.js';
import type { Registry } from '../../registry/ports.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import type { Terminal } from '../../registry/user.js';

/** One request to a terminal and its answer. Rejects with DeliveryError when none came. */
export type OtaExchange = (request: OtaRequest) => Promise<OtaAnswer>;

export interface OtaRequest {
  readonly method: 'POST' | 'OPTIONS';
  readonly headers: readonly HeaderField[];
  /** The body: `prefix` and then `content`. Absent: none. */
  readonly body?: { readonly prefix: Uint8Array; readonly content: ConnectionItem['content'] };
}

export interface OtaAnswer {
  readonly status: number;
  readonly headers: readonly HeaderField[];
}

export interface TerminalExchangePorts {
  readonly registry: Pick<Registry, 'findTerminal' | 'changeTerminal'>;
  readonly clock: Pick<Clock, 'now'>;
}

export type OtaItem = Pick<ConnectionItem, 'id' | 'contentType' | 'headers' | 'content'>;

export interface Answered extends PushResponse {
  /** The terminal wants to be left alone until then (ms epoch). */
  readonly retryAt?: number;
  /** The terminal as it is known since it was asked again. */
  readonly terminal?: Terminal;
}

/** Sends a push. Rejects with DeliveryError when no answer came. */
export async function pushToTerminal(
  terminal: Terminal,
  item: OtaItem,
  exchange: OtaExchange,
  ports: TerminalExchangePorts,
): Promise<Answered> {
  const size = sizeOf(item.content);
  const excess = excessOf(terminal, size);
  if (excess !== undefined) return excess;
  const known = terminal.reported?.cpi?.tag;
  const first = await post(item, size, known, exchange, ports);
  if (first.meaning !== 'capabilitiesChanged') return first;
  const { terminal: fresh } = await askCapabilities(terminal, known, exchange, ports);
  // A terminal that does not tell its capabilities has at least told its tag.
  const tag = fresh === undefined ? first.cpiTag : fresh.reported?.cpi?.tag;
  const answered = (fresh && excessOf(fresh, size)) ?? (await post(item, size, tag, exchange, ports));
  return { ...answered, ...(fresh === undefined ? {} : { terminal: fresh }) };
}

async function post(
  { id, contentType, headers, content }: OtaItem,
  size: number,
  cpiTag: string | undefined,
  exchange: OtaExchange,
  { clock }: TerminalExchangePorts,
): Promise<Answered> {
  const tag = cpiTag === undefined ? {} : { cpiTag };
  const head = encodePushRequestHead({ id, contentType, headers, ...tag }, size, clock.now());
  const body = { prefix: head.prefix, content };
  const answer = await exchange({ method: 'POST', headers: head.headers, body });
  const retryAt = retryAfter(answer.headers, clock.now());
  return { ...readPushResponse(answer), ...(retryAt === undefined ? {} : { retryAt }) };
}

/**
 * Asks the terminal what it takes and stores what it says. `terminal` is the record afterwards; absent when the terminal told nothing.
 * Rejects with DeliveryError when no answer came, or it could not be stored.
 */
async function askCapabilities(
  { id }: Pick<Terminal, 'id'>,
  known: string | undefined,
  exchange: OtaExchange,
  ports: TerminalExchangePorts,
): Promise<{ readonly registration?: Registration; readonly terminal?: Terminal }> {
  const headers = registrationHeaders(known === undefined ? {} : { cpiTag: known });
  const answer = await exchange({ method: 'OPTIONS', headers });
  const registration = readRegistration(answer);
  if (registration === undefined) return {};
  const terminal = registration.isConfirmed
    ? await ports.registry.findTerminal(id)
    : await storeCapabilities(id, answer.headers, ports);
  return { registration, ...(terminal === undefined ? {} : { terminal }) };
}

/** Stores the capabilities in these header fields; undefined when there are none, or the terminal is gone. */
export async function storeCapabilities(
  id: TerminalId,
  headers: readonly HeaderField[],
  { registry, clock }: TerminalExchangePorts,
): Promise<Terminal | undefined> {
  const report = cpiReport(headers, clock.now());
  const terminal = report && (await registry.findTerminal(id));
  if (!terminal) return undefined;
  const changed = await registry.changeTerminal(terminal.user, id, (before) =>
    withReport(before ?? terminal, 'cpi', report),
  );
  return changed.terminal;
}

/** What the terminal would answer, had it been sent more than it takes. */
function excessOf(terminal: Terminal, size: number): Answered | undefined {
  const { maxMessageSize } = terminalCapabilities(terminal, []);
  if (maxMessageSize === undefined || size <= maxMessageSize) return undefined;
  return { meaning: 'tooLarge', detail: `the terminal takes at most ${maxMessageSize} octets` };
}

/**
 * Does the terminal take content of this media type, as far as it is known? HTTP is wide enough for the text of documents: a terminal that
 * wants their binary form alone says so.
 */
export function acceptsMediaType(terminal: Terminal, mediaType: string): boolean {
  const { accept } = terminalCapabilities(terminal, []);
  if (accept === undefined) return true;
  return accept.some((given) => {
    const range = (given.split(';', 1)[0] ?? '').trim().toLowerCase();
    if (range === '*' || range === '*/*' || range === mediaType) return true;
    return range.endsWith('/*') && mediaType.startsWith(range.slice(0, -1));
  });
}

export function sizeOf(content: ConnectionItem['content']): number {
  return content instanceof Uint8Array ? content.length : content.size;
}
