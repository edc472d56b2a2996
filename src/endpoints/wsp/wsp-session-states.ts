/** States of a WSP session on the side of the gateway (WAP-230 §7.1.5). */
import type { TransitionTable } from '../../kernel/transition-table.js';

export type WspSessionState = 'connecting' | 'connected' | 'suspended' | 'resuming' | 'null';
export type WspSessionEvent = 'open' | 'suspend' | 'resume' | 'close';

export const WSP_SESSION: TransitionTable<WspSessionState, WspSessionEvent> = {
  connecting: { open: 'connected', close: 'null' },
  connected: { suspend: 'suspended', close: 'null' },
  suspended: { resume: 'resuming', close: 'null' },
  resuming: { open: 'connected', suspend: 'suspended', close: 'null' },
  null: {},
};
