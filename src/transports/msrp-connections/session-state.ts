/** The life of one MSRP session (RFC 4975 §5.4, RFC 6135 §4.2): which side connects is decided by `connect` or `awaitPeer`. */
import type { TransitionTable } from '../../kernel/transition-table.js';

export type SessionState = 'opened' | 'awaiting' | 'connecting' | 'connected' | 'closed';
export type SessionEvent = 'peerExpected' | 'connectAsked' | 'bound' | 'ended';

export const SESSION_STATES = {
  opened: { peerExpected: 'awaiting', connectAsked: 'connecting', ended: 'closed' },
  awaiting: { bound: 'connected', ended: 'closed' },
  connecting: { bound: 'connected', ended: 'closed' },
  connected: { ended: 'closed' },
  closed: {},
} as const satisfies TransitionTable<SessionState, SessionEvent>;
