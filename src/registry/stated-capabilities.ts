/**
 * Capabilities as one source states them: the keys that the gateway understands, out of a free-form record (SIR-62). A source is what
 * was provisioned with the terminal, what the terminal reported, or the features of its registration. Keys that are not here are kept
 * with the record and mean nothing to the gateway. How sources are put together stands in `capabilities.ts`.
 */
import type { UaProfValue } from '../protocols/uaprof/index.js';

export interface StatedCapabilities {
  /** Media types, `image/*` and `*`/`*` among them; parameters are ignored. */
  readonly accept?: readonly string[];
  readonly acceptCharset?: readonly string[];
  readonly acceptLanguage?: readonly string[];
  readonly acceptEncoding?: readonly string[];
  /** In full, by the last part (`mms.ua`), or `*`. */
  readonly applicationIds?: readonly string[];
  /** Largest content of a push, in octets. */
  readonly maxMessageSize?: number;
  /** Pushes that it takes by OTA-HTTP without having answered the one before. */
  readonly maxPushRequests?: number;
  /** SIP feature tags (RFC 3840) as `name` or `name="value"`. */
  readonly pushFeatureTags?: readonly string[];
  /** Where the user agent profile is published. It is passed on, never fetched. */
  readonly uaProfUrl?: string;
  /** What was read from a user agent profile, by the names of its vocabulary. */
  readonly uaProf?: Readonly<Record<string, UaProfValue>>;
}

/** The keys that hold lists of text. */
export const LIST_KEYS = [
  'accept',
  'acceptCharset',
  'acceptLanguage',
  'acceptEncoding',
  'applicationIds',
  'pushFeatureTags',
] as const satisfies readonly (keyof StatedCapabilities)[];

export const STATED_KEYS = [
  ...LIST_KEYS,
  'maxMessageSize',
  'maxPushRequests',
  'uaProfUrl',
  'uaProf',
] as const;

/** The ways in which a terminal reports: headers of OTA-HTTP, or information returned after a session initiation request (SIR-135). */
export const REPORT_SOURCES = ['cpi', 'returned'] as const;
export type ReportSource = (typeof REPORT_SOURCES)[number];

/** What a terminal reported last by one way; a newer report takes the place of the whole of it. */
export interface CapabilityReport extends StatedCapabilities {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The terminal's own mark for this state of its capabilities, `X-Wap-CPITag` for instance. */
  readonly tag?: string;
}

/** What a record states. A value of another shape than the key has states nothing: records may be older than the keys. */
export function statedCapabilities(record: Readonly<Record<string, unknown>>): StatedCapabilities {
  const stated: { -readonly [Key in keyof StatedCapabilities]: StatedCapabilities[Key] } = {};
  for (const key of LIST_KEYS) {
    const list = record[key];
    if (isTextList(list)) stated[key] = list;
  }
  const { maxMessageSize, maxPushRequests, uaProfUrl, uaProf } = record;
  if (isSize(maxMessageSize)) stated.maxMessageSize = maxMessageSize;
  if (isSize(maxPushRequests) && maxPushRequests > 0) stated.maxPushRequests = maxPushRequests;
  if (typeof uaProfUrl === 'string' && uaProfUrl !== '') stated.uaProfUrl = uaProfUrl;
  if (isProfile(uaProf)) stated.uaProf = uaProf;
  return stated;
}

/** What a user agent profile states in terms of the other keys. What it says of pushes goes before what it says of pages. */
export function statedByProfile(attributes: Readonly<Record<string, UaProfValue>>): StatedCapabilities {
  const list = (...names: readonly string[]) => {
    const value = names.map((name) => attributes[name]).find((found) => found !== undefined);
    return typeof value === 'string' ? [value] : value;
  };
  const accept = list('Push-Accept', 'CcppAccept');
  const acceptCharset = list('Push-Accept-Charset', 'CcppAccept-Charset');
  const acceptEncoding = list('Push-Accept-Encoding', 'CcppAccept-Encoding');
  const acceptLanguage = list('Push-Accept-Language', 'CcppAccept-Language');
  const applicationIds = list('Push-Accept-AppID');
  const size = attributes['Push-MsgSize'];
  const maxMessageSize = typeof size === 'string' && /^\d{1,12}$/.test(size) ? Number(size) : undefined;
  return {
    ...(accept === undefined ? {} : { accept }),
    ...(acceptCharset === undefined ? {} : { acceptCharset }),
    ...(acceptEncoding === undefined ? {} : { acceptEncoding }),
    ...(acceptLanguage === undefined ? {} : { acceptLanguage }),
    ...(applicationIds === undefined ? {} : { applicationIds }),
    ...(maxMessageSize === undefined ? {} : { maxMessageSize }),
  };
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isProfile(value: unknown): value is Readonly<Record<string, UaProfValue>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item) => typeof item === 'string' || isTextList(item));
}
