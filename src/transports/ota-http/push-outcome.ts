/** What a terminal's answer means for a push, and for a SIR. */
import type { ConnectionOutcome } from '../../lane/ports.js';
import type { BearerOutcome } from '../../push/ports.js';
import type { Answered } from './terminal-exchange.js';

/** 400 confirms; 234, 235, 237 and 238 are for good, and the initiator learns which; 236 is not. */
export function connectionOutcome({ meaning, detail, papCode, retryAt }: Answered): ConnectionOutcome {
  const code = papCode === undefined ? {} : { code: papCode };
  switch (meaning) {
    case 'accepted':
      return { kind: 'confirmed' };
    case 'taken':
      return { kind: 'handed', detail };
    case 'aborted':
      return { kind: 'refused', why: 'declined', detail, ...code };
    case 'unknownMediaType':
      // An abort of the terminal's own; from a mere HTTP server it says that the type is not supported.
      return { kind: 'refused', why: papCode === undefined ? 'mediaType' : 'declined', detail, ...code };
    case 'tooLarge':
      return { kind: 'refused', why: 'size', detail };
    default:
      return { kind: 'lost', detail, ...(retryAt === undefined ? {} : { retryAt }) };
  }
}

/** 236 with a time is the terminal's word that it wants the SIR later (SIR-136). */
export function wakeOutcome({
  meaning,
  detail,
  papCode,
  retryAt,
}: Answered): Pick<BearerOutcome, 'kind' | 'detail' | 'retryAt'> {
  switch (meaning) {
    case 'accepted':
    case 'taken':
      return { kind: 'handed', detail };
    case 'aborted':
      return { kind: 'refused', detail };
    case 'notNow':
      // A mere HTTP server that is busy leaves the next method a chance.
      return retryAt === undefined || papCode === undefined
        ? { kind: 'failed', detail }
        : { kind: 'deferred', detail, retryAt };
    default:
      return { kind: 'failed', detail };
  }
}
