/** What both sides of the stack, user-agent server and client, work with. */
import type { DialogTable } from './dialog.js';
import type { Network } from './network.js';
import type { SipLog } from './sip-log.js';
import type { SipLimits } from './sip-stack.js';
import type { SipTimers } from './timers.js';

export interface StackCore {
  readonly network: Network;
  readonly dialogs: DialogTable;
  readonly timers: SipTimers;
  readonly limits: SipLimits;
  readonly product: string;
  /** Option tags of Supported, in lower case. */
  readonly supported: readonly string[];
  /** Media types of Accept. */
  readonly accept: readonly string[];
  readonly log: SipLog;
}

/**
 * Our Contact towards a peer: the user part given, the address under which that peer reaches us. What came to a SIPS URI is
 * answered with one (RFC 3261 §12.1.1).
 */
export function contactFor(
  core: StackCore,
  user: string | undefined,
  flow: { readonly transport: string; readonly address: string },
  scheme: 'sip' | 'sips' = 'sip',
): string {
  const address = core.network.localAddress(flow.transport, flow.address);
  const isImplied = flow.transport === 'udp' || (scheme === 'sips' && flow.transport === 'tls');
  // [RFC 7118 §5.3] `ws` stands for both; that it is secure is said by the scheme.
  const transport = isImplied ? '' : `;transport=${flow.transport === 'wss' ? 'ws' : flow.transport}`;
  return `<${scheme}:${user === undefined ? '' : `${user}@`}${address}${transport}>`;
}
