/** When a terminal opens a push session again, on a clock that the test moves. */
import { beforeEach, expect, it } from 'vitest';
import type { Clock } from '../../src/kernel/clock.js';
import { DeliveryError } from '../../src/kernel/errors.js';
import { PushSessions } from '../../src/terminal/push-sessions.js';
import type { TerminalFact } from '../../src/terminal/terminal-events.js';
import type {
  MsrpSession,
  MsrpSessionOptions,
} from '../../src/transports/msrp-connections/msrp-connections.js';
import { SipRejection } from '../../src/transports/sip-stack/sip-rejection.js';
import type { SipDialog, SipStack } from '../../src/transports/sip-stack/sip-stack.js';

const GATEWAY = 'sip:ppg@operator.test';
const ANSWER = Buffer.from(
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=message 2855 TCP/MSRP *\r\na=setup:passive\r\na=accept-types:*\r\na=path:msrp://127.0.0.1:2855/far;tcp\r\n',
);

let delays: number[];
let tasks: (() => void)[];
let facts: TerminalFact[];
let msrp: MsrpSessionOptions[];
let endDialog: ((reason: string) => void)[];
/** What the next INVITEs come to; an Error rejects. */
let invite: () => Promise<SipDialog>;

beforeEach(() => {
  delays = [];
  tasks = [];
  facts = [];
  msrp = [];
  endDialog = [];
  invite = accepted;
});

const clock: Clock = {
  now: () => 0,
  after(delayMs, task) {
    delays.push(delayMs);
    tasks.push(task);
    return { cancel: () => tasks.splice(tasks.indexOf(task), 1) };
  },
};

function accepted(): Promise<SipDialog> {
  return Promise.resolve({
    callId: 'c',
    remoteUri: GATEWAY,
    remoteBody: ANSWER,
    bye: () => Promise.resolve(),
    onEnd: (listener) => endDialog.push(listener),
  });
}

function answered(status: number): () => Promise<SipDialog> {
  return () =>
    Promise.reject(
      new SipRejection({ kind: 'response', status, reason: 'No', headers: [], body: new Uint8Array() }),
    );
}

function sessions(reconnectDelayMs: number | 'never' = 1000): PushSessions {
  const stack: Pick<SipStack, 'invite'> = { invite: () => invite() };
  return new PushSessions({
    stack,
    msrp: {
      openSession(options) {
        msrp.push(options);
        const session: MsrpSession = {
          localPath: 'msrp://127.0.0.1:9/near;tcp',
          isConnected: true,
          queuedBytes: 0,
          awaitPeer: () => undefined,
          connect: () => Promise.resolve(),
          send: () => Promise.reject(new Error('a terminal sends nothing')),
          close: () => undefined,
        };
        return session;
      },
    },
    identity: {
      from: '<sip:alice@operator.test>',
      user: 'sip:alice@operator.test',
      registrarUri: 'sip:operator.test',
      contact: '<sip:alice@127.0.0.1>',
      instance: 'urn:uuid:1',
      nextHop: { transport: 'udp', address: '127.0.0.1', port: 5060 },
    },
    mediaHost: '127.0.0.1',
    isSecure: false,
    maxContentBytes: 1000,
    onContent: () => Promise.resolve(),
    events: { emit: (fact) => facts.push(fact) },
    clock,
    randomBytes: (size) => new Uint8Array(size),
    reconnectDelayMs,
  });
}

/** Runs the timer that waits, and lets what it started come to its end. */
async function timePasses(): Promise<void> {
  tasks.shift()?.();
  await new Promise((resolve) => setImmediate(resolve));
}

it('a session that broke is opened again after the delay', async () => {
  await sessions().open(GATEWAY, { sirId: 't1.abc' });
  msrp[0]?.onClosed?.('the connection broke');
  expect(delays).toEqual([1000]);
  await timePasses();
  expect(facts.map(({ kind }) => kind)).toEqual(['connected', 'closed', 'connected']);
});

it('the delay doubles up to a minute while the gateway is away', async () => {
  await sessions().open(GATEWAY);
  invite = () => Promise.reject(new DeliveryError('unreachable', 'nobody there'));
  msrp[0]?.onClosed?.('the connection broke');
  for (let attempt = 0; attempt < 7; attempt += 1) await timePasses();
  expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

it('the delay starts anew once it has been connected', async () => {
  await sessions().open(GATEWAY);
  invite = answered(503);
  msrp[0]?.onClosed?.('the connection broke');
  await timePasses();
  invite = accepted;
  await timePasses();
  msrp.at(-1)?.onClosed?.('the connection broke');
  expect(delays).toEqual([1000, 2000, 1000]);
});

it.each([403, 404, 603])('a gateway that refuses with %i is left alone', async (status) => {
  invite = answered(status);
  await expect(sessions().open(GATEWAY)).rejects.toThrow(String(status));
  expect(delays).toEqual([]);
});

it('a session that the gateway ended is not opened again', async () => {
  await sessions().open(GATEWAY);
  endDialog[0]?.('BYE');
  expect(facts.at(-1)).toMatchObject({ kind: 'closed', reason: 'BYE' });
  expect(delays).toEqual([]);
});

it('nothing is opened again after the terminal has closed', async () => {
  const all = sessions();
  await all.open(GATEWAY);
  msrp[0]?.onClosed?.('the connection broke');
  await all.close('the terminal closes');
  expect(tasks).toEqual([]);
});

it('a broken session waits for the next SIR when the policy says never', async () => {
  await sessions('never').open(GATEWAY);
  msrp[0]?.onClosed?.('the connection broke');
  expect(delays).toEqual([]);
});

it('a second open to the same gateway is the first one', async () => {
  const all = sessions();
  await Promise.all([all.open(GATEWAY), all.open('sip:ppg@OPERATOR.test:5060')]);
  expect(msrp).toHaveLength(1);
});

it('an answer that wants us passive, or has no MSRP, ends the session for good', async () => {
  const dialog = await accepted();
  for (const body of [ANSWER.toString().replace('setup:passive', 'setup:active'), 'v=0\r\n']) {
    invite = () => Promise.resolve({ ...dialog, remoteBody: Buffer.from(body) });
    await expect(sessions().open(GATEWAY)).rejects.toThrow();
  }
  expect(delays).toEqual([]);
});
