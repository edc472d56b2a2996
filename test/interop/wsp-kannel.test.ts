/**
 * Debian's Kannel, the one WAP gateway in free software, as peer of our WTP and WSP: our terminal opens a session at its wapbox, gets its pushes
 * there, confirmed and aborted, and in datagrams; and its test browser, which wants no pushes, is told by our port that this is no proxy.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBytes, systemClock } from '../../src/app/system-clock.js';
import { WspEndpoint } from '../../src/endpoints/wsp/wsp-endpoint.js';
import { ABORT, type PushContents } from '../../src/protocols/wsp/index.js';
import { WspListener } from '../../src/terminal/wsp-listener.js';
import { WspSession } from '../../src/terminal/wsp-session.js';
import { WTP_DEFAULTS } from '../../src/transports/wtp/wtp-options.js';
import { when } from '../support/e2e-gateway.js';
import { KANNEL_PORT, Kannel } from '../support/kannel.js';
import { freeAddress } from '../support/ports.js';
import { SessionStage } from '../support/session-stage.js';

/** Where Kannel takes the terminal to be; the port of connectionless pushes is fixed. */
let terminal: string;
const SI = `<?xml version="1.0"?><!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd"><si><indication href="http://m.example.org/n/7" si-id="n7@example.org" action="signal-medium">1 new message</indication></si>`;

let kannel: Kannel;

beforeAll(async () => {
  terminal = await freeAddress();
  kannel = await Kannel.start();
});
afterAll(() => kannel?.[Symbol.asyncDispose]());

async function connect(taken: PushContents[], answers: (number | undefined)[] = []): Promise<WspSession> {
  return WspSession.open(
    {
      host: kannel.address,
      port: KANNEL_PORT,
      local: terminal,
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
      { host: terminal, port: 2948 },
      { take: async (push) => taken.push(push), onRefused: (reason) => expect.fail(reason) },
    );
    const answer = await kannel.push({
      pushId: 'cl@pi',
      to: terminal,
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

/**
 * The WAP browser among Kannel's test programs: for each of the URLs a session, a GET and a Disconnect. It asks for no pushes, so that there
 * is no session for it; it takes the status of any answer to its Connect for a session number, and goes on.
 */
async function browse(port: number, ...options: readonly string[]): Promise<string> {
  const browser = spawn(
    '/usr/lib/kannel/test/fakewap',
    ['-g', '127.0.0.1', '-p', String(port), '-M', '1', '-i', '0', ...options, 'http://www.example.test/'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [browser.stdout, browser.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  // One that gets no answer asks for ever.
  const impatience = setTimeout(() => browser.kill('SIGKILL'), 20_000);
  const [code] = await once(browser, 'close');
  clearTimeout(impatience);
  return `${output}exit ${code}`;
}

describe('its test browser at our port', () => {
  it('has its session and its GET refused with 501, and is forgotten', async () => {
    await using stage = await SessionStage.set(() => ({}));
    const endpoint = stage.opened(await listen(stage));
    const output = await browse(endpoint.address.port, '-D', '1');
    expect(output).toMatch(/received reply with status 501.*complete\..*exit 0$/s);
    expect(stage.log).toMatchObject([
      { message: 'WSP session refused', reason: 'a session without pushes: this is no proxy' },
      { message: 'WSP session refused', reason: 'GET: this is no proxy' },
    ]);
    expect([endpoint.size, stage.facts]).toEqual([0, []]);
  });

  it('gets an answer each time it asks, from several transactions at once', async () => {
    await using stage = await SessionStage.set(() => ({}));
    const endpoint = stage.opened(await listen(stage));
    const output = await browse(endpoint.address.port, '-m', '20', '-c', '4');
    const [, transactions] = /4 client threads made total (\d+) transactions\..*exit 0$/s.exec(output) ?? [];
    expect(Number(transactions)).toBeGreaterThanOrEqual(20);
    expect(output.match(/received reply with status 501/g)).toHaveLength(Number(transactions));
    expect(endpoint.size).toBe(0);
  });
});

function listen(stage: SessionStage): Promise<WspEndpoint> {
  return WspEndpoint.listen(
    { ...stage.ports, clock: systemClock, sirSentTo: () => undefined },
    {
      host: '127.0.0.1',
      port: 0,
      sirSuffices: true,
      addressSuffices: false,
      maxSessions: 100,
      maxWindow: 8,
      idleMs: 60_000,
      wtp: WTP_DEFAULTS,
    },
  );
}

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
      to: terminal,
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
