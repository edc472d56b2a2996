/** The registrar, request by request (RFC 3261 §10.3, RFC 3327, RFC 5626, RFC 5627): what it answers, keeps and tells. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DigestAuthentication } from '../../src/endpoints/sip/digest-authentication.js';
import { REGISTRAR_LIMITS, Registrar, type RegistrarOptions } from '../../src/endpoints/sip/registrar.js';
import { DeliveryError } from '../../src/kernel/errors.js';
import {
  answerDigestChallenge,
  chooseDigestChallenge,
  decodeSipMessage,
  type SipHeader,
} from '../../src/protocols/sip/index.js';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { sipCredentials } from '../../src/registry/sip-credentials.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import type { SipFlow } from '../../src/transports/sip-stack/sip-stack.js';
import { MemoryRegistry } from '../support/memory-registry.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const BOB = publicUserIdentity('sip:bob@example.test');
const UUID = 'urn:uuid:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6';
const INSTANCE = `+sip.instance="<${UUID}>"`;
const CONTACT = '<sip:alice@192.0.2.1:5060>';
const NOON = 1_700_000_000_000;
const UDP: SipFlow = { transport: 'udp', address: '192.0.2.1', port: 5060 };
const TCP: SipFlow = { transport: 'tcp', address: '192.0.2.1', port: 40_000, connectionId: 'c1' };

interface Answer {
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: readonly SipHeader[];
  all(name: string): readonly string[];
}

class Rig {
  now = NOON;
  readonly registry = new MemoryRegistry({ now: () => this.now });
  readonly events: string[] = [];
  readonly registrar: Registrar;
  readonly log: { readonly level: string; readonly message: string }[] = [];
  onAnswer: () => void = () => {};
  #cseq = 0;
  #random = 0;

  constructor(
    options: Partial<RegistrarOptions> = {},
    registry: Partial<MemoryRegistry> = {},
    authentication?: DigestAuthentication,
  ) {
    const clock = { now: () => this.now };
    const randomBytes = (size: number) => {
      this.#random += 1;
      return new Uint8Array(size).fill(this.#random);
    };
    this.registrar = new Registrar(
      {
        registry: {
          findUser: (id) => this.registry.findUser(id),
          putTerminal: (terminal) => this.registry.putTerminal(terminal),
          bindings: (user) => this.registry.bindings(user),
          changeBindings: (user, change) => this.registry.changeBindings(user, change),
          ...registry,
        },
        authentication:
          authentication ??
          new DigestAuthentication({ clock, randomBytes, nonceKey: new Uint8Array(16).fill(7) }),
        events: {
          onRegistered: ({ terminal, binding, isRefresh }) =>
            this.events.push(`${isRefresh ? 'refreshed' : 'registered'} ${terminal} ${binding.contact}`),
          onUnregistered: ({ terminal }) => this.events.push(`unregistered ${terminal}`),
        },
        clock,
        randomBytes,
        log: (event) => this.log.push(event),
      },
      { domain: 'example.test', node: 'n1', allowWithoutCredentials: true, ...options },
    );
  }

  /** Sends a REGISTER of alice; header lines replace or add. CSeq counts up by itself. */
  async register(
    lines: readonly string[] = [],
    more: { uri?: string; flow?: SipFlow; to?: string; cseq?: number; callId?: string; via?: number } = {},
  ): Promise<Answer> {
    this.#cseq = more.cseq ?? this.#cseq + 1;
    const vias = Array.from(
      { length: more.via ?? 1 },
      (_, index) => `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${index}`,
    );
    const text = [
      `REGISTER ${more.uri ?? 'sip:example.test'} SIP/2.0`,
      ...vias,
      'Max-Forwards: 70',
      `From: <sip:alice@example.test>;tag=1`,
      `To: <${more.to ?? ALICE}>`,
      `Call-ID: ${more.callId ?? 'call-1'}`,
      `CSeq: ${this.#cseq} REGISTER`,
      ...lines,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    const message = decodeSipMessage(Buffer.from(text));
    if (message.kind !== 'request') throw new Error('no request');
    const answers: Answer[] = [];
    await this.registrar.handle({
      message,
      flow: more.flow ?? UDP,
      respond: (status, options = {}) => {
        const headers = options.headers ?? [];
        const all = (name: string) =>
          headers.filter((header) => header.name === name).map(({ value }) => value);
        this.onAnswer();
        answers.push({ status, reason: options.reason, headers, all });
      },
    });
    const [answer] = answers;
    if (answer === undefined || answers.length > 1) throw new Error(`${answers.length} answers`);
    return answer;
  }

  bindings() {
    return this.registry.bindings(ALICE);
  }
}

let rig: Rig;
const addUser = (to: Rig, id = ALICE, more = {}) =>
  to.registry.putUser({ id, aliases: [], policy: { target: 'all-subscribed' }, ...more });
beforeEach(async () => {
  rig = new Rig();
  await addUser(rig);
});

describe('registering', () => {
  it('answers 200 with the contact, its time and the date', async () => {
    const answer = await rig.register([`Contact: ${CONTACT}`, 'Expires: 600']);
    expect(answer.status).toBe(200);
    expect(answer.all('Contact')).toEqual([`${CONTACT};expires=600`]);
    expect(answer.all('Date')).toEqual(['Tue, 14 Nov 2023 22:13:20 GMT']);
  });

  it('keeps where the REGISTER came from, its Call-ID and CSeq, and the feature tags', async () => {
    await rig.register([`Contact: ${CONTACT};+g.oma.pusheventapp="push.sia,mms.ua";video;q=0.5`], {
      flow: TCP,
    });
    expect(await rig.bindings()).toEqual([
      {
        user: ALICE,
        key: 'sip:alice@192.0.2.1:5060',
        contact: 'sip:alice@192.0.2.1:5060',
        path: [],
        callId: 'call-1',
        cseq: 1,
        expiresAt: NOON + 3_600_000,
        registeredAt: NOON,
        q: 0.5,
        features: { '+g.oma.pusheventapp': 'push.sia,mms.ua', video: '' },
        flow: { ...TCP, node: 'n1' },
      },
    ]);
  });

  it('grants the registrar’s own time when none is asked for', async () => {
    expect((await rig.register([`Contact: ${CONTACT}`])).all('Contact')).toEqual([`${CONTACT};expires=3600`]);
  });

  it('lets the contact’s own time count before the Expires header', async () => {
    const answer = await rig.register([`Contact: ${CONTACT};expires=120`, 'Expires: 600']);
    expect(answer.all('Contact')).toEqual([`${CONTACT};expires=120`]);
  });

  it('cuts a time that is too long', async () => {
    const answer = await rig.register([`Contact: ${CONTACT}`, 'Expires: 99999999999']);
    expect(answer.all('Contact')).toEqual([`${CONTACT};expires=${REGISTRAR_LIMITS.maxExpires}`]);
  });

  it('takes a time that is no number for none', async () => {
    expect((await rig.register([`Contact: ${CONTACT};expires=soon`])).all('Contact')).toEqual([
      `${CONTACT};expires=3600`,
    ]);
  });

  it('refuses a time that is too short with 423 and Min-Expires', async () => {
    const answer = await rig.register([`Contact: ${CONTACT}`, 'Expires: 5']);
    expect([answer.status, answer.all('Min-Expires')]).toEqual([423, ['60']]);
    expect(await rig.bindings()).toEqual([]);
  });

  it('takes several contacts, on one line or many, with their q', async () => {
    const answer = await rig.register([
      'Contact: <sip:a@h1>;q=0.7, <sip:a@h2>;q=7',
      'm: sip:a@h3;expires=60',
    ]);
    expect([...answer.all('Contact')].sort()).toEqual([
      '<sip:a@h1>;expires=3600;q=0.7',
      '<sip:a@h2>;expires=3600',
      '<sip:a@h3>;expires=60',
    ]);
  });

  it('shows the remaining time on the next answer', async () => {
    await rig.register([`Contact: ${CONTACT}`, 'Expires: 600']);
    rig.now += 100_000;
    expect((await rig.register()).all('Contact')).toEqual([`${CONTACT};expires=500`]);
  });

  it('asks without changing anything when there is no Contact', async () => {
    expect((await rig.register()).all('Contact')).toEqual([]);
    expect((await rig.register()).status).toBe(200);
  });

  it('replaces a contact of an equal URI', async () => {
    await rig.register(['Contact: <sip:alice@HOST.example;transport=tcp;x=1>']);
    await rig.register(['Contact: <sip:alice@host.example;transport=TCP>']);
    expect((await rig.bindings()).map(({ contact }) => contact)).toEqual([
      'sip:alice@host.example;transport=TCP',
    ]);
  });

  it('keeps a second contact of another URI', async () => {
    await rig.register([`Contact: ${CONTACT}`]);
    expect((await rig.register(['Contact: <sip:alice@192.0.2.2>'])).all('Contact')).toHaveLength(2);
  });

  it('drops what lapsed', async () => {
    await rig.register([`Contact: ${CONTACT}`, 'Expires: 60']);
    rig.now += 60_000;
    expect((await rig.register()).all('Contact')).toEqual([]);
  });

  it('serves an alias and a SIPS address as the same user', async () => {
    await addUser(rig, ALICE, { aliases: ['sip:wonder@example.test'] });
    await rig.register([`Contact: ${CONTACT}`], { to: 'sip:wonder@example.test' });
    expect((await rig.register([], { to: 'sips:alice@EXAMPLE.test;x=y' })).all('Contact')).toHaveLength(1);
  });
});

describe('taking back', () => {
  beforeEach(() => rig.register(['Contact: <sip:a@h1>, <sip:a@h2>']));

  it('removes one contact by expires=0', async () => {
    expect((await rig.register(['Contact: <sip:a@h1>;expires=0'])).all('Contact')).toEqual([
      '<sip:a@h2>;expires=3600',
    ]);
  });

  it('removes and adds in one request', async () => {
    const answer = await rig.register(['Contact: <sip:a@h1>;expires=0, <sip:a@h3>']);
    expect(
      answer
        .all('Contact')
        .map((value) => value.split(';', 1)[0])
        .sort(),
    ).toEqual(['<sip:a@h2>', '<sip:a@h3>']);
  });

  it('removes everything by Contact * with Expires 0', async () => {
    expect((await rig.register(['Contact: *', 'Expires: 0'])).all('Contact')).toEqual([]);
    expect(await rig.bindings()).toEqual([]);
  });

  for (const lines of [
    ['Contact: *'],
    ['Contact: *', 'Expires: 60'],
    ['Contact: *, <sip:a@h1>', 'Expires: 0'],
  ]) {
    it(`refuses ${lines.join(' | ')} with 400`, async () => {
      expect((await rig.register(lines)).status).toBe(400);
      expect(await rig.bindings()).toHaveLength(2);
    });
  }

  it('removing what was never there is answered 200', async () => {
    expect((await rig.register(['Contact: <sip:a@h9>;expires=0'])).status).toBe(200);
  });
});

describe('order', () => {
  it('fails an older REGISTER of the same Call-ID as a whole', async () => {
    await rig.register([`Contact: ${CONTACT}`], { cseq: 5 });
    const answer = await rig.register([`Contact: <sip:new@h>, ${CONTACT};expires=0`], { cseq: 4 });
    expect(answer.status).toBe(500);
    expect((await rig.bindings()).map(({ contact }) => contact)).toEqual(['sip:alice@192.0.2.1:5060']);
  });

  it('fails an older Contact * too', async () => {
    await rig.register([`Contact: ${CONTACT}`], { cseq: 5 });
    expect((await rig.register(['Contact: *', 'Expires: 0'], { cseq: 5 })).status).toBe(500);
    expect(await rig.bindings()).toHaveLength(1);
  });

  it('takes any CSeq of another Call-ID: the client restarted', async () => {
    await rig.register([`Contact: ${CONTACT}`], { cseq: 5 });
    expect((await rig.register([`Contact: ${CONTACT}`], { cseq: 1, callId: 'call-2' })).status).toBe(200);
  });
});

describe('who may register', () => {
  it('nobody unknown: 404', async () => {
    expect((await rig.register([`Contact: ${CONTACT}`], { to: 'sip:bob@example.test' })).status).toBe(404);
  });

  it('nobody of a foreign domain: 404', async () => {
    expect((await rig.register([`Contact: ${CONTACT}`], { to: 'sip:alice@elsewhere.test' })).status).toBe(
      404,
    );
  });

  it('a provisioned user of another domain than ours, at its domain and at ours', async () => {
    const hosting = new Rig({ domain: 'carillon.test' });
    await addUser(hosting);
    expect((await hosting.register([`Contact: ${CONTACT}`], { uri: 'sip:example.test' })).status).toBe(200);
    expect((await hosting.register([`Contact: ${CONTACT}`], { uri: 'sip:carillon.test' })).status).toBe(200);
    expect((await hosting.register([`Contact: ${CONTACT}`], { uri: 'sip:elsewhere.test' })).status).toBe(403);
  });

  it('not at a foreign domain: 403', async () => {
    expect((await rig.register([`Contact: ${CONTACT}`], { uri: 'sip:elsewhere.test' })).status).toBe(403);
  });

  it('at the address of the registrar as well as at its domain', async () => {
    expect((await rig.register([`Contact: ${CONTACT}`], { uri: 'sip:127.0.0.1:5060' })).status).toBe(200);
    expect((await rig.register([`Contact: ${CONTACT}`], { uri: 'sip:[::1]' })).status).toBe(200);
  });

  it('nobody without credentials when the registrar is closed: 403', async () => {
    const closed = new Rig({ allowWithoutCredentials: false });
    await addUser(closed);
    expect((await closed.register([`Contact: ${CONTACT}`])).status).toBe(403);
  });
});

describe('digest authentication', () => {
  const credentials = sipCredentials('alice', 'example.test', 'wonder');
  const account = { username: 'alice', password: 'wonder' };
  const uri = 'sip:example.test';

  beforeEach(() => addUser(rig, ALICE, { sip: credentials }));

  const challenge = async () => (await rig.register([`Contact: ${CONTACT}`])).all('WWW-Authenticate');
  const answerTo = (challenges: readonly string[], who = account, nonceCount = 1) => {
    const chosen = chooseDigestChallenge(challenges);
    if (chosen === undefined) throw new Error('no challenge');
    const value = answerDigestChallenge(chosen, { method: 'REGISTER', uri }, who, {
      cnonce: 'abc',
      nonceCount,
    });
    return [`Contact: ${CONTACT}`, `Authorization: ${value}`];
  };

  it('challenges with MD5 first, for clients that read one challenge, and SHA-256, and stores nothing', async () => {
    const values = await challenge();
    expect(values.map((value) => /algorithm=([^,]+)/.exec(value)?.[1])).toEqual(['MD5', 'SHA-256']);
    expect(await rig.bindings()).toEqual([]);
  });

  it('takes a SHA-256 answer', async () => {
    expect((await rig.register(answerTo(await challenge()))).status).toBe(200);
  });

  it('takes an MD5 answer', async () => {
    const [md5 = ''] = await challenge();
    expect((await rig.register(answerTo([md5]))).status).toBe(200);
  });

  it('takes an MD5 answer without qop, once per nonce (RFC 2069)', async () => {
    const [md5 = ''] = await challenge();
    const lines = answerTo([md5.replace(/, qop="auth"/, '')]);
    expect((await rig.register(lines)).status).toBe(200);
    const again = await rig.register(lines);
    expect([again.status, /stale=true/.test(again.all('WWW-Authenticate')[0] ?? '')]).toEqual([401, true]);
  });

  it('challenges a wrong password again, not as stale', async () => {
    const answer = await rig.register(answerTo(await challenge(), { ...account, password: 'x' }));
    expect([answer.status, /stale=true/.test(answer.all('WWW-Authenticate')[0] ?? '')]).toEqual([401, false]);
  });

  it('challenges another user’s name with the right password', async () => {
    expect((await rig.register(answerTo(await challenge(), { ...account, username: 'bob' }))).status).toBe(
      401,
    );
  });

  it('takes the next nonce count and refuses a repeated one', async () => {
    const values = await challenge();
    expect((await rig.register(answerTo(values))).status).toBe(200);
    expect((await rig.register(answerTo(values))).status).toBe(401);
    expect((await rig.register(answerTo(values, account, 2))).status).toBe(200);
  });

  it('says that a nonce is stale once it is old', async () => {
    const lines = answerTo(await challenge());
    rig.now += 301_000;
    const answer = await rig.register(lines);
    expect([answer.status, /stale=true/.test(answer.all('WWW-Authenticate')[0] ?? '')]).toEqual([401, true]);
  });

  it('does not take a nonce that it never issued', async () => {
    const forged = (await challenge()).map((value) => value.replace(/nonce="[^"]*"/, 'nonce="AAAA"'));
    expect((await rig.register(answerTo(forged))).status).toBe(401);
  });

  it('challenges credentials that are broken or for another realm', async () => {
    expect((await rig.register([`Contact: ${CONTACT}`, 'Authorization: Digest ,,=,'])).status).toBe(401);
    const foreign = (await challenge()).map((value) => value.replace('example.test', 'other.test'));
    expect((await rig.register(answerTo(foreign))).status).toBe(401);
  });

  it('by an algorithm that is not offered is no answer', async () => {
    const clock = { now: () => NOON };
    const randomBytes = (size: number) => new Uint8Array(size).fill(1);
    const authentication = new DigestAuthentication({
      clock,
      randomBytes,
      nonceKey: new Uint8Array(16).fill(7),
      algorithms: ['SHA-256'],
    });
    const strict = new Rig({}, {}, authentication);
    await addUser(strict, ALICE, { sip: credentials });
    const offered = (await strict.register([`Contact: ${CONTACT}`])).all('WWW-Authenticate');
    expect(offered).toHaveLength(1);
    const asMd5 = answerTo(offered.map((value) => value.replace('SHA-256', 'MD5')));
    expect((await strict.register(asMd5)).status).toBe(401);
    expect((await strict.register(answerTo(offered))).status).toBe(200);
  });

  it('is needed to ask as well', async () => {
    expect((await rig.register()).status).toBe(401);
  });
});

describe('terminals', () => {
  const phone = terminalId(ALICE, 'phone');

  it('a new instance becomes a terminal of its name that SIP wakes', async () => {
    await rig.register([`Contact: ${CONTACT};${INSTANCE}`]);
    const user = await rig.registry.findUser(ALICE);
    expect(user?.terminals).toEqual([
      {
        id: terminalId(ALICE, UUID),
        user: ALICE,
        name: UUID,
        identities: [deviceIdentity('uuid', UUID)],
        activation: [{ bearer: 'sip' }],
        preferences: {},
        capabilities: {},
        origin: 'registered',
      },
    ]);
    expect((await rig.bindings())[0]).toMatchObject({ terminal: terminalId(ALICE, UUID), instance: UUID });
  });

  it('an instance that equals a provisioned identity belongs to that terminal, which stays as it was', async () => {
    const provisioned = {
      id: phone,
      user: ALICE,
      name: 'phone',
      identities: [deviceIdentity('imei', '904201560257637')],
      activation: [{ bearer: 'sms' as const, address: '+43664' }],
      preferences: {},
      capabilities: {},
      origin: 'provisioned' as const,
    };
    await rig.registry.putTerminal(provisioned);
    await rig.register([`Contact: ${CONTACT};+sip.instance="<urn:gsma:imei:90420156-025763-0>"`]);
    expect((await rig.registry.findUser(ALICE))?.terminals).toEqual([provisioned]);
    expect((await rig.bindings())[0]?.terminal).toBe(phone);
  });

  it('the same instance in capitals is the same terminal', async () => {
    await rig.register([`Contact: ${CONTACT};${INSTANCE}`]);
    await rig.register([`Contact: <sip:alice@192.0.2.7>;+sip.instance="<${UUID.toUpperCase()}>"`]);
    expect((await rig.registry.findUser(ALICE))?.terminals).toHaveLength(1);
    expect((await rig.bindings()).map(({ contact }) => contact)).toEqual(['sip:alice@192.0.2.7']);
  });

  it('a contact without an instance has no terminal', async () => {
    await rig.register([`Contact: ${CONTACT}`]);
    expect((await rig.registry.findUser(ALICE))?.terminals).toEqual([]);
    expect((await rig.bindings())[0]).not.toHaveProperty('terminal');
  });

  it('an instance that is no device identity is a contact without a terminal, and logged', async () => {
    const answer = await rig.register([`Contact: ${CONTACT};+sip.instance="<whatever>"`]);
    expect(answer.all('Contact')).toEqual([`${CONTACT};expires=3600;+sip.instance="<whatever>"`]);
    expect((await rig.registry.findUser(ALICE))?.terminals).toEqual([]);
    expect(rig.log.map(({ message }) => message)).toEqual(['registration without a terminal']);
  });

  it('do not grow without end when a client makes up an instance each time', async () => {
    const small = new Rig({ limits: { maxTerminals: 2 } });
    await addUser(small);
    for (const last of ['1', '2', '3']) {
      const answer = await small.register([
        `Contact: <sip:a@h${last}>;+sip.instance="<${UUID.slice(0, -1)}${last}>"`,
      ]);
      expect(answer.status).toBe(200);
    }
    expect((await small.registry.findUser(ALICE))?.terminals).toHaveLength(2);
  });

  it('belong to the terminal that got the identity in the meantime', async () => {
    const other = {
      id: phone,
      user: ALICE,
      name: 'phone',
      identities: [deviceIdentity('uuid', UUID)],
      activation: [],
      preferences: {},
      capabilities: {},
      origin: 'provisioned' as const,
    };
    const racing: Rig = new Rig(
      {},
      {
        async putTerminal(terminal) {
          await racing.registry.putTerminal(other);
          await racing.registry.putTerminal(terminal);
        },
      },
    );
    await addUser(racing);
    expect((await racing.register([`Contact: ${CONTACT};${INSTANCE}`])).status).toBe(200);
    expect((await racing.bindings())[0]?.terminal).toBe(phone);
  });
});

describe('Path (RFC 3327)', () => {
  const PATH = ['Path: <sip:edge.example.test;lr>', 'Path: <sip:core.example.test;lr>'];

  it('is kept, topmost first, and echoed to a client that supports it', async () => {
    const answer = await rig.register([`Contact: ${CONTACT}`, 'Supported: path', ...PATH]);
    expect(answer.all('Path')).toEqual(['<sip:edge.example.test;lr>', '<sip:core.example.test;lr>']);
    expect((await rig.bindings())[0]?.path).toEqual([
      '<sip:edge.example.test;lr>',
      '<sip:core.example.test;lr>',
    ]);
  });

  it('is kept but not echoed when only the proxy knows it', async () => {
    const answer = await rig.register([`Contact: ${CONTACT}`, ...PATH]);
    expect(answer.all('Path')).toEqual([]);
    expect((await rig.bindings())[0]?.path).toHaveLength(2);
  });

  it('of endless length is refused', async () => {
    const long = Array.from({ length: 17 }, () => PATH[0] ?? '');
    expect((await rig.register([`Contact: ${CONTACT}`, ...long])).status).toBe(400);
  });
});

describe('outbound (RFC 5626)', () => {
  const FLOW = `Contact: ${CONTACT};${INSTANCE};reg-id=1`;

  it('confirms with Require: outbound and a Flow-Timer', async () => {
    const answer = await rig.register([FLOW, 'Supported: path, outbound']);
    expect([answer.all('Require'), answer.all('Flow-Timer')]).toEqual([['outbound'], ['120']]);
    expect(answer.all('Contact')).toEqual([`${CONTACT};expires=3600;${INSTANCE};reg-id=1`]);
  });

  it('says nothing of outbound to a client that does not', async () => {
    expect((await rig.register([FLOW])).all('Require')).toEqual([]);
  });

  it('a new contact of the same instance and reg-id replaces the old one', async () => {
    await rig.register([FLOW, 'Supported: outbound']);
    await rig.register([`Contact: <sip:alice@192.0.2.9>;${INSTANCE};reg-id=1`, 'Supported: outbound']);
    expect((await rig.bindings()).map(({ contact }) => contact)).toEqual(['sip:alice@192.0.2.9']);
  });

  it('flows of several reg-ids stand side by side', async () => {
    await rig.register([FLOW, 'Supported: outbound']);
    await rig.register([`Contact: <sip:alice@192.0.2.9>;${INSTANCE};reg-id=2`, 'Supported: outbound']);
    expect((await rig.bindings()).map(({ regId }) => regId).sort()).toEqual([1, 2]);
  });

  it('refuses a first hop that does not keep the flow with 439', async () => {
    expect((await rig.register([FLOW, 'Supported: outbound'], { via: 2 })).status).toBe(439);
  });

  it('takes a first hop that says ob in its Path', async () => {
    const lines = [
      FLOW,
      'Supported: path, outbound',
      'Path: <sip:core.example.test;lr>, <sip:edge.example.test;lr;ob>',
    ];
    expect((await rig.register(lines, { via: 3 })).all('Require')).toEqual(['outbound']);
  });

  it('takes reg-id for nothing behind a proxy when the client does not do outbound', async () => {
    expect((await rig.register([FLOW], { via: 2 })).status).toBe(200);
    expect((await rig.bindings())[0]).not.toHaveProperty('regId');
  });

  it('refuses two new contacts when one asks for a flow', async () => {
    expect((await rig.register([FLOW, 'Contact: <sip:a@h2>'])).status).toBe(400);
  });

  for (const regId of ['0', '-1', 'x', '2147483648']) {
    it(`reg-id=${regId} is none`, async () => {
      await rig.register([`Contact: ${CONTACT};${INSTANCE};reg-id=${regId}`]);
      expect((await rig.bindings())[0]).not.toHaveProperty('regId');
    });
  }

  it('a reg-id without an instance is none', async () => {
    await rig.register([`Contact: ${CONTACT};reg-id=1`]);
    expect((await rig.bindings())[0]).not.toHaveProperty('regId');
  });

  it('a closed connection takes its flow with it', async () => {
    await rig.register([FLOW, 'Supported: outbound'], { flow: TCP });
    await rig.registrar.flowClosed(TCP);
    expect(await rig.bindings()).toEqual([]);
    expect(rig.events.at(-1)).toBe(`unregistered ${terminalId(ALICE, UUID)}`);
  });

  it('a closed connection does not take the flow that replaced it', async () => {
    await rig.register([FLOW, 'Supported: outbound'], { flow: TCP });
    await rig.register([FLOW, 'Supported: outbound'], { flow: { ...TCP, connectionId: 'c2' } });
    await rig.registrar.flowClosed(TCP);
    expect((await rig.bindings()).map(({ flow }) => flow.connectionId)).toEqual(['c2']);
  });

  it('a closed connection leaves contacts that did not register a flow', async () => {
    await rig.register([`Contact: ${CONTACT};${INSTANCE}`], { flow: TCP });
    await rig.registrar.flowClosed(TCP);
    expect(await rig.bindings()).toHaveLength(1);
  });
});

describe('GRUU (RFC 5627)', () => {
  const gruusOf = (answer: Answer) => ({
    publicGruu: /pub-gruu="([^"]*)"/.exec(answer.all('Contact')[0] ?? '')?.[1],
    temporaryGruu: /temp-gruu="([^"]*)"/.exec(answer.all('Contact')[0] ?? '')?.[1],
  });

  it('gives a client that supports it both, the instance byte-exact', async () => {
    const answer = await rig.register([`Contact: ${CONTACT};${INSTANCE}`, 'Supported: gruu']);
    const { publicGruu, temporaryGruu } = gruusOf(answer);
    expect(publicGruu).toBe(`sip:alice@example.test;gr=${UUID}`);
    expect(temporaryGruu).toMatch(/^sip:tgruu\.[A-Za-z0-9_-]{24}@example\.test;gr$/);
    expect(answer.all('Contact')[0]).toContain(INSTANCE);
    expect((await rig.bindings())[0]).toMatchObject({ publicGruu, temporaryGruu });
  });

  it('gives a new temporary one at every registration, and the public one stays', async () => {
    const first = gruusOf(await rig.register([`Contact: ${CONTACT};${INSTANCE}`, 'Supported: gruu']));
    const second = gruusOf(await rig.register([`Contact: ${CONTACT};${INSTANCE}`, 'Supported: gruu']));
    expect(second.publicGruu).toBe(first.publicGruu);
    expect(second.temporaryGruu).not.toBe(first.temporaryGruu);
  });

  it('gives none to a client that does not support it', async () => {
    expect(gruusOf(await rig.register([`Contact: ${CONTACT};${INSTANCE}`]))).toEqual({});
  });

  it('gives none to a contact without an instance', async () => {
    expect(gruusOf(await rig.register([`Contact: ${CONTACT}`, 'Supported: gruu']))).toEqual({});
  });

  it('escapes what a URI parameter cannot hold', async () => {
    const instance = '+sip.instance="<urn:gsma:imei:90420156-025763-0;vers=0>"';
    const { publicGruu } = gruusOf(
      await rig.register([`Contact: ${CONTACT};${instance}`, 'Supported: gruu']),
    );
    expect(publicGruu).toBe('sip:alice@example.test;gr=urn:gsma:imei:90420156-025763-0%3Bvers%3D0');
  });
});

describe('events', () => {
  const terminal = terminalId(ALICE, UUID);
  const line = `Contact: ${CONTACT};${INSTANCE}`;

  it('tell of a terminal that registered, and then of its refresh', async () => {
    await rig.register([line]);
    await rig.register([line]);
    expect(rig.events).toEqual([
      `registered ${terminal} sip:alice@192.0.2.1:5060`,
      `refreshed ${terminal} sip:alice@192.0.2.1:5060`,
    ]);
  });

  it('tell of a terminal that came back over another flow as of a new one', async () => {
    await rig.register([line]);
    await rig.register([line], { flow: { ...UDP, port: 5062 } });
    expect(rig.events.map((event) => event.split(' ', 1)[0])).toEqual(['registered', 'registered']);
  });

  it('tell of a terminal that restarted as of a new one', async () => {
    await rig.register([line]);
    await rig.register([line], { callId: 'call-2' });
    expect(rig.events.map((event) => event.split(' ', 1)[0])).toEqual(['registered', 'registered']);
  });

  it('tell of a terminal that took its last contact back', async () => {
    await rig.register([line]);
    await rig.register(['Contact: *', 'Expires: 0']);
    expect(rig.events.at(-1)).toBe(`unregistered ${terminal}`);
  });

  it('do not tell of a terminal that has another contact left', async () => {
    await rig.register([`Contact: ${CONTACT};${INSTANCE};reg-id=1`]);
    await rig.register([`Contact: <sip:a@h2>;${INSTANCE};reg-id=2`]);
    await rig.register([`Contact: <sip:a@h2>;${INSTANCE};reg-id=2;expires=0`]);
    expect(rig.events.filter((event) => event.startsWith('unregistered'))).toEqual([]);
  });

  it('tell nothing of questions and of contacts without a terminal', async () => {
    await rig.register([`Contact: ${CONTACT}`]);
    await rig.register();
    expect(rig.events).toEqual([]);
  });
});

describe('mistakes and mischief', () => {
  for (const [what, lines] of [
    ['a contact that is no URI', ['Contact: <:::>']],
    ['a contact that is no SIP URI', ['Contact: <mailto:alice@example.test>']],
    ['an open quote', ['Contact: "a <sip:a@h>']],
    ['an instance of endless length', [`Contact: ${CONTACT};+sip.instance="<urn:x:${'a'.repeat(600)}>"`]],
    ['a contact of endless length', [`Contact: <sip:${'a'.repeat(1100)}@h>`]],
  ] as const) {
    it(`${what}: 400`, async () => {
      expect((await rig.register(lines)).status).toBe(400);
    });
  }

  it('an address of record that is none: 400', async () => {
    expect((await rig.register([], { to: 'sip:example.test' })).status).toBe(400);
    expect((await rig.register([], { to: 'http://example.test' })).status).toBe(400);
  });

  it('more contacts than allowed in one request: 403', async () => {
    const contacts = Array.from({ length: 33 }, (_, index) => `<sip:a@h${index}>`).join(', ');
    expect((await rig.register([`Contact: ${contacts}`])).status).toBe(403);
  });

  it('more contacts than allowed over several requests: 403, until one is taken back', async () => {
    for (let index = 0; index < 32; index += 1) {
      expect((await rig.register([`Contact: <sip:a@h${index}>`])).status).toBe(200);
    }
    expect((await rig.register(['Contact: <sip:a@h33>'])).status).toBe(403);
    expect((await rig.register(['Contact: <sip:a@h33>, <sip:a@h0>;expires=0'])).status).toBe(200);
  });

  it('a store that is away: 503 with Retry-After', async () => {
    const away = new Rig({}, { findUser: () => Promise.reject(new DeliveryError('busy', 'no Redis')) });
    const answer = await away.register();
    expect([answer.status, answer.all('Retry-After')]).toEqual([503, ['5']]);
  });

  it('a defect: 500, and the log has it', async () => {
    const broken = new Rig({}, { findUser: () => Promise.reject(new Error('oops')) });
    expect((await broken.register()).status).toBe(500);
    expect(broken.log).toEqual([expect.objectContaining({ level: 'error', reason: 'oops' })]);
  });

  it('the answer comes after the store has it', async () => {
    const order: string[] = [];
    const watched: Rig = new Rig(
      {},
      {
        async changeBindings(user, change) {
          const after = await watched.registry.changeBindings(user, change);
          order.push('stored');
          return after;
        },
      },
    );
    await addUser(watched);
    watched.onAnswer = () => order.push('answered');
    await watched.register([`Contact: ${CONTACT}`]);
    expect(order).toEqual(['stored', 'answered']);
  });

  it('users do not see each other’s contacts', async () => {
    await addUser(rig, BOB);
    await rig.register([`Contact: ${CONTACT};${INSTANCE}`]);
    expect((await rig.register([], { to: BOB })).all('Contact')).toEqual([]);
  });
});

describe('push notification services (RFC 8599)', () => {
  const SERVICES = { names: ['fcm', 'webpush'], vapidPublicKey: 'BPublic' };
  const contact = (parameters: string, header = INSTANCE) =>
    `Contact: <sip:alice@192.0.2.1:5060${parameters}>;${header}`;
  const FCM = ';pn-provider=fcm;pn-param=project%3Aapp;pn-prid=token%3A1';

  beforeEach(async () => {
    rig = new Rig({ pushServices: SERVICES });
    await addUser(rig);
  });

  it('are kept with the contact that names one, unescaped, and the client learns that it may sleep', async () => {
    const answer = await rig.register([contact(FCM)]);
    expect(answer.status).toBe(200);
    expect(answer.all('Feature-Caps')).toEqual(['*;+sip.pns="fcm"']);
    expect(await rig.bindings()).toMatchObject([
      { push: { provider: 'fcm', prid: 'token:1', param: 'project:app' } },
    ]);
    expect(answer.all('Contact')[0]).toContain('pn-prid=token%3A1');
  });

  it('wake the terminal that such a registration creates, when it does not answer by SIP', async () => {
    await rig.register([contact(FCM)]);
    const user = await rig.registry.findUser(ALICE);
    expect(user?.terminals[0]?.activation).toEqual([{ bearer: 'sip' }, { bearer: 'http-callback' }]);
  });

  it('are Web Push for a browser, which is told the key', async () => {
    const answer = await rig.register([contact(';pn-provider=webpush;pn-prid=https%3A%2F%2Fpush.test%2F1')]);
    expect(answer.all('Feature-Caps')).toEqual(['*;+sip.pns="webpush";+sip.vapid="BPublic"']);
    expect((await rig.bindings())[0]?.push).toEqual({ provider: 'webpush', prid: 'https://push.test/1' });
    const user = await rig.registry.findUser(ALICE);
    expect(user?.terminals[0]?.activation).toEqual([{ bearer: 'sip' }, { bearer: 'web-push' }]);
  });

  it('that the gateway cannot use are refused: the client would sleep and never be woken', async () => {
    const answer = await rig.register([contact(';pn-provider=apns;pn-prid=x')]);
    expect(answer.status).toBe(555);
    expect(await rig.bindings()).toEqual([]);
  });

  it('that the gateway cannot use are no reason to keep a contact that is taken back', async () => {
    const answer = await rig.register([contact(';pn-provider=apns;pn-prid=x'), 'Expires: 0']);
    expect(answer.status).toBe(200);
  });

  it('are all told to a client that asks', async () => {
    const answer = await rig.register([contact(';pn-provider')]);
    expect(answer.all('Feature-Caps')).toEqual([
      '*;+sip.pns="fcm"',
      '*;+sip.pns="webpush";+sip.vapid="BPublic"',
    ]);
    expect((await rig.bindings())[0]?.push).toBeUndefined();
  });

  it('are not promised to a client that names no resource, or none at all', async () => {
    for (const parameters of [';pn-provider=fcm', ';pn-provider=fcm;pn-prid', '']) {
      const answer = await rig.register([contact(parameters)]);
      expect([answer.status, answer.all('Feature-Caps')]).toEqual([200, []]);
    }
  });

  it('are passed over where none is configured, and kept all the same', async () => {
    rig = new Rig();
    await addUser(rig);
    const answer = await rig.register([contact(FCM)]);
    expect([answer.status, answer.all('Feature-Caps')]).toEqual([200, []]);
    expect((await rig.bindings())[0]?.push).toMatchObject({ provider: 'fcm' });
    const user = await rig.registry.findUser(ALICE);
    expect(user?.terminals[0]?.activation).toEqual([{ bearer: 'sip' }]);
  });
});
