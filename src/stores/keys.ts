/**
 * Every Redis key of the gateway, in one place. Keys that one script touches share a hash tag, so the same code runs on
 * Redis Cluster: pushes are spread over 16 tags by the first character of their uid, lanes over 64 by that of the terminal id.
 */
import { createHash } from 'node:crypto';
import type { PartName } from '../push/parts.js';
import type { PushUid } from '../push/push-message.js';
import type { PublicUserIdentity } from '../registry/public-user-identity.js';
import type { TerminalId } from '../registry/terminal-id.js';

const PREFIX = 'carillon';

/** The first characters that a push uid (hexadecimal) and a terminal id (base64url) can have: one bucket for each. */
export const PUSH_BUCKETS = [...'0123456789abcdef'] as const;
export const LANE_BUCKETS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'] as const;

export const pushBucket = (uid: PushUid): string => uid.slice(0, 1);
export const laneBucket = (terminal: TerminalId): string => terminal.slice(0, 1);

/** Hash: the push and the state of each delivery. */
export const pushKey = (uid: PushUid) => `${PREFIX}:{p:${pushBucket(uid)}}:push:${uid}`;
/** String: its octets while they are needed and not in a blob. */
export const bodyKey = (uid: PushUid) => `${PREFIX}:{p:${pushBucket(uid)}}:body:${uid}`;
/**
 * Sorted sets of a bucket: uids by acceptance, by unfinished placement, by end; reports by next attempt; deliveries that are
 * held by acceptance of their push.
 */
export const acceptedKey = (bucket: string) => `${PREFIX}:{p:${bucket}}:accepted`;
export const placingKey = (bucket: string) => `${PREFIX}:{p:${bucket}}:placing`;
export const endedKey = (bucket: string) => `${PREFIX}:{p:${bucket}}:ended`;
export const heldKey = (bucket: string) => `${PREFIX}:{p:${bucket}}:held`;
export const owedKey = (bucket: string) => `${PREFIX}:{p:${bucket}}:owed`;

const lane = (terminal: TerminalId, what: string) =>
  `${PREFIX}:{t:${laneBucket(terminal)}}:${what}:${terminal}`;
/** Hash: lease, version, connections and wake state of a lane. */
export const laneKey = (terminal: TerminalId) => lane(terminal, 'lane');
/** Sorted sets of a lane: deliverable entries by order, deferred ones by start, all by deadline. */
export const queueKey = (terminal: TerminalId) => lane(terminal, 'queue');
export const deferredKey = (terminal: TerminalId) => lane(terminal, 'deferred');
export const deadlinesKey = (terminal: TerminalId) => lane(terminal, 'deadlines');
/** List: the latest wake-ups, newest first. */
export const wakesKey = (terminal: TerminalId) => lane(terminal, 'wakes');
/** List: the latest receipts of SIRs, newest first. */
export const wakeReceiptsKey = (terminal: TerminalId) => lane(terminal, 'wake-receipts');
/** Sorted set of a bucket: lanes with entries by the moment somebody must look at them. */
export const dueKey = (bucket: string) => `${PREFIX}:{t:${bucket}}:due`;

/** Hash: a user's own attributes and its terminals. */
export const userKey = (user: PublicUserIdentity) => `${PREFIX}:{u:${user}}:user`;
/** Hash: canonical device identity → terminal, unique within the user. */
export const identitiesKey = (user: PublicUserIdentity) => `${PREFIX}:{u:${user}}:identities`;
/** Hash: registered contacts. */
export const bindingsKey = (user: PublicUserIdentity) => `${PREFIX}:{u:${user}}:bindings`;
/** Hash: what each outside source last said of the user's devices. */
export const sourcesKey = (user: PublicUserIdentity) => `${PREFIX}:{u:${user}}:sources`;
/** String: the user that has an alias. */
export const aliasKey = (alias: string) => `${PREFIX}:alias:${alias}`;
/** String: the user that a terminal belongs to. */
export const terminalOwnerKey = (terminal: TerminalId) => `${PREFIX}:terminal:${terminal}`;
/** String: a group. Sorted set of all groups, in the order of their addresses. */
export const groupKey = (group: PublicUserIdentity) => `${PREFIX}:group:${group}`;
export const groupsKey = `${PREFIX}:groups`;
/** Sorted set of all users, in the order of their names. */
export const usersKey = `${PREFIX}:users`;
/** Hash: push initiators. */
export const initiatorsKey = `${PREFIX}:initiators`;
/** Hash: name of a client certificate → the initiator that it stands for. The tag is the other key, so both share a slot. */
export const initiatorCertificatesKey = `{${initiatorsKey}}:certificates`;

/** Keys of what initiators with limits use: in 16 tags by the first digit of a digest, because an id may hold any character. */
export const QUOTA_BUCKETS = PUSH_BUCKETS;
export const quotaBucket = (initiator: string): string =>
  createHash('sha256').update(initiator).digest('hex').slice(0, 1);
const quota = (initiator: string, what: string) =>
  `${PREFIX}:{i:${quotaBucket(initiator)}}:${what}:${initiator}`;
/** String with a time to live: when the initiator's next push may come (µs), as the rate limit counts. */
export const rateKey = (initiator: string) => quota(initiator, 'rate');
/** Sorted set: pushes that are held, by the moment they were counted. String: the octets of all of them. */
export const pendingKey = (initiator: string) => quota(initiator, 'pending');
export const pendingBytesKey = (initiator: string) => quota(initiator, 'pending-bytes');
/** Set of a bucket: initiators that something is counted for. */
export const countedKey = (bucket: string) => `${PREFIX}:{i:${bucket}}:counted`;

/** Hash: what is known of the parts of a push, or of a SIR, on its way to one terminal. */
export const partsKey = (id: string, terminal: TerminalId) =>
  `${PREFIX}:{p:${id.slice(0, 1)}}:parts:${id}:${terminal}`;
/** Names of parts, by the end of the address that they went to: networks write its beginning in several ways. */
const named = (address: string, what: string) => `${PREFIX}:{n:${address.slice(-2)}}:${what}`;
const partName = ({ centre, id, address }: PartName) => `${address}:${id}:${centre}`;
/** String with a time to live: the part that a network calls so. */
export const partNameKey = (name: PartName) => named(name.address, `part:${partName(name)}`);
/** String with a time to live: a receipt under a name that nobody has heard of yet. */
export const earlyReceiptKey = (name: PartName) => named(name.address, `early:${partName(name)}`);
/** String with a time to live: counts the references of messages to an address. */
export const partReferenceKey = (address: string) => named(address, `reference:${address}`);

/** Hash: parts of a message of a subscriber. Sorted set: such messages of one sender that are incomplete, by the arrival of their first part. */
export const incomingPartsKey = (sender: string, message: string) =>
  `${PREFIX}:{m:${sender.slice(0, 2)}}:incoming:${sender}:${message}`;
export const incompleteKey = (sender: string) => `${PREFIX}:{m:${sender.slice(0, 2)}}:incomplete:${sender}`;

/** String: signs the nonces of digest challenges. */
export const nonceKey = `${PREFIX}:nonce-key`;

/** String: the key under which browsers subscribe (RFC 8292). */
export const vapidKey = `${PREFIX}:vapid-key`;

/** String with a time to live: a gateway process that is alive. */
export const nodeKey = (node: string) => `${PREFIX}:node:${node}`;
/** String with a time to live: a SIR that terminals may cite. Ids come from peers too. */
export const sirKey = (id: string) => `${PREFIX}:sir:${id}`;
export const MAX_SIR_ID_LENGTH = 256;
/** Channel on which a process is asked to run lanes. */
export const kickChannel = (node: string) => `${PREFIX}:kick:${node}`;
/** Channel on which every process is asked. No node has an empty name. */
export const everyNodeChannel = kickChannel('');
/** Hash: what operators have told links to message centres, by the name of the link. A link that is to run is not in it. */
export const linkOrdersKey = `${PREFIX}:links`;
/** Channel on which every process is told that it has changed. */
export const linksChannel = `${PREFIX}:links-changed`;
/** BullMQ's prefix; the braces keep its keys in one slot. */
export const QUEUE_PREFIX = `{${PREFIX}}`;

/** All that scripts need of a lane: lane, queue, deferred, deadlines, due. */
export function laneKeys(terminal: TerminalId): string[] {
  return [
    laneKey(terminal),
    queueKey(terminal),
    deferredKey(terminal),
    deadlinesKey(terminal),
    dueKey(laneBucket(terminal)),
  ];
}
