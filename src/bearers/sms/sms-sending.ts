/**
 * Hands the parts of one message to the SMSC of one link, all together: they keep their order in its window. What became of the whole is the
 * worst of what became of its parts, because a terminal shows no half message.
 */
import type { Clock } from '../../kernel/clock.js';
import { formatSpan, NO_PARAMETERS } from '../../protocols/smpp/index.js';
import type { Submitted } from '../../transports/smpp/link-options.js';
import { type SmsLink, shortMessage } from './sms-link.js';

export interface SmsParcel {
  readonly address: string;
  /** User data with its header, and the number of each part, from 1. */
  readonly parts: readonly { readonly number: number; readonly userData: Uint8Array }[];
  readonly dataCoding: number;
  readonly wantsReceipt: boolean;
  readonly expiresAt: number;
}

export interface Sent {
  readonly accepted: number;
  readonly result: Submitted['kind'];
  readonly detail: string;
  /** Of `refused`: what is wrong. */
  readonly meaning?: 'link' | 'address' | 'message';
  readonly retryAt?: number;
  readonly latencyMs: number;
}

/** `taken` is waited for before a part counts as accepted; what it throws passes on. */
export async function sendParts(
  link: SmsLink,
  { address, parts, dataCoding, wantsReceipt, expiresAt }: SmsParcel,
  clock: Pick<Clock, 'now'>,
  taken: (number: number, messageId: string) => Promise<void> = async () => {},
): Promise<Sent> {
  const startedAt = clock.now();
  const validityPeriod = formatSpan(expiresAt - startedAt);
  const options = { address, hasHeader: true, dataCoding, validityPeriod, wantsReceipt };
  const all = await Promise.all(
    parts.map(async ({ number, userData }) => {
      const message = shortMessage(link, { ...options, userData });
      const submitted = await link.submit({ message, parameters: NO_PARAMETERS });
      if (submitted.kind === 'accepted') await taken(number, submitted.messageId);
      return submitted;
    }),
  );
  const latencyMs = clock.now() - startedAt;
  const accepted = all.filter(({ kind }) => kind === 'accepted').length;
  const worst = worstOf(all);
  if (!worst || worst.kind === 'accepted') {
    return {
      accepted,
      result: 'accepted',
      detail: `${link.name} took ${accepted} short messages`,
      latencyMs,
    };
  }
  return { accepted, result: worst.kind, latencyMs, ...detailsOf(worst) };
}

/** What is unknown goes before what is refused, and that before what has not been sent. */
const SEVERITY: readonly Submitted['kind'][] = ['accepted', 'notSent', 'refused', 'unknown'];

function worstOf(all: readonly Submitted[]): Submitted | undefined {
  return [...all].sort((a, b) => SEVERITY.indexOf(b.kind) - SEVERITY.indexOf(a.kind))[0];
}

function detailsOf(submitted: Exclude<Submitted, { kind: 'accepted' }>) {
  const { detail } = submitted;
  if (submitted.kind === 'refused') return { detail, meaning: submitted.meaning };
  if (submitted.kind === 'notSent' && submitted.retryAt !== undefined)
    return { detail, retryAt: submitted.retryAt };
  return { detail };
}
