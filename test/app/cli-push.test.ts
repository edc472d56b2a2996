/** The options of `carillon push` and `carillon terminal`: what is taken, and what is said about mistakes. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../src/app/cli.js';
import { pushCommand, readPushOptions } from '../../src/app/cli-push.js';
import { readTerminalOptions, terminalCommand } from '../../src/app/cli-terminal.js';

/** What the command would do, and what was printed. Nothing is carried out. */
async function parse(argv: readonly string[]) {
  let stderr = '';
  let parsed: unknown;
  const commands = [
    {
      ...pushCommand,
      run: async (...[options, args]: Parameters<typeof pushCommand.run>) => {
        parsed = readPushOptions(options, args);
        return 0;
      },
    },
    {
      ...terminalCommand,
      run: async (...[options]: Parameters<typeof terminalCommand.run>) => {
        parsed = readTerminalOptions(options);
        return 0;
      },
    },
  ];
  const output = {
    stdout: () => undefined,
    stderr: (text: string) => {
      stderr += text;
    },
  };
  const status = await runCli(argv, commands, { version: '0', output });
  return { status, stderr, parsed };
}

const PUSH = ['push', '--to', 'sip:alice@carillon.test', '--initiator', 'me', '--password', 'secret'];
const TERMINAL = ['terminal', '--user', 'sip:alice@carillon.test', '--instance', 'urn:uuid:1'];

describe('carillon push', () => {
  it('reads recipients, content, headers and instants', async () => {
    const { parsed, status } = await parse([
      ...PUSH,
      ...['--to', 'tel:+43664', '--text', 'hi', '--type', 'text/html'],
      ...['--header', 'X-Wap-Application-Id: x-wap-application:mms.ua', '--header', 'X-Other:1'],
      ...['--deliver-before', '2030-01-02T03:04:05Z', '--priority', 'high', '--wait', '--timeout', '5'],
      ...['--notify-port', '0', '--push-id', 'p1', '--url', 'http://gw.test/pap', '--json'],
    ]);
    expect(status).toBe(0);
    expect(parsed).toEqual({
      to: ['sip:alice@carillon.test', 'tel:+43664'],
      initiator: 'me',
      password: 'secret',
      url: 'http://gw.test/pap',
      source: { text: 'hi' },
      contentType: 'text/html',
      headers: [
        { name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' },
        { name: 'X-Other', value: '1' },
      ],
      pushId: 'p1',
      deliverBefore: Date.UTC(2030, 0, 2, 3, 4, 5),
      priority: 'high',
      notifyPort: 0,
      wait: true,
      timeoutMs: 5000,
      json: true,
    });
  });

  it('takes a file, or standard input as -', async () => {
    expect((await parse([...PUSH, 'a.bin'])).parsed).toMatchObject({ source: { file: 'a.bin' } });
    expect((await parse([...PUSH, '-'])).parsed).toMatchObject({ source: { file: '-' } });
  });

  it.each([
    [['push', '--text', 'x'], /required option '--to <address>'/],
    [PUSH, /either a file \(- for standard input\) or --text/],
    [[...PUSH, 'file', '--text', 'x'], /either a file/],
    [[...PUSH, '--text', 'x', '--url', 'ftp://x/'], /A URL such as http/],
    [[...PUSH, '--text', 'x', '--header', 'no colon'], /'Name: value' is needed/],
    [[...PUSH, '--text', 'x', '--header', 'Content-Type: a/b'], /has an option of its own/],
    [[...PUSH, '--text', 'x', '--deliver-before', 'soon'], /An instant is needed/],
    [[...PUSH, '--text', 'x', '--priority', 'urgent'], /Allowed choices are high, medium, low/],
    [[...PUSH, '--text', 'x', '--notify-port', '70000'], /whole number from 0 to 65535/],
    [[...PUSH, '--text', 'x', '--timeout', '0'], /whole number from 1/],
    [[...PUSH, '--text', 'x', '--wiat'], /Did you mean --wait/],
    [[...PUSH, 'a', 'b'], /too many arguments/],
  ])('refuses %j with 2 and says what is wanted', async (argv, message) => {
    const { status, stderr, parsed } = await parse(argv);
    expect(parsed).toBeUndefined();
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});

describe('carillon terminal', () => {
  it('reads who it is, where it registers, and by what it judges', async () => {
    const { parsed, status } = await parse([
      ...TERMINAL,
      ...['--registrar', '[::1]:5070', '--transport', 'tcp', '--username', 'alice', '--password', 'pw'],
      ...['--accept-app', 'mms.ua', '--accept-app', 'wml.ua', '--allow-ppg', 'sip:ppg@carillon.test'],
      ...['--feature', '+g.oma.pusheventapp="push.sia"', '--identity', 'urn:gsma:imei:90420156-025763-0'],
      ...[
        '--alias',
        'tel:+43664',
        '--reconnect',
        '3',
        '--manual',
        '--state',
        's',
        '--save',
        'd',
        '--bind',
        '127.0.0.1:0',
      ],
      ...['--expires', '60', '--reg-id', '1', '--profile', 'S2', '--domain', 'd.test', '--keep-registration'],
    ]);
    expect(status).toBe(0);
    expect(parsed).toEqual({
      terminal: {
        user: 'sip:alice@carillon.test',
        instance: 'urn:uuid:1',
        aliases: ['tel:+43664'],
        identities: ['urn:gsma:imei:90420156-025763-0'],
        registrar: { host: '::1', port: 5070, transport: 'tcp' },
        credentials: { username: 'alice', password: 'pw' },
        features: ['+g.oma.pusheventapp="push.sia"'],
        domain: 'd.test',
        local: { host: '127.0.0.1', port: 0 },
        regId: 1,
        expiresSeconds: 60,
        profile: 'S2',
        statePath: 's',
        policy: {
          acceptedApplications: ['mms.ua', 'wml.ua'],
          safety: { allowedGateways: ['sip:ppg@carillon.test'] },
          reconnectDelayMs: 3000,
          connect: 'manually',
        },
      },
      saveTo: 'd',
      keepRegistration: true,
    });
  });

  it('registers over UDP on this machine unless it is told otherwise', async () => {
    expect((await parse(TERMINAL)).parsed).toMatchObject({
      terminal: {
        registrar: { host: '127.0.0.1', port: 5060, transport: 'udp' },
        policy: expect.not.objectContaining({ connect: 'manually' }),
      },
    });
  });

  it('reads by what else it is reached', async () => {
    const secret = `whsec_${Buffer.alloc(24).toString('base64')}`;
    const file = fileURLToPath(import.meta.url);
    const pem = readFileSync(file);
    const { parsed, stderr } = await parse([
      ...TERMINAL,
      ...['--ota-http', '127.0.0.1', '--wsp', '[::1]:0'],
      ...[
        '--smsc',
        'smsc.test',
        '--number',
        '+436641234567',
        '--smsc-user',
        'phone',
        '--smsc-password',
        'pw',
      ],
      ...['--http-callback', '127.0.0.1:0', '--http-callback-secret', secret],
      ...['--web-push', '127.0.0.1:8443', '--web-push-cert', file, '--web-push-key', file],
    ]);
    expect(stderr).toBe('');
    expect(parsed).toMatchObject({
      terminal: {
        otaHttp: { host: '127.0.0.1', port: 4035 },
        wsp: { host: '::1', port: 0 },
        smsc: { host: 'smsc.test', port: 2775, systemId: 'phone', password: 'pw', number: '+436641234567' },
        httpCallback: { host: '127.0.0.1', port: 0, secret },
        webPush: { host: '127.0.0.1', port: 8443, tls: { cert: pem, key: pem } },
      },
    });
  });

  it.each([
    [['terminal', '--user', 'sip:a@b.test'], /required option '--instance <urn>'/],
    [[...TERMINAL, '--registrar', 'a:b:c'], /host or host:port is needed/],
    [[...TERMINAL, '--transport', 'sctp'], /Allowed choices are udp, tcp/],
    [[...TERMINAL, '--username', 'alice'], /--username needs --password/],
    [[...TERMINAL, '--expires', '0'], /whole number from 1/],
    [[...TERMINAL, '--smsc', '127.0.0.1'], /--smsc needs --number/],
    [[...TERMINAL, '--smsc', '127.0.0.1', '--number', '0664'], /--number, such as \+43/],
    [[...TERMINAL, '--http-callback', '127.0.0.1'], /--http-callback needs --http-callback-secret/],
    [
      [...TERMINAL, '--http-callback', '127.0.0.1', '--http-callback-secret', 'x'],
      /--http-callback-secret has to be whsec_/,
    ],
    [[...TERMINAL, '--web-push', '127.0.0.1'], /--web-push needs --web-push-cert and --web-push-key/],
    [
      [...TERMINAL, '--web-push', '127.0.0.1', '--web-push-cert', '/none', '--web-push-key', '/none'],
      /--web-push-cert \/none cannot be read/,
    ],
  ])('refuses %j with 64 and says what is wanted', async (argv, message) => {
    const { status, stderr } = await parse(argv);
    expect(stderr).toMatch(message);
    expect(status).toBe(64);
  });
});
