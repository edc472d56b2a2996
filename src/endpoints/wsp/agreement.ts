/** What the gateway agrees on with a terminal that opens a WSP session (WAP-230 §8.3): how large, how many, and confirmed or not. Pure. */
import {
  type ConnectPdu,
  DEFAULT_PUSH_MOR,
  DEFAULT_SDU_BYTES,
  OPTION,
  type WspCapabilities,
} from '../../protocols/wsp/index.js';

export interface Agreed {
  /** Facilities, `OPTION` together. */
  readonly options: number;
  /** Confirmed pushes under way at a time. */
  readonly window: number;
  /** Largest PDU that the terminal takes. */
  readonly maxBytes: number;
  /** Media types that it says it reads, in lower case. */
  readonly accepts: ReadonlySet<string>;
  /** What it is told. */
  readonly reply: WspCapabilities;
}

const OURS = OPTION.confirmedPush | OPTION.push | OPTION.sessionResume;

/** Undefined when the terminal wants no pushes in the session, which is all that there is. */
export function agree(
  { capabilities, headers }: Pick<ConnectPdu, 'capabilities' | 'headers'>,
  { maxWindow, maxBytes }: { readonly maxWindow: number; readonly maxBytes: number },
): Agreed | undefined {
  const { protocolOptions = 0, pushMor, clientSduBytes } = capabilities;
  const options = protocolOptions & OURS;
  if ((options & (OPTION.confirmedPush | OPTION.push)) === 0) return undefined;
  const window = Math.max(1, Math.min(pushMor ?? DEFAULT_PUSH_MOR, maxWindow));
  const stated = clientSduBytes ?? DEFAULT_SDU_BYTES;
  const accepts = headers
    .filter(({ name }) => name.toLowerCase() === 'accept')
    .map(({ value }) => (value.split(';', 1)[0] ?? '').trim().toLowerCase());
  return {
    options,
    window,
    maxBytes: stated === 0 ? maxBytes : Math.min(stated, maxBytes), // 0: no limit
    accepts: new Set(accepts),
    reply: {
      protocolOptions: options,
      ...(pushMor === undefined ? {} : { pushMor: window }),
      others: [],
    },
  };
}
