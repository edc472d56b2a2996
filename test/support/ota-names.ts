/** Terminals of the tests of OTA-HTTP sessions. */
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';

export const ALICE = publicUserIdentity('sip:alice@example.test');
export const PHONE = terminalId(ALICE, 'phone');
export const PC = terminalId(ALICE, 'pc');
/** Of nobody who is known. */
export const BOB_PHONE = terminalId(publicUserIdentity('sip:bob@example.test'), 'phone');
