/**
 * The body of a Session Initiation Request, `application/vnd.wap.sia` (WAP-235 §8, PushOTA 2.2): versions 0 and 1, and our
 * extension block behind the last field of version 1. A receiver that does not know the block stops reading in front of it.
 * Which fields a SIR gets, and what a terminal does with them, is decided elsewhere.
 */
import { DecodeError, InvariantError } from '../../kernel/errors.js';
import {
  type ContactPoint,
  OctetReader,
  OctetWriter,
  readContactPoints,
  readUintvar,
  writeContactPoints,
  writeUintvar,
} from '../wsp/index.js';
import { type ApplicationIdForm, readApplicationIds, writeApplicationIds } from './application-ids.js';
import { decodeExtension, encodeExtension, type SiaExtension } from './extension.js';
import { SIA_LIMITS, type SiaLimits } from './limits.js';

/** OTA-HTTP without a CPITag (WAP-235 §8.3). */
export const OTA_HTTP = 0;
/** OTA-HTTP with a CPITag. */
export const OTA_HTTP_CPITAG = 1;
/** A push session by SIP: a number of the private range, 256 to 16383, until the standard's own is known (C-7). */
export const OTA_SIP = 256;

export interface Sia {
  readonly version: 0 | 1;
  /** URIs (`x-wap-application:mms.ua`) of the applications that will get content. Empty: any. */
  readonly applicationIds: readonly string[];
  /** Where a WSP session can be opened. */
  readonly wspContactPoints: readonly ContactPoint[];
  /** Version 1, as all that follows: where any other session can be opened. */
  readonly contactPoints: readonly ContactPoint[];
  readonly protocolOptions: readonly number[];
  /** X-Wap-ProvURL: the provisioning context that the request belongs to; `''` for none. */
  readonly provisioningUrl: string;
  /** Four octets each: the capabilities that the sender knows the terminal by. */
  readonly cpiTags: readonly Uint8Array[];
  readonly extension?: SiaExtension;
}

const CPI_TAG_OCTETS = 4;
const CLAUSE = 'WAP-235 §8';

/** Decodes a SIA body. Octets behind the extension block are ignored: they belong to some later version. */
export function decodeSia(octets: Uint8Array, limits: SiaLimits = SIA_LIMITS): Sia {
  if (octets.length > limits.maxBytes) throw new DecodeError('SIA body too long', { code: 'limitExceeded' });
  const reader = new OctetReader(octets);
  const base = readBase(reader, limits);
  if (base.version === 0 || reader.remaining === 0) return base;
  const block = reader.nested(readUintvar(reader));
  return { ...base, extension: decodeExtension(block.take(block.remaining), limits) };
}

/** Encodes a SIA body. Version 0 cannot carry the fields of version 1: that is a defect of the caller. */
export function encodeSia(
  sia: Sia,
  options: { readonly applicationIdForm?: ApplicationIdForm } = {},
): Uint8Array {
  const writer = new OctetWriter().octet(sia.version);
  writeBlock(writer, writeApplicationIds(sia.applicationIds, options.applicationIdForm));
  writeBlock(writer, writeContactPoints(sia.wspContactPoints));
  if (sia.version === 0) {
    if (hasFieldsOfVersion1(sia))
      throw new InvariantError('a SIA of version 0 cannot carry fields of version 1');
    return writer.written();
  }
  writeBlock(writer, writeContactPoints(sia.contactPoints));
  writeUintvar(writer, sia.protocolOptions.length);
  for (const option of sia.protocolOptions) writeUintvar(writer, option);
  writeBlock(writer, Buffer.from(sia.provisioningUrl, 'latin1'));
  writeUintvar(writer, sia.cpiTags.length);
  for (const tag of sia.cpiTags) {
    if (tag.length !== CPI_TAG_OCTETS) throw new InvariantError('a CPITag has four octets');
    writer.append(tag);
  }
  if (sia.extension !== undefined) writeBlock(writer, encodeExtension(sia.extension));
  return writer.written();
}

/**
 * The octets that the `sig` line signs: the base fields, then the extension lines in front of it. The same for a body
 * that is not signed yet, so that a sender encodes, signs this, and encodes again with the signature.
 */
export function signedOctets(octets: Uint8Array, limits: SiaLimits = SIA_LIMITS): Uint8Array {
  const reader = new OctetReader(octets);
  if (readBase(reader, limits).version === 0 || reader.remaining === 0) return octets;
  const base = reader.since(0);
  const block = reader.nested(readUintvar(reader));
  const text = Buffer.from(block.take(block.remaining));
  const signature = text.lastIndexOf('\r\nsig=', 'latin1');
  return Buffer.concat([base, signature < 0 ? text : text.subarray(0, signature)]);
}

function readBase(reader: OctetReader, limits: SiaLimits): Sia {
  const version = reader.octet();
  if (version !== 0 && version !== 1) {
    throw new DecodeError(`SIA version ${version}`, {
      offset: 0,
      clause: CLAUSE,
      code: 'versionNotSupported',
    });
  }
  const applicationIds = readApplicationIds(reader.nested(readUintvar(reader)), limits);
  const wspContactPoints = readContactPoints(reader.nested(readUintvar(reader)), limits);
  const empty = { contactPoints: [], protocolOptions: [], provisioningUrl: '', cpiTags: [] };
  if (version === 0) return { version, applicationIds, wspContactPoints, ...empty };
  const contactPoints = readContactPoints(reader.nested(readUintvar(reader)), limits);
  const protocolOptions = readList(reader, limits, readUintvar);
  const url = reader.nested(readUintvar(reader));
  const provisioningUrl = Buffer.from(url.take(url.remaining)).toString('latin1');
  if (/[\0-\x1f\x7f]/.test(provisioningUrl)) {
    throw new DecodeError('control character in X-Wap-ProvURL', { offset: reader.offset, clause: CLAUSE });
  }
  const cpiTags = readList(reader, limits, () => reader.take(CPI_TAG_OCTETS));
  return {
    version,
    applicationIds,
    wspContactPoints,
    contactPoints,
    protocolOptions,
    provisioningUrl,
    cpiTags,
  };
}

function readList<T>(
  reader: OctetReader,
  limits: SiaLimits,
  readEntry: (reader: OctetReader) => T,
): readonly T[] {
  const count = readUintvar(reader);
  if (count > limits.maxEntries) {
    throw new DecodeError(`list of ${count} entries`, { offset: reader.offset, code: 'limitExceeded' });
  }
  return Array.from({ length: count }, () => readEntry(reader));
}

function writeBlock(writer: OctetWriter, octets: Uint8Array): void {
  writeUintvar(writer, octets.length);
  writer.append(octets);
}

function hasFieldsOfVersion1(sia: Sia): boolean {
  return (
    sia.contactPoints.length + sia.protocolOptions.length + sia.provisioningUrl.length + sia.cpiTags.length >
      0 || sia.extension !== undefined
  );
}
