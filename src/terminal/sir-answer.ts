/**
 * The final response to a SIR that came by SIP MESSAGE, and the push status of one that came by OTA-HTTP. Receiving it is acknowledged
 * whatever becomes of it (SIR-119); only a refusal that the sender asked to hear about is told (SIR-66, SIR-136, C-10).
 */
import { formatReason } from '../protocols/sip/index.js';
import type { ResponseOptions } from '../transports/sip-stack/sip-stack.js';
import type { Judgement } from './judgement.js';
import { reasonRow } from './judgement-reasons.js';
import type { OtaPushAnswer } from './ota-http-responder.js';
import type { ReceivedSir } from './sir.js';
import type { TerminalPolicy } from './terminal-options.js';

export interface SirAnswer {
  readonly status: number;
  readonly options: ResponseOptions;
}

type Telling = Pick<TerminalPolicy, 'withheld'>;

/** Does the sender want to hear of a refusal, and does the terminal tell it? */
export function tellsRefusal(
  { return: flags }: Pick<ReceivedSir, 'return'>,
  { reason }: Judgement,
  { withheld }: Telling,
): boolean {
  return (
    flags.includes('rejection') && !withheld.includes('rejection') && reasonRow(reason).sip !== undefined
  );
}

/**
 * A sender that is not vouched for learns nothing: it gets the same 200 as for a SIR to some other device. A bad
 * signature of an allowed gateway is worth telling it, since its key may be stale.
 */
export function answerToSir(sir: ReceivedSir, judged: Judgement, telling: Telling): SirAnswer {
  const { sip, text, retryAfterSeconds } = reasonRow(judged.reason);
  if (sip === undefined || !tellsRefusal(sir, judged, telling)) return { status: 200, options: {} };
  const headers = [
    { name: 'Reason', value: formatReason({ protocol: 'SIP', cause: sip, text }) },
    ...(retryAfterSeconds === undefined ? [] : [{ name: 'Retry-After', value: String(retryAfterSeconds) }]),
  ];
  return { status: sip, options: { headers } };
}

const ACCEPTED = 400;

export function otaAnswerToSir(sir: ReceivedSir, judged: Judgement, telling: Telling): OtaPushAnswer {
  const { otaHttp, text, retryAfterSeconds } = reasonRow(judged.reason);
  if (otaHttp === undefined || !tellsRefusal(sir, judged, telling)) return { status: ACCEPTED };
  return {
    status: otaHttp,
    reason: text,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}
