/** The log of the SIP layer, which peers cannot flood. */
import { SteadyLog } from '../steady-log.js';
import type { SipLogEvent } from './sip-stack.js';

export type SipLog = SteadyLog<SipLogEvent>;

/** `log`: where lines go; absent: nowhere. */
export function steadySipLog(log: (event: SipLogEvent) => void = () => {}): SipLog {
  return new SteadyLog<SipLogEvent>(log, () => Date.now(), 'SIP log lines were suppressed');
}
