/**
 * A presence document seen by device (RFC 4479 §3.4): the tuples that are about one device taken together. A tuple names its
 * device by `deviceID`, else by the instance or the GRUU that its contact or capabilities carry; one that names none is about
 * the user and not about any terminal. Pure.
 */
import { DecodeError } from '../../kernel/errors.js';
import { instanceOf, parameter, parseNameAddr, parseUri } from '../sip/index.js';
import type { PresenceDocument, PresenceTuple } from './pidf.js';

export interface DevicePresence {
  /** Everything that names the device: `deviceID`, instance URN, GRUU. At least one, none twice. */
  readonly names: readonly string[];
  /** `open` when any of its tuples is, `closed` when all that say something are. Absent when none does. */
  readonly basic?: 'open' | 'closed';
  /** Of the open tuple that wants it most, as a bare URI. */
  readonly contact?: string;
  /** When the newest statement about it was made, milliseconds since the epoch. */
  readonly timestamp?: number;
}

interface Group {
  readonly names: Set<string>;
  readonly tuples: PresenceTuple[];
  at?: number;
}

/** The devices that a document names, in the order of their first mention. */
export function devicesOf(document: PresenceDocument): readonly DevicePresence[] {
  const groups: Group[] = [];
  for (const { deviceId, instance, timestamp } of document.devices) {
    const group = groupOf([deviceId, ...(instance === undefined ? [] : [instance])], groups);
    if (timestamp !== undefined) group.at = timestamp;
  }
  for (const tuple of document.tuples) {
    const names = namesIn(tuple);
    if (names.length > 0) groupOf(names, groups).tuples.push(tuple);
  }
  return groups.map(devicePresence);
}

/** The group that has any of these names. Groups that turn out to be one device become one. */
function groupOf(names: readonly string[], groups: Group[]): Group {
  const [group = { names: new Set<string>(), tuples: [] }, ...others] = groups.filter((known) =>
    names.some((name) => known.names.has(name)),
  );
  if (!groups.includes(group)) groups.push(group);
  for (const name of names) group.names.add(name);
  for (const other of others) {
    for (const name of other.names) group.names.add(name);
    group.tuples.push(...other.tuples);
    if (other.at !== undefined) group.at = Math.max(group.at ?? 0, other.at);
    groups.splice(groups.indexOf(other), 1);
  }
  return group;
}

function devicePresence({ names, tuples, at }: Group): DevicePresence {
  const stated = tuples.filter(({ basic }) => basic !== undefined);
  const open = stated.filter(({ basic }) => basic === 'open');
  const basic = open.length > 0 ? 'open' : stated.length > 0 ? 'closed' : undefined;
  const [best] = open
    .flatMap(({ contact, priority = 0 }) => (contact === undefined ? [] : [{ contact, priority }]))
    .sort((left, right) => right.priority - left.priority);
  const contact = best && partsOf(best.contact).uri;
  const moments = [...tuples.map(({ timestamp }) => timestamp), at].filter((moment) => moment !== undefined);
  return {
    names: [...names],
    ...(basic === undefined ? {} : { basic }),
    ...(contact === undefined ? {} : { contact }),
    ...(moments.length === 0 ? {} : { timestamp: Math.max(...moments) }),
  };
}

function namesIn({ deviceId, instance, contact }: PresenceTuple): readonly string[] {
  const parts = contact === undefined ? {} : partsOf(contact);
  const gruu = parts.isGruu ? parts.uri : undefined;
  return [deviceId, instance, parts.instance, gruu].filter((name) => name !== undefined);
}

interface ContactParts {
  readonly uri?: string;
  readonly isGruu?: boolean;
  readonly instance?: string;
}

/**
 * A contact is a URI (RFC 3863 §4.1.5), so its parameters are the URI's own. Presence agents also write what stands in their
 * Contact header: angle brackets, and `+sip.instance` behind. Nothing for an address of another protocol.
 */
function partsOf(contact: string): ContactParts {
  const [, address = '', value] = /^(.*?)(?:;\+sip\.instance=("[^"]*"|[^;]*).*)?$/is.exec(contact) ?? [];
  const instance = value === undefined ? undefined : instanceOf([{ name: '+sip.instance', value }]);
  try {
    const uri = address.includes('<') ? parseNameAddr(address).uri : address;
    const parsed = parseUri(uri);
    const isGruu = parsed.kind === 'sip' && parameter(parsed.parameters, 'gr') !== undefined;
    return { uri, isGruu, ...(instance === undefined ? {} : { instance }) };
  } catch (error) {
    if (error instanceof DecodeError) return instance === undefined ? {} : { instance };
    throw error;
  }
}
