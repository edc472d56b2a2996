/** Builders of pushes and names for tests of the lane and of the push journey. */
import { type Push, pushUid, type Recipient } from '../../src/push/push-message.js';
import type { PublicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { T0 } from './fake-clock.js';

export const ALICE = 'sip:alice@example.test' as PublicUserIdentity;
export const PHONE: TerminalId = terminalId(ALICE, 'phone');
export const PC: TerminalId = terminalId(ALICE, 'pc');
export const PDA: TerminalId = terminalId(ALICE, 'pda');

export const HOUR = 3_600_000;

export interface PushOptions {
  readonly pushId?: string;
  readonly initiator?: string;
  readonly acceptedAt?: number;
  readonly expiresAt?: number;
  readonly notBefore?: number;
  readonly priority?: 'high' | 'medium' | 'low';
  readonly terminals?: readonly TerminalId[];
  readonly recipients?: readonly Recipient[];
  readonly notifyTo?: string;
  readonly size?: number;
}

let made = 0;

/** A push for the phone, unless told otherwise; every one has its own push-id. */
export function aPush(options: PushOptions = {}): Push {
  made += 1;
  const { pushId = `push-${made}@pi.test`, initiator = 'pi', acceptedAt = T0, terminals = [PHONE] } = options;
  const { expiresAt = acceptedAt + HOUR, notBefore, priority, notifyTo, size = 5 } = options;
  return {
    uid: pushUid(initiator, pushId),
    initiator,
    pushId,
    acceptedAt,
    expiresAt,
    recipients: options.recipients ?? [{ address: 'WAPPUSH=alice/TYPE=USER@ppg.test', terminals }],
    content: { contentType: 'text/plain', headers: [], size },
    progressNotes: false,
    papVersion: '2.0',
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(notifyTo === undefined ? {} : { notifyTo }),
    ...(priority === undefined
      ? {}
      : {
          quality: {
            priority,
            deliveryMethod: 'notspecified',
            networkRequired: false,
            bearerRequired: false,
          },
        }),
  };
}

export const HELLO = Buffer.from('hello');

/** A node that runs lanes, one of several. */
export const HERE = { self: 'here', isAlone: false };
