/**
 * What the two sides of a WSP session agree on when it opens (WAP-230 §8.3): sizes, how much may be under way, which of its facilities
 * are used. What push does not need is kept as octets.
 */
import { DecodeError, RefusedError } from '../../kernel/errors.js';
import type { WspLimits } from './limits.js';
import { OctetReader, OctetWriter } from './octets.js';
import { isToken, readText, readUintvar, writeText, writeUintvar } from './primitives.js';

export interface WspCapabilities {
  /** Largest message that the client takes; 0: it does not matter. */
  readonly clientSduBytes?: number;
  readonly serverSduBytes?: number;
  /** Facilities, `OPTION` together. */
  readonly protocolOptions?: number;
  /** Methods that may be under way at a time. */
  readonly methodMor?: number;
  /** Confirmed pushes that may be under way at a time. */
  readonly pushMor?: number;
  readonly others: readonly OtherCapability[];
}

export interface OtherCapability {
  /** A number, or the name of one that has none. */
  readonly identifier: number | string;
  readonly value: Uint8Array;
}

/** What holds when nothing is said. [WAP-230 §6.2.3] */
export const DEFAULT_SDU_BYTES = 1400;
export const DEFAULT_PUSH_MOR = 1;

export const OPTION = {
  confirmedPush: 0x80,
  push: 0x40,
  sessionResume: 0x20,
  acknowledgementHeaders: 0x10,
} as const;

const CLIENT_SDU = 0x00;
const SERVER_SDU = 0x01;
const PROTOCOL_OPTIONS = 0x02;
const METHOD_MOR = 0x03;
const PUSH_MOR = 0x04;

/** Reads capabilities up to the end of the reader; the first of a kind counts. */
export function readCapabilities(
  reader: OctetReader,
  limits: Pick<WspLimits, 'maxEntries'>,
): WspCapabilities {
  const numbers = new Map<number, number>();
  const others: OtherCapability[] = [];
  for (let count = 0; reader.remaining > 0; count += 1) {
    if (count >= limits.maxEntries) {
      throw new DecodeError('too many capabilities', { offset: reader.offset, code: 'limitExceeded' });
    }
    const one = reader.nested(readUintvar(reader));
    const identifier = (one.peek() & 0x80) === 0 ? name(one) : one.octet() & 0x7f;
    const value = one.take(one.remaining);
    const number = typeof identifier === 'number' ? numberIn(identifier, value) : undefined;
    if (typeof identifier !== 'number' || number === undefined) others.push({ identifier, value });
    else if (!numbers.has(identifier)) numbers.set(identifier, number);
  }
  const known = <Name extends string>(key: Name, identifier: number) => {
    const number = numbers.get(identifier);
    return (number === undefined ? {} : { [key]: number }) as { readonly [N in Name]?: number };
  };
  return {
    ...known('clientSduBytes', CLIENT_SDU),
    ...known('serverSduBytes', SERVER_SDU),
    ...known('protocolOptions', PROTOCOL_OPTIONS),
    ...known('methodMor', METHOD_MOR),
    ...known('pushMor', PUSH_MOR),
    others,
  };
}

export function writeCapabilities(capabilities: WspCapabilities): Uint8Array {
  const writer = new OctetWriter();
  const { clientSduBytes, serverSduBytes, protocolOptions, methodMor, pushMor, others } = capabilities;
  writeNumber(writer, CLIENT_SDU, clientSduBytes);
  writeNumber(writer, SERVER_SDU, serverSduBytes);
  writeNumber(writer, PROTOCOL_OPTIONS, protocolOptions);
  writeNumber(writer, METHOD_MOR, methodMor);
  writeNumber(writer, PUSH_MOR, pushMor);
  for (const { identifier, value } of others) writeOne(writer, identifier, value);
  return writer.written();
}

function name(reader: OctetReader): string {
  const start = reader.offset;
  const text = readText(reader);
  if (!isToken(text)) throw new DecodeError('capability name is no token', { offset: start });
  return text;
}

/** Undefined for a capability that is no number, or has no value: the sender only says that it knows it. */
function numberIn(identifier: number, value: Uint8Array): number | undefined {
  const [first] = value;
  if (first === undefined) return undefined;
  switch (identifier) {
    case CLIENT_SDU:
    case SERVER_SDU:
      return readUintvar(new OctetReader(value));
    case PROTOCOL_OPTIONS:
    case METHOD_MOR:
    case PUSH_MOR:
      return first;
    default:
      return undefined;
  }
}

function writeNumber(writer: OctetWriter, identifier: number, value: number | undefined): void {
  if (value === undefined) return;
  const octets = new OctetWriter();
  if (identifier === CLIENT_SDU || identifier === SERVER_SDU) writeUintvar(octets, value);
  else octets.octet(value);
  writeOne(writer, identifier, octets.written());
}

function writeOne(writer: OctetWriter, identifier: number | string, value: Uint8Array): void {
  const octets = new OctetWriter();
  if (typeof identifier === 'number') octets.octet(0x80 | identifier);
  else if (isToken(identifier)) writeText(octets, identifier);
  else throw new RefusedError('malformed', `capability name "${identifier}" is no token`);
  octets.append(value);
  writeUintvar(writer, octets.length);
  writer.append(octets.written());
}
