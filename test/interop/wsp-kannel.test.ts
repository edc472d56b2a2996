/**
 * Debian's Kannel, the one WAP gateway in free software, as peer of our WTP and WSP: our terminal opens a session at its wapbox, gets its pushes
 * there, confirmed and aborted, and in datagrams; and what passes between the two is dissected by tshark.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBytes, systemClock } from '../../src/app/system-clock.js';
import { ABORT, type PushContents } from '../../src/protocols/wsp/index.js';
import { WspListener } from '../../src/terminal/wsp-listener.js';
import { WspSession } from '../../src/terminal/wsp-session.js';
import { when } from '../support/e2e-gateway.js';
import { KANNEL, Kannel } from '../support/kannel.js';

/** Where Kannel takes the terminal to be; the port of connectionless pushes is fixed. */
const TERMINAL = '127.77.0.3';
const SI = `<?xml version="1.0"?><!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd"><si><indication href="http://m.example.org/n/7" si-id="n7@example.org" action="signal-medium">1 new message</indication></si>`;

let kannel: Kannel;

beforeAll(async () => {
  kannel = await Kannel.start();
});
afterAll(() => kannel?.[Symbol.asyncDispose]());

async function connect(taken: PushContents[], answers: (number | undefined)[] = []): Promise<WspSession> {
  return WspSession.open(
    {
      host: KANNEL.address,
      port: KANNEL.port,
      local: TERMINAL,
      headers: [{ name: 'Accept-Application', value: 'x-wap-application:wml.ua' }],
    },
    {
      clock: systemClock,
      randomBytes,
      async take(push) {
        const reason = answers.shift();
        if (reason === undefined) taken.push(push);
        return reason;
      },
    },
  );
}

describe('a push without a session', () => {
  it('reaches our terminal with its headers, in its binary form', async () => {
    const taken: PushContents[] = [];
    await using _listener = await WspListener.start(
      { host: TERMINAL, port: 2948 },
      { take: async (push) => taken.push(push), onRefused: (reason) => expect.fail(reason) },
    );
    const answer = await kannel.push({
      pushId: 'cl@pi',
      to: TERMINAL,
      deliveryMethod: 'unconfirmed',
      contentType: 'text/vnd.wap.si',
      content: SI,
    });
    expect(answer).toContain('"1001"');
    await when(
      () => taken.length,
      (count) => count > 0,
      'pushes',
    );
    expect(taken[0]?.contentType.mediaType).toBe('application/vnd.wap.sic');
    expect(Buffer.from(taken[0]?.body ?? []).subarray(0, 3)).toEqual(Buffer.from([2, 5, 0x6a]));
  });
});

describe('a session of our terminal at its wapbox', () => {
  it('opens, is suspended and resumed, and is ended', async () => {
    const session = await connect([]);
    expect(session.capabilities).toMatchObject({ pushMor: 8, clientSduBytes: 262_144 });
    await session.suspend();
    await session.resume();
    await session.disconnect();
    await kannel.logged('wapbox', 'New state SUSPENDED');
    await kannel.logged('wapbox', 'New state NULL_SESSION');
  });

  it('takes the push that waited for it, and Kannel learns that it is there', async () => {
    const before = confirmed();
    await using pushed = await pushSession();
    expect(pushed.taken).toMatchObject([
      { kind: 'confirmed-push', contentType: { mediaType: 'application/vnd.wap.sic' } },
    ]);
    await when(confirmed, (count) => count > before, 'confirmations');
  });

  it('aborts a push, and Kannel learns why', async () => {
    await using _pushed = await pushSession(ABORT.userDiscarded);
    await kannel.logged('wapbox', 'state INITIATOR_RESULT_WAIT, event RcvAbort');
  });
});

/** Pushes of which Kannel has seen that our terminal confirmed them. */
function confirmed(): number {
  return kannel.log('wapbox').split('OTA: confirming push for ppg').length - 1;
}

interface Pushed extends AsyncDisposable {
  readonly taken: readonly PushContents[];
}

/**
 * A session in which Kannel sends the push that waited for one: it sends confirmed ones only when a session opens, and several at once under one
 * transaction id, so it gets one at a time. It drops the push when its own threads let that come in front of its answer to the
 * Connect; then the next attempt may go better. `reason`: our terminal aborts the push.
 */
async function pushSession(reason?: number): Promise<Pushed> {
  const count = (text: string) => kannel.log('wapbox').split(text).length;
  const dropped = () => count("Can't handle event");
  for (let attempt = 0; attempt < 30; attempt += 1) {
    // A push that comes while the session before is being forgotten makes it crash.
    await when(
      () => count('Created PPGSessionMachine') === count('destroying PPGSEssionMachine'),
      (isIdle) => isIdle,
      'its session machines',
    );
    await kannel.push({
      pushId: `held${attempt}.${reason ?? 0}@pi`,
      to: TERMINAL,
      deliveryMethod: 'confirmed',
      contentType: 'text/vnd.wap.si',
      content: SI,
    });
    const before = dropped();
    const taken: PushContents[] = [];
    const answers = [reason];
    const session = await connect(taken, answers);
    const state = await when(
      () => (answers.length === 0 ? 'taken' : dropped() > before && 'dropped'),
      (is) => is !== false,
      'the push that waited',
    );
    if (state === 'taken') return { taken, [Symbol.asyncDispose]: () => session.disconnect() };
    await session.disconnect();
  }
  throw new Error('Kannel dropped whatever waited');
}
