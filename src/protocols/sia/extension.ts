/**
 * Our extension block of the SIA body: lines of `name=value`, CRLF between them, UTF-8 (SIR-51 … SIR-60, SIR-72, SIR-73).
 *
 *   gr=<URN>                     a device identity that is an instance: the very line of the targeting specification's Table 2
 *   dev=<identity>               a device identity that is no URN: GRUU, other URI, ESN, `ni:` digest, `x-<type>:<value>`
 *   impu=<URI>                   public user identity
 *   app=<id>[;name="<text>"]     application to activate
 *   return=<flag>,…              information to return once connected: capability, preference, security, subscription, rejection
 *   send=<message>,…             messages to send once connected: registration, capability
 *   content=<type>;size=<octets>;priority=<high|medium|low>   the push that waits, for terminals that decide by it (C-20)
 *   ppg=<URI>                    push proxy gateway to contact, when not the sender
 *   id=<text>  exp=<seconds>     id of the request; when it lapses, seconds since 1970
 *   sig=<text>                   signature over everything in front of it; always the last line
 *
 * `gr` and `dev` may repeat; of every other line the first counts. Lines and flags of other names are ignored, lines are kept.
 */
import { DecodeError, RefusedError } from '../../kernel/errors.js';
import type { SiaLimits } from './limits.js';

export const RETURN_FLAGS = ['capability', 'preference', 'security', 'subscription', 'rejection'] as const;
export type ReturnFlag = (typeof RETURN_FLAGS)[number];

export const SEND_FLAGS = ['registration', 'capability'] as const;
export type SendFlag = (typeof SEND_FLAGS)[number];

const CONTENT_PRIORITIES = ['high', 'medium', 'low'] as const;
export type ContentPriority = (typeof CONTENT_PRIORITIES)[number];

export interface SiaExtension {
  /** Device identities in any of their spellings: URNs first, in the order of the lines. */
  readonly identities: readonly string[];
  readonly publicUserIdentity?: string;
  readonly application?: { readonly id: string; readonly name?: string };
  readonly return: readonly ReturnFlag[];
  readonly send: readonly SendFlag[];
  readonly content?: {
    readonly contentType: string;
    readonly size: number;
    readonly priority: ContentPriority;
  };
  readonly ppg?: string;
  readonly id?: string;
  /** Seconds since 1970. */
  readonly expiresAtSeconds?: number;
  readonly signature?: string;
  /** Lines that this version does not know, as received. */
  readonly unknown: readonly { readonly name: string; readonly value: string }[];
}

const CLAUSE = 'SIR-72';
const SINGLE_LINES = ['impu', 'app', 'return', 'send', 'content', 'ppg', 'id', 'exp', 'sig'] as const;
type SingleLine = (typeof SINGLE_LINES)[number];

export function decodeExtension(octets: Uint8Array, limits: SiaLimits): SiaExtension {
  if (octets.length > limits.maxExtensionBytes) {
    throw new DecodeError('extension block too long', { code: 'limitExceeded', clause: CLAUSE });
  }
  const lines = decodeUtf8(octets).split('\r\n');
  if (lines.length > limits.maxExtensionLines) {
    throw new DecodeError('too many extension lines', { code: 'limitExceeded', clause: CLAUSE });
  }
  const instances: string[] = [];
  const devices: string[] = [];
  const single = new Map<SingleLine, string>();
  const unknown: { name: string; value: string }[] = [];
  for (const line of lines) {
    const equals = line.indexOf('=');
    // A line that is no assignment, the empty one behind a last CRLF for instance, says nothing to this version.
    if (equals < 1) continue;
    const name = line.slice(0, equals);
    const value = line.slice(equals + 1);
    // A control character inside a value would pass from here into header fields and logs.
    if (/[\0-\x1f\x7f]/.test(line)) throw new DecodeError('control character in a line', { clause: CLAUSE });
    if (name === 'gr') instances.push(value);
    else if (name === 'dev') devices.push(value);
    else if (!isSingleLine(name)) unknown.push({ name, value });
    else if (!single.has(name)) single.set(name, value);
  }
  return { identities: [...instances, ...devices], ...typed(single), unknown };
}

/** The block's octets. Throws RefusedError for a value that would break its line. */
export function encodeExtension(extension: SiaExtension): Uint8Array {
  const { identities, publicUserIdentity, application, content, ppg, id } = extension;
  const { expiresAtSeconds, signature } = extension;
  const isInstance = (identity: string) => /^urn:/i.test(identity);
  const lines: (readonly [string, string | undefined])[] = [
    ...identities.filter(isInstance).map((identity) => ['gr', identity] as const),
    ...identities.filter((identity) => !isInstance(identity)).map((identity) => ['dev', identity] as const),
    ['impu', publicUserIdentity],
    ['app', application === undefined ? undefined : formatApplication(application)],
    ['return', extension.return.length === 0 ? undefined : extension.return.join(',')],
    ['send', extension.send.length === 0 ? undefined : extension.send.join(',')],
    ['content', content === undefined ? undefined : formatContent(content)],
    ['ppg', ppg],
    ['id', id],
    ['exp', expiresAtSeconds === undefined ? undefined : String(expiresAtSeconds)],
    ...extension.unknown.map(({ name, value }) => [name, value] as const),
    ['sig', signature],
  ];
  const present = lines.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  for (const line of present) {
    if (/[\0-\x1f\x7f]/.test(line))
      throw new RefusedError('malformed', 'control character in a SIA extension line');
  }
  return Buffer.from(present.join('\r\n'), 'utf8');
}

function typed(single: ReadonlyMap<SingleLine, string>): Omit<SiaExtension, 'identities' | 'unknown'> {
  const application = single.get('app');
  const expires = single.get('exp');
  const content = single.get('content');
  const optional = {
    publicUserIdentity: single.get('impu'),
    application: application === undefined ? undefined : parseApplication(application),
    content: content === undefined ? undefined : parseContent(content),
    ppg: single.get('ppg'),
    id: single.get('id'),
    expiresAtSeconds: expires === undefined ? undefined : parseSeconds(expires),
    signature: single.get('sig'),
  };
  return {
    ...withoutUndefined(optional),
    return: flags(single.get('return'), RETURN_FLAGS),
    send: flags(single.get('send'), SEND_FLAGS),
  };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<T>;
}

function flags<Flag extends string>(value: string | undefined, known: readonly Flag[]): readonly Flag[] {
  const named = new Set((value ?? '').split(',').map((flag) => flag.trim().toLowerCase()));
  return known.filter((flag) => named.has(flag));
}

function parseSeconds(text: string): number {
  if (!/^[0-9]{1,12}$/.test(text)) throw new DecodeError('bad expiry time', { clause: 'SIR-60' });
  return Number(text);
}

function parseApplication(text: string): { readonly id: string; readonly name?: string } {
  const match = /^([^;]+)(?:;name="((?:[^"\\]|\\.)*)")?/.exec(text);
  if (match?.[1] === undefined) throw new DecodeError('bad application line', { clause: 'SIR-54' });
  const name = match[2]?.replace(/\\(.)/g, '$1');
  const id = match[1].replaceAll('%3B', ';');
  return name === undefined ? { id } : { id, name };
}

function formatApplication({ id, name }: { readonly id: string; readonly name?: string }): string {
  // A semicolon would start the name.
  const escaped = id.replaceAll(';', '%3B');
  return name === undefined ? escaped : `${escaped};name="${name.replace(/["\\]/g, '\\$&')}"`;
}

/** Undefined for a line of another form: it helps a decision, and nothing hangs on it. */
function parseContent(text: string): SiaExtension['content'] {
  const match = /^([^;\s]{1,255});size=([0-9]{1,12});priority=(high|medium|low)(?:;|$)/.exec(text);
  const [, contentType, size, priority] = match ?? [];
  const known = CONTENT_PRIORITIES.find((one) => one === priority);
  return contentType === undefined || known === undefined
    ? undefined
    : { contentType, size: Number(size), priority: known };
}

/** The media type alone: its parameters are for whoever reads the content. */
function formatContent({ contentType, size, priority }: NonNullable<SiaExtension['content']>): string {
  const [mediaType = ''] = contentType.split(';', 1);
  return `${mediaType.trim()};size=${size};priority=${priority}`;
}

function isSingleLine(name: string): name is SingleLine {
  return (SINGLE_LINES as readonly string[]).includes(name);
}

function decodeUtf8(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch (cause) {
    throw new DecodeError('extension block is not UTF-8', { clause: CLAUSE, cause });
  }
}
