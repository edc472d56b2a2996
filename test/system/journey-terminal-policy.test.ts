/**
 * A terminal that thinks for itself, driven by policy files, against the whole gateway: one factor is changed at a time, and what comes of
 * it is read at the terminal, at the gateway and at the initiator (SIR-66, SIR-115, SIR-135 … SIR-137, SIR-149, SIR-150, SIR-156).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runApplication } from '../../src/app/application-program.js';
import { terminalPolicy } from '../../src/app/terminal-policy.js';
import { parseTerminalPolicy } from '../../src/config/terminal-policy.js';
import { E2eGateway, PPG_URI, when } from '../support/e2e-gateway.js';
import { addressOf, Initiator, type PushOrder } from '../support/e2e-initiator.js';
import { ResultServer } from '../support/e2e-result-server.js';
import { instance, TerminalGuest, type TerminalGuestOptions } from '../support/e2e-terminal.js';
import { WebhookServer } from '../support/webhook-server.js';

const KEY = 'the key that phone and gateway share';
const MMS = 'X-Wap-Application-Id: x-wap-application:mms.ua';

let gateway: E2eGateway;
let initiator: Initiator;
let results: ResultServer;
let callback: WebhookServer;
let users = 0;
beforeAll(async () => {
  callback = await WebhookServer.start();
  gateway = await E2eGateway.start({
    CARILLON_NOTIFY_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_BEARERS_OTA_HTTP_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_OTA_HTTP_ENABLED: 'true',
    CARILLON_OTA_HTTP_PORT: '0',
    CARILLON_BEARERS_WSP_ENABLED: 'true',
    CARILLON_BEARERS_WSP_PORT: '0',
    CARILLON_BEARERS_WSP_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_WSP_ENABLED: 'true',
    CARILLON_WSP_PORT: '0',
    CARILLON_HTTP_CALLBACK_SECRET: callback.secret,
    CARILLON_HTTP_CALLBACK_ALLOW_PRIVATE_ADDRESSES: 'true',
    CARILLON_WAKE_RETRY_SECONDS: '[1, 3600]',
  });
  initiator = new Initiator(gateway);
  results = await ResultServer.start();
});
afterAll(async () => {
  await results?.[Symbol.asyncDispose]();
  await gateway?.[Symbol.asyncDispose]();
  await callback?.[Symbol.asyncDispose]();
});

/** A user with a phone and a PC. */
async function newUser(rules: readonly object[], phoneAttributes: object = {}) {
  users += 1;
  const user = `sip:policy${users}@example.test`;
  const [phone, pc] = [instance(90_000 + users * 10), instance(90_001 + users * 10)];
  await gateway.addUser(user, {}, { policy: { rules } });
  const terminal = (uuid: string, attributes: object) => ({
    identities: [{ kind: 'uuid', value: uuid }],
    ...attributes,
  });
  await gateway.addTerminal(user, 'phone', terminal(phone, { sirKey: KEY, ...phoneAttributes }));
  await gateway.addTerminal(user, 'pc', terminal(pc, {}));
  return { user, phone, pc, pushId: `policy${users}@pi` };
}

/** A terminal that follows this policy file. */
async function guestBy(
  text: string,
  options: Pick<TerminalGuestOptions, 'user' | 'instance' | 'otaHttp' | 'wsp' | 'statePath'>,
): Promise<TerminalGuest> {
  const file = parseTerminalPolicy('policy', text);
  const policy = terminalPolicy(file, {
    run: runApplication,
    pause,
    ask: () => new Promise(() => undefined),
  });
  return TerminalGuest.start(gateway, { ...options, identities: file.identities, profile: 'S1', policy });
}

const image = { contentType: 'image/png', content: 'five!', headers: [MMS] } satisfies Partial<PushOrder>;
const hour = (offset: number) => {
  const at = new Date(Date.now() + offset * 3_600_000);
  return at.toISOString().slice(11, 16);
};

/** Everything in it speaks for a SIR that comes with an image for the MMS client. */
const WILLING = {
  safety: `safety: { gateways: ['${PPG_URI}'], key: ${KEY} }`,
  capability: 'capability: { applications: [mms.ua], accept: [image/*], maxMessageSize: 5 }',
  subscription: 'subscription: { applications: [mms.ua] }',
  preference: `preference: { applications: [mms.ua], refusedTypes: [video/*], quietHours: { from: '${hour(3)}', to: '${hour(5)}' } }`,
  user: 'user: { answer: accept }',
  connect: 'connect: { automatically: true }',
};

/** What becomes of the push: it is there, given up with a reason that the initiator hears, put off, or waits as ever. */
type Fate = 'delivered' | 'aborted' | 'put off' | 'waits';

const MATRIX: readonly [keyof typeof WILLING, string, string, Fate][] = [
  ['connect', WILLING.connect, 'matched', 'delivered'],
  ['safety', "safety: { gateways: ['sip:ppg@elsewhere.test'] }", 'foreignGateway', 'waits'],
  ['safety', `safety: { gateways: ['${PPG_URI}'], key: another }`, 'badSignature', 'aborted'],
  ['safety', 'safety:', 'matched', 'delivered'],
  ['capability', 'capability: { applications: [wml.ua] }', 'notInstalled', 'aborted'],
  ['capability', 'capability: { accept: [text/*] }', 'typeNotTaken', 'aborted'],
  ['capability', 'capability: { maxMessageSize: 4 }', 'tooLarge', 'aborted'],
  ['subscription', 'subscription: { applications: [wml.ua] }', 'notSubscribed', 'aborted'],
  ['preference', 'preference: { applications: [wml.ua] }', 'applicationDeclined', 'aborted'],
  ['preference', 'preference: { refusedTypes: [image/png] }', 'typeDeclined', 'aborted'],
  [
    'preference',
    `preference: { quietHours: { from: '${hour(-1)}', to: '${hour(2)}' } }`,
    'quietHours',
    'put off',
  ],
  ['user', 'user: { answer: reject }', 'userDeclined', 'aborted'],
  ['user', 'user: { answer: later }', 'userPostponed', 'put off'],
  ['user', 'user: { answer: timeout, timeoutSeconds: 1 }', 'userAway', 'waits'],
  ['user', 'user:', 'matched', 'delivered'],
  ['connect', 'connect: { automatically: false }', 'leftToCaller', 'waits'],
];

describe('one factor of the policy file alone', () => {
  it.each(MATRIX)('%s, as "%s": %s, and the push is %s', async (name, section, reason, fate) => {
    const { user, phone, pushId } = await newUser([{ return: ['rejection'] }]);
    const text = Object.values({ ...WILLING, [name]: section }).join('\n');
    await using guest = await guestBy(text, { user, instance: phone });
    await initiator.push({ pushId, to: addressOf(user, phone), notifyTo: results.url, ...image });
    const [event] = await guest.after('sir');
    expect(event?.judgement.reason).toBe(reason);

    const push = await gateway.pushWhen(pushId, ({ recipients }) => {
      const [recipient] = recipients;
      if (fate === 'delivered' || fate === 'aborted') return recipient?.state === fate;
      return (recipient?.deliveries[0]?.wakes.length ?? 0) > 0;
    });
    const [recipient] = push.recipients;
    const outcome = recipient?.deliveries[0]?.wakes[0]?.outcome;
    switch (fate) {
      case 'delivered':
        expect(guest.texts).toEqual([image.content]);
        break;
      case 'aborted': {
        // SIR-136: the reason is the terminal's own, at the operator's and at the initiator's.
        const [told] = await results.about(pushId);
        expect([told?.state, told?.code]).toEqual(['aborted', 5000]);
        expect(recipient?.reason).toMatch(/^the terminal refused: 603 .*: [A-Z]/);
        expect((await gateway.lane(user, 'phone')).held).toBe(0);
        break;
      }
      case 'put off': {
        expect([recipient?.state, outcome]).toEqual(['pending', 'deferred']);
        const lane = await gateway.lane(user, 'phone');
        expect(Date.parse(lane.dueAt ?? '')).toBeGreaterThan(Date.now() + 60_000);
        break;
      }
      case 'waits':
        expect([recipient?.state, guest.texts]).toEqual(['pending', []]);
    }
  });

  it('identity: a SIR to all is followed by the one that has the name, which the policy gives it (SIR-19, SIR-127, SIR-129)', async () => {
    const mac = '00:24:BE:80:4F:F1';
    const { user, phone, pc, pushId } = await newUser([{ mode: 'filtered', identityIn: ['body'] }]);
    await gateway.addTerminal(user, 'phone', {
      identities: [
        { kind: 'mac', value: mac },
        { kind: 'uuid', value: phone },
      ],
    });
    await using guest = await guestBy(`identities: ['${mac}']`, { user, instance: phone });
    await using other = await guestBy("identities: ['00:24:BE:80:4F:F2']", { user, instance: pc });
    await initiator.push({ pushId, to: addressOf(user, mac), content: 'for that one' });
    await gateway.pushBecomes(pushId, 'delivered');
    expect(guest.texts).toEqual(['for that one']);
    expect((await other.after('sir'))[0]?.judgement.reason).toBe('otherDevice');
  });

  it('connection: a terminal that is connected gets the push without any SIR (SIR-7, SIR-155)', async () => {
    const { user, phone, pushId } = await newUser([]);
    await using guest = await guestBy('', { user, instance: phone });
    await guest.terminal.connect(PPG_URI);
    await gateway.laneWhen(user, 'phone', ({ connections }) => connections.session !== undefined);
    await initiator.push({ pushId, to: addressOf(user, phone), content: 'at once' });
    await gateway.pushBecomes(pushId, 'delivered');
    expect([guest.texts, guest.all('sir')]).toEqual([['at once'], []]);
  });
});

describe('what a policy file has the terminal return', () => {
  it('by HTTP, signed, changes the next decision, also after a crash of the gateway (SIR-63, SIR-134, SIR-135)', async () => {
    const { user, phone, pc, pushId } = await newUser([{ return: ['capability', 'preference'] }]);
    const policy = `
capability: { accept: [text/plain] }
preference: { refusedTypes: [video/*] }
safety: { gateways: ['${PPG_URI}'], key: ${KEY} }
return: { by: http, url: 'http://127.0.0.1:${gateway.ports.http}/v1/returns' }`;
    await using guest = await guestBy(policy, { user, instance: phone });
    await using other = await guestBy('', { user, instance: pc });
    await initiator.push({ pushId, to: addressOf(user, phone), content: 'text' });
    const returned = await guest.after('returned', 2);
    expect(returned.map(({ information, by, status }) => [information, by, status])).toEqual([
      ['capability', 'http', 204],
      ['preference', 'http', 204],
    ]);

    const chosen = async (id: string) =>
      (await gateway.push(id)).recipients[0]?.decision?.terminals
        .filter(({ selected }) => selected)
        .map(({ terminal }) => terminal);
    await initiator.push({ pushId: `next-${pushId}`, to: addressOf(user), ...image });
    expect(await chosen(`next-${pushId}`)).toEqual(['pc']);
    await gateway.pushBecomes(`next-${pushId}`, 'delivered');
    expect(other.texts).toEqual([image.content]);
    await gateway.crashAndRestart();
    await initiator.push({ pushId: `later-${pushId}`, to: addressOf(user), ...image });
    expect(await chosen(`later-${pushId}`)).toEqual(['pc']);
  });

  it('with the application of the SIR, which is a program (SIR-54, SIR-98, SIR-154)', async () => {
    const DCD = 'x-oma-application:dcd.ua';
    const { user, phone, pushId } = await newUser([
      { return: ['subscription'], activate: { id: DCD, name: 'DCD' } },
    ]);
    const script = 'console.log(JSON.stringify({ subscription: { applications: ["dcd.ua", "wml.ua"] } }))';
    const policy = JSON.stringify({
      activation: {
        when: 'before',
        applications: [{ id: 'dcd.ua', command: [process.execPath, '-e', script] }],
      },
    });
    await using guest = await guestBy(policy, { user, instance: phone });
    await initiator.push({ pushId, to: addressOf(user, phone) });
    await guest.after('returned');
    expect(
      guest.events.map(({ kind }) => kind).filter((kind) => /activated|connected|returned/.test(kind)),
    ).toEqual(['activated', 'connected', 'returned']);
    const { body } = await gateway.admin('GET', `/users/${encodeURIComponent(user)}/terminals/phone`);
    expect(body).toMatchObject({
      returned: { subscription: { information: { applications: ['dcd.ua', 'wml.ua'] } } },
    });
  });

  it('nothing of what it withholds', async () => {
    const { user, phone, pushId } = await newUser([{ return: ['capability', 'security', 'rejection'] }]);
    await using guest = await guestBy('return: { withhold: [security, rejection] }', {
      user,
      instance: phone,
    });
    await initiator.push({ pushId, to: addressOf(user, phone) });
    await guest.after('returned');
    await gateway.pushBecomes(pushId, 'delivered');
    const { body } = await gateway.admin('GET', `/users/${encodeURIComponent(user)}/terminals/phone`);
    expect(Object.keys((body as { returned: object }).returned)).toEqual(['capability']);
  });
});

describe('a SIR that comes by another carrier than SIP', () => {
  it('by OTA-HTTP is followed by OTA-HTTP where that is dearer (SIR-82, SIR-148)', async () => {
    const { user, phone, pushId } = await newUser([]);
    const options = { user, instance: phone, otaHttp: { host: '127.0.0.1', port: 0 } };
    await using guest = await guestBy('connect: { by: [ota-http, sip] }', options);
    const [listening] = guest.all('listening');
    await gateway.addTerminal(user, 'phone', {
      identities: [{ kind: 'uuid', value: phone }],
      activation: [{ bearer: 'ota-http', address: listening?.url, carries: 'sir' }],
    });
    await initiator.push({ pushId, to: addressOf(user, phone), content: 'on its own connection' });
    const push = await gateway.pushBecomes(pushId, 'delivered');
    expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'ota-session' });
    expect(guest.all('sir')).toMatchObject([{ sir: { carrier: 'http' }, judgement: { verdict: 'connect' } }]);
    expect(guest.all('connected')).toMatchObject([{ gateway: `http://127.0.0.1:${gateway.ports.ota}` }]);
    expect(guest.all('content')).toMatchObject([{ content: { via: 'http', id: push.uid } }]);
    expect(guest.texts).toEqual(['on its own connection']);
  });

  it('by OTA-HTTP is refused by the push status, with the reason (SIR-136)', async () => {
    const { user, phone, pushId } = await newUser([{ return: ['rejection'] }]);
    const options = { user, instance: phone, otaHttp: { host: '127.0.0.1', port: 0 } };
    await using guest = await guestBy('user: { answer: reject }', options);
    await gateway.addTerminal(user, 'phone', {
      identities: [{ kind: 'uuid', value: phone }],
      activation: [{ bearer: 'ota-http', address: guest.all('listening')[0]?.url, carries: 'sir' }],
    });
    await initiator.push({ pushId, to: addressOf(user, phone), notifyTo: results.url });
    const [told] = await results.about(pushId);
    expect([told?.state, told?.code]).toEqual(['aborted', 5000]);
    expect((await gateway.push(pushId)).recipients[0]?.reason).toMatch(/235 USERRFS: The user declined$/);
    expect(guest.all('connected')).toEqual([]);
  });

  const overWsp = async (policy: string, carries?: 'sir') => {
    const { user, phone, pushId } = await newUser([{ return: ['rejection'] }]);
    const options = { user, instance: phone, wsp: { host: '127.0.0.1', port: 0 } };
    const guest = await guestBy(policy, options);
    const [listening] = guest.all('listening');
    const address = listening?.url.replace('wsp://', '');
    await gateway.addTerminal(user, 'phone', {
      identities: [{ kind: 'uuid', value: phone }],
      sirKey: KEY,
      activation: [{ bearer: 'wsp', address, ...(carries === undefined ? {} : { carries }) }],
    });
    return { guest, pushId, to: addressOf(user, phone) };
  };

  it.each([
    ['sip', 'msrp', 'msrp'],
    ['wsp', 'wsp-session', 'wsp'],
  ])(
    'by WSP in a datagram is followed by %s where that is dearest (SIR-85, SIR-148)',
    async (way, bearer, via) => {
      const { guest, pushId, to } = await overWsp(`connect: { by: [${way}] }`, 'sir');
      await using _guest = guest;
      await initiator.push({ pushId, to, content: 'in a session' });
      const push = await gateway.pushBecomes(pushId, 'delivered');
      expect(guest.all('sir')).toMatchObject([
        { sir: { carrier: 'wsp' }, judgement: { verdict: 'connect' } },
      ]);
      expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer });
      expect(guest.all('content')).toMatchObject([{ content: { via, id: push.uid }, isDuplicate: false }]);
      expect(guest.texts).toEqual(['in a session']);
    },
  );

  it('by WSP is refused by a report over HTTP, for nobody answers a datagram (SIR-136)', async () => {
    const returns = `return: { by: http, key: ${KEY}, url: 'http://127.0.0.1:${gateway.ports.http}/v1/returns' }`;
    const { guest, pushId, to } = await overWsp(`user: { answer: reject }\n${returns}`, 'sir');
    await using _guest = guest;
    await initiator.push({ pushId, to, notifyTo: results.url });
    expect((await results.about(pushId))[0]?.state).toBe('aborted');
    expect((await gateway.push(pushId)).recipients[0]?.reason).toContain('userDeclined: The user declined');
    expect(guest.all('connected')).toEqual([]);
  });

  it('and content by WSP in a datagram is taken, once (SIR-9)', async () => {
    const { guest, pushId, to } = await overWsp('');
    await using _guest = guest;
    await initiator.push({ pushId, to, content: 'in a datagram' });
    await guest.after('content');
    expect(guest.all('content')).toMatchObject([{ content: { via: 'wsp' }, isDuplicate: false }]);
    expect(guest.texts).toEqual(['in a datagram']);
  });

  it.each([
    ['refused for good ends the attempt', 'user: { answer: reject }', 'aborted'],
    ['not wanted now gives nothing up', 'user: { answer: later }', 'pending'],
  ])('by octets of any other, %s: the report goes by HTTP (SIR-134, SIR-136)', async (_, answer, state) => {
    const { user, phone, pushId } = await newUser([{ return: ['rejection'] }], {
      activation: [{ bearer: 'http-callback', address: callback.url }],
    });
    const returns = `return: { by: http, key: ${KEY}, url: 'http://127.0.0.1:${gateway.ports.http}/v1/returns' }`;
    await using guest = await guestBy(`${answer}\n${returns}`, { user, instance: phone });
    await initiator.push({ pushId, to: addressOf(user, phone) });
    const hook = await when(
      () => callback.received.find(({ event }) => event['user'] === user),
      (found) => found !== undefined,
      'call-back',
    );
    await guest.terminal.receiveSia(Buffer.from(String(hook?.event['sia']), 'base64'), 'sms');
    expect(await guest.after('returned')).toMatchObject([
      { information: 'rejection', by: 'http', status: 204 },
    ]);
    const push = await gateway.pushBecomes(pushId, state);
    expect(push.recipients[0]?.deliveries[0]?.state).toBe(state === 'pending' ? 'held' : 'aborted');
  });
});

describe('when nobody comes', () => {
  it('the next activation method brings the SIR, and one session results (SIR-92, SIR-137)', async () => {
    const { user, phone, pushId } = await newUser([{ return: ['rejection'] }]);
    // Its user does not hear the first question: 480 by SIP, and the next method is tried at once.
    const answers = [new Promise<'accept'>(() => undefined)];
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      profile: 'S1',
      otaHttp: { host: '127.0.0.1', port: 0 },
      policy: { askUser: async () => answers.pop() ?? 'accept', askUserTimeoutMs: 100 },
    });
    await gateway.addTerminal(user, 'phone', {
      identities: [{ kind: 'uuid', value: phone }],
      activation: [
        { bearer: 'sip' },
        { bearer: 'ota-http', address: guest.all('listening')[0]?.url, carries: 'sir' },
      ],
    });
    await initiator.push({ pushId, to: addressOf(user, phone), content: 'by the second way' });
    const push = await gateway.pushBecomes(pushId, 'delivered');
    const asked = guest.all('sir').map(({ sir, judgement }) => [sir.carrier, judgement.reason]);
    expect(asked).toEqual([
      ['sip', 'userAway'],
      ['http', 'matched'],
    ]);
    const wakes = push.recipients[0]?.deliveries[0]?.wakes ?? [];
    expect(wakes.map(({ bearer, outcome }) => [bearer, outcome]).sort()).toEqual([
      ['ota-http', 'handed'],
      ['sip', 'failed'],
    ]);
    expect(guest.all('connected')).toHaveLength(1);
    expect(guest.texts).toEqual(['by the second way']);
  });

  it('the push expires, and the initiator hears it (SIR-137)', async () => {
    const { user, phone, pushId } = await newUser([]);
    await using guest = await guestBy('connect: { automatically: false }', { user, instance: phone });
    const deliverBefore = Math.ceil(Date.now() / 1000) * 1000 + 2000;
    await initiator.push({ pushId, to: addressOf(user, phone), deliverBefore, notifyTo: results.url });
    await guest.after('sir');
    expect((await results.about(pushId))[0]?.state).toBe('expired');
    expect(guest.texts).toEqual([]);
  });
});

describe('a terminal that was switched off and on', () => {
  it('does not follow a SIR again that it has had (SIR-60)', async () => {
    const { user, phone, pushId } = await newUser([], {
      activation: [{ bearer: 'http-callback', address: callback.url }],
    });
    const directory = await mkdtemp(join(tmpdir(), 'carillon-policy-'));
    const options = { user, instance: phone, statePath: join(directory, 'phone.state') };
    const first = await guestBy('', options);
    await initiator.push({ pushId, to: addressOf(user, phone) });
    const hook = await when(
      () => callback.received.find(({ event }) => event['user'] === user),
      (found) => found !== undefined,
      'call-back',
    );
    const octets = Buffer.from(String(hook?.event['sia']), 'base64');
    await first.terminal.receiveSia(octets, 'sms');
    await gateway.pushBecomes(pushId, 'delivered');
    await first.terminal.close();
    await using second = await guestBy('', options);
    expect((await second.terminal.receiveSia(octets, 'wsp')).reason).toBe('duplicate');
    await rm(directory, { recursive: true });
  });
});
