/** The policy file of `carillon terminal`: each section flips its factor and no other, and what is wrong with a file is said in sentences. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runApplication } from '../../src/app/application-program.js';
import { terminalPolicy } from '../../src/app/terminal-policy.js';
import { UserQuestion } from '../../src/app/user-question.js';
import { parseTerminalPolicy } from '../../src/config/terminal-policy.js';
import { parseDeviceIdentity } from '../../src/registry/device-identity.js';
import { judgeSir } from '../../src/terminal/judgement.js';
import type { PushApplication, ReceivedSir } from '../../src/terminal/sir.js';
import { signWith } from '../../src/terminal/sir-key.js';

const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const NOON = Date.UTC(2027, 0, 15, 12, 0);
const DCD = 'x-oma-application:dcd.ua';

const sir: ReceivedSir = {
  carrier: 'sip',
  id: 't1.abc',
  user: 'sip:alice@operator.test',
  devices: [parseDeviceIdentity('90420156025763 9')],
  hasUnreadableDevice: false,
  applicationIds: [DCD],
  sender: 'sip:ppg@operator.test',
  gateway: 'sip:ppg@operator.test',
  content: { contentType: 'image/png', size: 5000, priority: 'medium' },
  return: [],
  send: [],
  signature: { value: signWith('shared', Buffer.from('signed')), signed: Buffer.from('signed') },
};

function policyOf(text: string) {
  const file = parseTerminalPolicy('phone.yaml', text);
  const ran: PushApplication[] = [];
  const policy = terminalPolicy(file, {
    run: async (application) => {
      ran.push(application);
      return { capability: { from: 'the program' } };
    },
    pause: async () => undefined,
    ask: async () => 'later',
  });
  return { file, policy, ran };
}

function judged(text: string) {
  const { file, policy } = policyOf(text);
  const identities = [PHONE, ...file.identities].map(parseDeviceIdentity);
  return judgeSir(sir, {
    now: NOON,
    hasSeen: () => false,
    isConnectedTo: () => false,
    identities,
    users: ['sip:alice@operator.test'],
    isRegistrar: () => true,
    policy,
  }).reason;
}

/** Everything in it speaks for the SIR. */
const SECTIONS = {
  safety: 'safety: { gateways: ["sip:ppg@operator.test"], key: shared }',
  identities: 'identities: ["90420156025763 9"]',
  capability: 'capability: { applications: [dcd.ua], accept: [image/*], maxMessageSize: 5000 }',
  subscription: `subscription: { applications: ['${DCD}'] }`,
  preference:
    'preference: { applications: [dcd.ua], refusedTypes: [video/*], quietHours: { from: "22:00", to: "06:00" } }',
  connect: 'connect: { by: [sip] }',
};

const withSection = (name: keyof typeof SECTIONS, section: string) =>
  Object.values({ ...SECTIONS, [name]: section }).join('\n');

describe('a policy file', () => {
  it('for which everything speaks has the SIR followed, and so has one that says nothing but who it is (SIR-157)', () => {
    expect(judged(Object.values(SECTIONS).join('\n'))).toBe('matched');
    expect(judged(SECTIONS.identities)).toBe('matched');
    expect(judged('{"identities": ["90420156025763 9"]}')).toBe('matched');
  });

  it.each([
    ['safety', 'safety: { gateways: ["sip:ppg@elsewhere.test"], key: shared }', 'foreignGateway'],
    ['safety', 'safety: { gateways: [operator.test], key: another }', 'badSignature'],
    ['identities', 'identities: ["35209900176148 1"]', 'otherDevice'],
    ['capability', 'capability: { applications: [mms.ua] }', 'notInstalled'],
    ['capability', 'capability: { accept: [text/plain] }', 'typeNotTaken'],
    ['capability', 'capability: { maxMessageSize: 4999 }', 'tooLarge'],
    ['subscription', 'subscription: { applications: [] }', 'notSubscribed'],
    ['preference', 'preference: { applications: [mms.ua] }', 'applicationDeclined'],
    ['preference', 'preference: { refusedTypes: [image/*] }', 'typeDeclined'],
    [
      'preference',
      'preference: { quietHours: { from: "13:30", to: "12:30", timeZone: Europe/Vienna } }',
      'matched',
    ],
    [
      'preference',
      'preference: { quietHours: { from: "12:30", to: "13:30", timeZone: Europe/Vienna } }',
      'quietHours',
    ],
    ['connect', 'connect: { by: [ota-http] }', 'nowhereToConnect'],
  ] as const)('flips the decision by its %s alone: %s', (name, section, reason) => {
    expect(judged(withSection(name, section))).toBe(reason);
  });

  it.each(['accept', 'reject', 'later'] as const)('lets the user answer %s', async (answer) => {
    const { policy } = policyOf(`user: { answer: ${answer}, afterSeconds: 3600 }`);
    expect(await policy.askUser?.(sir, new AbortController().signal)).toBe(answer);
  });

  it('asks, or lets the user be away', async () => {
    const { signal } = new AbortController();
    expect(await policyOf('user: { answer: ask }').policy.askUser?.(sir, signal)).toBe('later');
    const away = policyOf('user: { answer: timeout, timeoutSeconds: 2 }').policy;
    expect(await Promise.race([away.askUser?.(sir, signal), Promise.resolve('nothing yet')])).toBe(
      'nothing yet',
    );
    expect(away.askUserTimeoutMs).toBe(2000);
    expect(policyOf('').policy.askUser).toBeUndefined();
  });

  it('activates the applications that it knows, by their programs where they have one (SIR-98, SIR-154)', async () => {
    const { policy, ran } = policyOf(`
activation:
  when: before
  applications:
    - { id: dcd.ua, command: [./dcd], information: { capability: 1, subscription: { applications: [dcd.ua] } } }
    - { id: mms.ua, information: { preference: { quiet: true } } }`);
    expect(policy.activation).toBe('before');
    expect(await policy.activate?.({ id: DCD, name: 'DCD' })).toEqual({
      capability: { from: 'the program' },
      subscription: { applications: ['dcd.ua'] },
    });
    expect(ran).toEqual([{ id: DCD, name: 'DCD' }]);
    expect(await policy.activate?.({ id: 'x-wap-application:mms.ua' })).toEqual({
      preference: { quiet: true },
    });
    expect(await policy.activate?.({ id: 'x-wap-application:wml.ua' })).toBeUndefined();
  });

  it('tells what it judges by, unless it says otherwise (SIR-62 … SIR-65)', () => {
    const { policy } = policyOf(`
safety: { gateways: ["sip:ppg@operator.test"] }
capability: { accept: [text/plain], maxMessageSize: 100 }
subscription: { applications: [mms.ua] }
preference: { refusedTypes: [video/*] }
return: { withhold: [security], information: { capability: { accept: [image/png] } } }`);
    expect(policy.information).toEqual({
      capability: { accept: ['image/png'] },
      preference: { refusedTypes: ['video/*'] },
      security: { trustedGateways: ['sip:ppg@operator.test'] },
      subscription: { applications: ['mms.ua'] },
    });
    expect(policy.withheld).toEqual(['security']);
    expect(policyOf('').policy.information).toEqual({});
  });

  it.each([
    ['return: { by: sip }', { by: 'sip' }],
    [
      'return: { by: http, url: "http://127.0.0.1:8080/v1/returns" }',
      { by: 'http', url: 'http://127.0.0.1:8080/v1/returns' },
    ],
    ['return: { by: sms, to: "+436641" }', { by: 'sms', to: '+436641' }],
  ])('chooses the carrier of returns: %s (SIR-134)', (text, route) => {
    expect(policyOf(text).policy.returnRoute).toEqual(route);
  });

  it.each([
    [
      'return: { by: http }',
      /return\.url \(phone\.yaml line 1\) is missing; it takes a value, because of by: http/,
    ],
    ['safety: { gateways: [] }', /safety\.gateways .* cannot be this list/],
    ['safety: { gateway: [x] }', /did you mean "gateways"/],
    ['user: { answer: maybe }', /user\.answer .* takes one of accept, reject, later, timeout, ask/],
    ['preference: { quietHours: { from: "22:00", to: "6" } }', /takes a time of day/],
    [
      'preference: { quietHours: { from: "22:00", to: "06:00", timeZone: Vienna } }',
      /the name of a time zone/,
    ],
    ['[1, 2]', /must hold keys and values/],
    ['user: {', /is not valid YAML/],
  ])('that is wrong is refused in a sentence: %s', (text, problem) => {
    expect(() => parseTerminalPolicy('phone.yaml', text)).toThrow(problem);
  });

  it('never shows the key that it refuses', () => {
    expect(() => parseTerminalPolicy('phone.yaml', 'safety: { gateways: [x], key: [very secret] }')).toThrow(
      /safety\.key .* cannot be this value \(not shown\)/,
    );
  });
});

describe('the program of an application', () => {
  const node = (script: string, timeoutMs = 10_000) =>
    runApplication({ id: DCD, name: 'DCD' }, { command: [process.execPath, '-e', script], timeoutMs });

  it('gets the application and says what is to be returned', async () => {
    const script =
      'process.stdin.on("data", (text) => console.log(JSON.stringify({ subscription: JSON.parse(text), nonsense: 1 })))';
    expect(await node(script)).toEqual({ subscription: { id: DCD, name: 'DCD' } });
  });

  it('may say nothing', async () => {
    expect(await node('')).toEqual({});
  });

  it.each([
    ['ends badly', 'process.exit(3)', 10_000, /Command failed/],
    ['prints something else', 'console.log("hello")', 10_000, /something else than JSON/],
    ['prints a number', 'console.log(1)', 10_000, /no JSON object/],
    ['prints without end', 'for (;;) console.log("x".repeat(10000))', 10_000, /maxBuffer/],
    ['never ends', 'setInterval(() => {}, 1000)', 50, /Command failed/],
  ])('fails when it %s', async (_, script, timeoutMs, reason) => {
    await expect(node(script, timeoutMs)).rejects.toThrow(reason);
  });

  it('fails when it does not exist', async () => {
    const missing = runApplication({ id: DCD }, { command: ['/nonexistent/dcd'], timeoutMs: 1000 });
    await expect(missing).rejects.toThrow(/ENOENT/);
  });
});

describe('a question to the user', () => {
  it('is answered by a line: the one named, else the one that waits longest (SIR-156)', async () => {
    const input = new PassThrough();
    const question = new UserQuestion(input);
    const signal = new AbortController().signal;
    const answers = ['a', 'b', 'c'].map((id) => question.ask({ id }, signal));
    input.write('what?\naccept nobody\nlater b\naccept\nreject\n');
    expect(await Promise.all(answers)).toEqual(['accept', 'later', 'reject']);
  });

  it('takes no answer once it has lapsed', async () => {
    const input = new PassThrough();
    const question = new UserQuestion(input);
    const lapsed = new AbortController();
    const first = question.ask({ id: 'a' }, lapsed.signal);
    lapsed.abort();
    const second = question.ask({ id: 'b' }, new AbortController().signal);
    input.write('reject\n');
    expect(await Promise.race([first, second])).toBe('reject');
    expect(await Promise.race([first, Promise.resolve('nothing')])).toBe('nothing');
  });
});
