/**
 * What we assume about sip.js, one test per assumption: a new version that breaks one shows here and not in the field.
 * The second half shows that what transactions.ts adds is there.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Timers } from 'sip.js/lib/core/timers.js';
import { InviteClientTransaction } from 'sip.js/lib/core/transactions/invite-client-transaction.js';
import { InviteServerTransaction } from 'sip.js/lib/core/transactions/invite-server-transaction.js';
import { NonInviteClientTransaction } from 'sip.js/lib/core/transactions/non-invite-client-transaction.js';
import { NonInviteServerTransaction } from 'sip.js/lib/core/transactions/non-invite-server-transaction.js';
import { expect, test } from 'vitest';
import { RFC_TIMERS } from '../../../src/transports/sip-stack/timers.js';
import {
  openClientTransaction,
  openServerTransaction,
} from '../../../src/transports/sip-stack/transactions.js';
import { Inbox } from './support.js';

const LOGGER = { error() {}, warn() {}, log() {}, debug() {} };
const USER = { loggerFactory: { getLogger: () => LOGGER } };
const FAST = { t1: 2, t2: 8, t4: 10 };

function recordingOutlet(isReliable = false) {
  const sent = new Inbox<string>();
  const outlet = {
    protocol: 'UDP',
    isReliable,
    send: async (byteString: string) => {
      sent.push(byteString);
    },
  };
  return { outlet, sent };
}

/** An object that throws when anything but the named properties is read. */
function only<T extends object>(shape: T): T {
  return new Proxy(shape, {
    get(target, name) {
      if (name in target || typeof name === 'symbol') return Reflect.get(target, name);
      throw new Error(`the library reads ${name}`);
    },
  });
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

test('only one file imports the library', () => {
  const importers = filesUnder('src').filter((path) => /from 'sip\.js/.test(readFileSync(path, 'utf8')));
  expect(importers).toEqual(['src/transports/sip-stack/transactions.ts']);
});

test('the library reads its timer lengths from a mutable object that has the names we set', () => {
  for (const name of ['B', 'D', 'F', 'H', 'I', 'J', 'K', 'L', 'M']) {
    expect(Timers).toHaveProperty(`TIMER_${name}`);
  }
  expect(Object.isFrozen(Timers)).toBe(false);
});

test('client machines touch nothing of a request but what we give them', () => {
  const { outlet } = recordingOutlet();
  const request = only({
    method: 'INVITE',
    ruri: 'sip:a@b',
    callId: 'c',
    cseq: 1,
    branch: 'z9hG4bKx',
    getHeader: (name: string) => name,
    setViaHeader() {},
    toString: () => 'octets',
  });
  const response = only({ statusCode: 486, toTag: 't', getHeader: () => 'to' });
  const invite = new InviteClientTransaction(request as never, outlet as never, USER as never);
  invite.receiveResponse(response as never);
  expect(invite.state).toBe('Completed');
  invite.dispose();
  const other = new NonInviteClientTransaction(request as never, outlet as never, USER as never);
  other.receiveResponse(response as never);
  expect(other.state).toBe('Completed');
  other.dispose();
});

test('server machines touch nothing of a request but branch and method', () => {
  const { outlet } = recordingOutlet();
  const invite = new InviteServerTransaction(
    only({ viaBranch: 'b', method: 'INVITE' }) as never,
    outlet as never,
    USER as never,
  );
  invite.receiveResponse(486, 'octets');
  invite.receiveRequest(only({ method: 'INVITE' }) as never);
  invite.receiveRequest(only({ method: 'ACK' }) as never);
  expect(invite.state).toBe('Confirmed');
  invite.dispose();
  const other = new NonInviteServerTransaction(
    only({ viaBranch: 'b', method: 'BYE' }) as never,
    outlet as never,
    USER as never,
  );
  other.receiveResponse(200, 'octets');
  other.receiveRequest(only({ method: 'BYE' }) as never);
  other.dispose();
});

test('a server machine hands the transport the very string it was given', async () => {
  const { outlet, sent } = recordingOutlet();
  const machine = new NonInviteServerTransaction(
    { viaBranch: 'b', method: 'BYE' } as never,
    outlet as never,
    USER as never,
  );
  machine.receiveResponse(200, '\0\x80\xff');
  expect(await sent.next()).toBe('\0\x80\xff');
  machine.dispose();
});

test('the library repeats nothing by itself, which is why we do', async () => {
  const { outlet, sent } = recordingOutlet();
  const transaction = openServerTransaction({
    method: 'INVITE',
    branch: 'b',
    outlet,
    timers: FAST,
    onTerminated() {},
  });
  transaction.respond(486, 'refused');
  expect([await sent.next(), await sent.next(), await sent.next()]).toEqual([
    'refused',
    'refused',
    'refused',
  ]);
  transaction.receive('ACK');
  transaction.dispose();
});

test('over a reliable transport nothing is repeated', async () => {
  const { outlet, sent } = recordingOutlet(true);
  const terminated = new Promise<void>((resolve) => {
    const transaction = openServerTransaction({
      method: 'INVITE',
      branch: 'b',
      outlet,
      timers: FAST,
      onTerminated: resolve,
    });
    transaction.respond(486, 'refused');
  });
  await terminated; // Timer H, many intervals of Timer G later
  expect(sent.length).toBe(1);
});

test('timers of one stack do not reach into another', async () => {
  const slow = recordingOutlet();
  const fast = recordingOutlet();
  const open = (outlet: typeof slow.outlet, timers: typeof FAST, onTimeout: () => void) =>
    openClientTransaction({
      request: {
        method: 'MESSAGE',
        uri: 'sip:a@b',
        via: 'SIP/2.0/UDP a;branch=z9hG4bKx',
        from: '<sip:a@b>;tag=1',
        callId: 'c',
        cseq: 1,
        route: undefined,
        byteString: 'request',
      },
      outlet,
      timers,
      onResponse() {},
      onTimeout,
      onTransportError() {},
      onTerminated() {},
    });
  let hasSlowEnded = false;
  const first = open(slow.outlet, RFC_TIMERS, () => {
    hasSlowEnded = true;
  });
  await new Promise<void>((resolve) => void open(fast.outlet, FAST, resolve));
  const second = open(slow.outlet, RFC_TIMERS, () => {
    hasSlowEnded = true;
  });
  expect(Timers.TIMER_F).toBe(32_000);
  expect(hasSlowEnded).toBe(false);
  first.dispose();
  second.dispose();
});
