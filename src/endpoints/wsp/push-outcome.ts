/** What the end of the transaction of a push means for the push. One table for each of the two who can abort it. */
import type { ConnectionOutcome } from '../../lane/ports.js';
import { ABORT_REASONS, type AbortMeaning, abortName } from '../../protocols/wsp/index.js';
import { PROVIDER_ABORT, providerAbortName } from '../../protocols/wtp/index.js';
import type { Ended } from '../../transports/wtp/initiator-transaction.js';

/** Of WTP: the peer cannot take a message of this size, however often it is sent. */
const TOO_LARGE: readonly number[] = [
  PROVIDER_ABORT.noSegmentation,
  PROVIDER_ABORT.messageTooLarge,
  PROVIDER_ABORT.noExtendedSegmentation,
];

export function pushOutcome(
  ended: Ended,
  tooLarge: (detail: string) => ConnectionOutcome,
): ConnectionOutcome {
  switch (ended.kind) {
    case 'acknowledged':
      return { kind: 'confirmed' };
    case 'sent':
      return { kind: 'handed', detail: 'sent in the session, not confirmed' };
    case 'silent':
      return { kind: 'lost', detail: 'the terminal did not answer' };
    case 'given-up':
      return { kind: 'lost', detail: 'the session ended' };
    case 'tooLarge':
      return tooLarge('it is larger than a message can be');
    case 'result':
      return { kind: 'lost', detail: 'the terminal answered a push with a result' };
    case 'aborted':
      return ended.by === 'user'
        ? abortedByTerminal(ended.reason)
        : abortedByProvider(ended.reason, tooLarge);
  }
}

function abortedByTerminal(reason: number): ConnectionOutcome {
  const { meaning = 'failed', papCode } = ABORT_REASONS.get(reason) ?? {};
  const detail = `the terminal aborted it: ${abortName(reason)}`;
  const isFinal: Readonly<Record<AbortMeaning, boolean>> = {
    aborted: true,
    unknownMediaType: true,
    notNow: false,
    failed: false,
  };
  if (!isFinal[meaning]) return { kind: 'lost', detail };
  return { kind: 'refused', why: 'declined', detail, ...(papCode === undefined ? {} : { code: papCode }) };
}

function abortedByProvider(
  reason: number,
  tooLarge: (detail: string) => ConnectionOutcome,
): ConnectionOutcome {
  const detail = `WTP of the terminal aborted it: ${providerAbortName(reason)}`;
  return TOO_LARGE.includes(reason) ? tooLarge(detail) : { kind: 'lost', detail };
}
