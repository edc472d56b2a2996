/**
 * A push as Redis keeps it: one hash with what was submitted, and a few small fields for each terminal and each address. Here
 * the fields become values; the scripts in `lua/` are the only ones that write them.
 */
import type { DeliveryState } from '../push/journey.js';
import type {
  DeliveryRecord,
  Push,
  PushHead,
  PushStory,
  Recipient,
  RecipientStory,
  ResultRecord,
} from '../push/push-message.js';
import type { TerminalId } from '../registry/terminal-id.js';

/** What a push keeps for each of its terminals, each field under `<name>:<terminal>`. */
const DELIVERY_FIELDS = [
  'state',
  'at',
  'attempts',
  'tried',
  'code',
  'reason',
  'bearer',
  'unconfirmed',
  'failed',
] as const;

export type PushHash = Readonly<Record<string, string>>;

/** Names of all fields that are kept for these terminals. */
export function deliveryFields(terminals: readonly TerminalId[]): readonly string[] {
  return terminals.flatMap((terminal) => DELIVERY_FIELDS.map((name) => `${name}:${terminal}`));
}

export function terminalsOf(recipients: readonly Recipient[]): readonly TerminalId[] {
  return [...new Set(recipients.flatMap((recipient) => recipient.terminals))];
}

export function indexesOf(terminal: TerminalId, recipients: readonly Recipient[]): string {
  return recipients
    .flatMap((recipient, index) => (recipient.terminals.includes(terminal) ? [index] : []))
    .join(',');
}

/** Undefined when nothing is kept under the key. */
export function storyFrom(hash: PushHash): PushStory | undefined {
  const { head, recipients } = hash;
  if (head === undefined || recipients === undefined) return undefined;
  const push: Push = { ...(JSON.parse(head) as PushHead), recipients: JSON.parse(recipients) as Recipient[] };
  const deliveries = terminalsOf(push.recipients).map((terminal) =>
    deliveryFrom(hash, terminal, push.acceptedAt),
  );
  const results =
    push.notifyTo === undefined ? [] : push.recipients.flatMap((_, index) => resultFrom(hash, index));
  return { push, deliveries, results };
}

/** One address. The hash has at least the fields of its terminals, `head`, and those of its report. */
export function recipientStoryFrom(
  hash: PushHash,
  recipient: Recipient,
  index: number,
): RecipientStory | undefined {
  const { head } = hash;
  if (head === undefined) return undefined;
  const push = JSON.parse(head) as PushHead;
  const [result] = push.notifyTo === undefined ? [] : resultFrom(hash, index);
  return {
    push,
    recipient,
    deliveries: recipient.terminals.map((terminal) => deliveryFrom(hash, terminal, push.acceptedAt)),
    ...(result === undefined ? {} : { result }),
  };
}

function deliveryFrom(hash: PushHash, terminal: TerminalId, acceptedAt: number): DeliveryRecord {
  const field = (name: string): string | undefined => hash[`${name}:${terminal}`];
  const [tried, code, reason, bearer] = [field('tried'), field('code'), field('reason'), field('bearer')];
  const failedBearers = bearersFrom(field('failed'));
  return {
    terminal,
    state: (field('state') ?? 'held') as DeliveryState,
    at: Number(field('at') ?? acceptedAt),
    attempts: Number(field('attempts') ?? 0),
    ...(tried === undefined ? {} : { lastAttemptAt: Number(tried) }),
    ...(code === undefined ? {} : { code: Number(code) }),
    ...(reason === undefined ? {} : { reason }),
    ...(bearer === undefined ? {} : { bearer }),
    ...(field('unconfirmed') === undefined ? {} : { isUnconfirmed: true }),
    ...(failedBearers.length === 0 ? {} : { failedBearers }),
  };
}

function resultFrom(hash: PushHash, recipient: number): ResultRecord[] {
  const text = hash[`result:${recipient}`];
  if (text !== undefined) return [{ recipient, ...(JSON.parse(text) as Omit<ResultRecord, 'recipient'>) }];
  if (hash[`open:${recipient}`] !== '0') return [];
  return [{ recipient, state: 'owed', attempts: 0, at: 0 }];
}

/** The bearers that took a delivery and gave it up, as `move-delivery` keeps them. */
export function bearersFrom(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(',');
}
