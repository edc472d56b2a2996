/** Where values come from, in which order, and what each mistake is told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.js';
import { configKeys } from '../../src/config/config-keys.js';
import { loadConfig } from '../../src/config/load-config.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'carillon-config-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function load(yaml: string | undefined, environment: Record<string, string> = {}, file?: string) {
  if (yaml !== undefined) writeFileSync(join(directory, 'carillon.yaml'), yaml);
  return loadConfig({ environment, workingDirectory: directory, ...(file === undefined ? {} : { file }) });
}

function problemsOf(yaml: string | undefined, environment: Record<string, string> = {}, file?: string) {
  try {
    load(yaml, environment, file);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((text) => text.replaceAll(directory, '…'));
    throw error;
  }
  return [];
}

describe('where the configuration comes from', () => {
  it('works with no file and no variables', () => {
    const { config, file } = load(undefined);
    expect(file).toBeUndefined();
    expect(config).toMatchObject({
      domain: 'carillon.test',
      dataDir: join(directory, '.carillon'),
      redis: { durability: 'always', allowVolatile: false },
      http: { host: '127.0.0.1', port: 8080 },
      admin: { host: '127.0.0.1', port: 8081 },
      sip: { host: '127.0.0.1', port: 5060, transports: ['udp', 'tcp', 'ws'], ppgUser: 'ppg' },
      msrp: { host: '127.0.0.1', port: 2855 },
      pushInitiators: [],
      notify: { allowPrivateAddresses: false },
      smpp: [],
    });
  });

  it('reads carillon.yaml of the working directory', () => {
    const { config, file } = load('domain: Push.Example.test\nhttp: {port: 9000}\n');
    expect([config.domain, config.http.port]).toEqual(['push.example.test', 9000]);
    expect(file).toBe(join(directory, 'carillon.yaml'));
  });

  it('prefers the file of --config over CARILLON_CONFIG, and that over carillon.yaml', () => {
    writeFileSync(join(directory, 'a.yaml'), 'domain: a.test');
    writeFileSync(join(directory, 'b.yaml'), 'domain: b.test');
    expect(load('domain: c.test', { CARILLON_CONFIG: 'b.yaml' }, 'a.yaml').config.domain).toBe('a.test');
    expect(load(undefined, { CARILLON_CONFIG: 'b.yaml' }).config.domain).toBe('b.test');
    expect(load(undefined).config.domain).toBe('c.test');
  });

  it('lets a variable win over the file', () => {
    const { config } = load('http: {port: 9000, host: 127.0.0.2}', { CARILLON_HTTP_PORT: '9001' });
    expect(config.http).toEqual({ host: '127.0.0.2', port: 9001 });
  });

  it('takes a section with nothing in it, and an empty variable, as not set', () => {
    expect(load('http:\nsip:\n  port:\n', { CARILLON_HTTP_PORT: '' }).config.http.port).toBe(8080);
  });

  it('reads every kind of value from variables', () => {
    const { config } = load(undefined, {
      CARILLON_PUSH_MAX_CONTENT_BYTES: '2048',
      CARILLON_NOTIFY_ALLOW_PRIVATE_ADDRESSES: 'true',
      CARILLON_SIP_REGISTRAR_MIN_EXPIRES: '5',
      CARILLON_SIP_TRANSPORTS: 'udp',
      CARILLON_WAKE_RETRY_SECONDS: '1, 2,3',
      CARILLON_PUSH_INITIATORS: '[{"id":"mms","password":"s3cret"}]',
    });
    expect(config.push.maxContentBytes).toBe(2048);
    expect(config.notify.allowPrivateAddresses).toBe(true);
    expect(config.sip.registrar.minExpires).toBe(5);
    expect(config.sip.transports).toEqual(['udp']);
    expect(config.wake.retrySeconds).toEqual([1, 2, 3]);
    expect(config.pushInitiators).toEqual([{ id: 'mms', password: 's3cret' }]);
  });

  it('takes REDIS_URL, and CARILLON_REDIS_URL before it', () => {
    expect(load('redis: {url: "redis://file"}', { REDIS_URL: 'redis://env' }).config.redis.url).toBe(
      'redis://env',
    );
    expect(
      load(undefined, { CARILLON_REDIS_URL: 'redis://ours', REDIS_URL: 'redis://env' }).config.redis.url,
    ).toBe('redis://ours');
    expect(
      load(undefined, { REDIS_URL: 'redis://env', CARILLON_REDIS_URL: 'redis://ours' }).config.redis.url,
    ).toBe('redis://ours');
  });

  it('ignores the variables that container platforms add for a service named carillon', () => {
    const { config } = load(undefined, {
      CARILLON_SERVICE_HOST: '10.0.0.1',
      CARILLON_SERVICE_PORT_HTTP: '80',
      CARILLON_PORT: 'tcp://10.0.0.1:80',
      CARILLON_PORT_80_TCP_ADDR: '10.0.0.1',
      CARILLON_HTTP_PORT: 'tcp://10.0.0.1:80',
    });
    expect(config.http.port).toBe(8080);
  });

  it('opens the registrar to users without a password only while SIP listens on loopback', () => {
    expect(load('sip: {host: "::1"}').config.sip.registrar.allowWithoutCredentials).toBe(true);
    expect(load('sip: {host: 0.0.0.0}').config.sip.registrar.allowWithoutCredentials).toBe(false);
    expect(load('sip: {moreHosts: ["::"]}').config.sip.registrar.allowWithoutCredentials).toBe(false);
    expect(load('http: {host: 0.0.0.0}').config.sip.registrar.allowWithoutCredentials).toBe(false);
    const withoutWebSocket = load('{http: {host: 0.0.0.0}, sip: {transports: [udp]}}').config;
    expect(withoutWebSocket.sip.registrar.allowWithoutCredentials).toBe(true);
    expect(
      load('sip: {host: 0.0.0.0, registrar: {allowWithoutCredentials: true}}').config.sip.registrar
        .allowWithoutCredentials,
    ).toBe(true);
  });

  it('has a different variable for every key', () => {
    const variables = configKeys().flatMap((key) => key.environmentVariable ?? []);
    expect(new Set(variables).size).toBe(variables.length);
  });
});

describe('what a mistake is told', () => {
  const cases: readonly {
    readonly mistake: string;
    readonly yaml?: string;
    readonly environment?: Record<string, string>;
    readonly file?: string;
    readonly problems: readonly string[];
  }[] = [
    {
      mistake: 'an unknown section',
      yaml: 'domain: a.test\nhtpt:\n  port: 1\n',
      problems: ['htpt (…/carillon.yaml line 2) is not a configuration key; did you mean "http"?'],
    },
    {
      mistake: 'an unknown key without a likely meaning',
      yaml: 'msrp:\n  host: 127.0.0.1\n  colour: red\n',
      problems: [
        'msrp.colour (…/carillon.yaml line 3) is not a configuration key; known here: host, moreHosts, port, advertise, tls.',
      ],
    },
    {
      mistake: 'a number out of range',
      yaml: 'http:\n  port: 70000\n',
      problems: ['http.port (…/carillon.yaml line 2) cannot be 70000; it takes an integer from 0 to 65535.'],
    },
    {
      mistake: 'a wrong word',
      yaml: 'redis: {durability: sometimes}',
      problems: [
        'redis.durability (…/carillon.yaml line 1) cannot be "sometimes"; it takes one of always, everysec.',
      ],
    },
    {
      mistake: 'a word for a switch',
      yaml: 'notify: {allowPrivateAddresses: yes}',
      problems: [
        'notify.allowPrivateAddresses (…/carillon.yaml line 1) cannot be "yes"; it takes true or false.',
      ],
    },
    {
      mistake: 'a wrong value in a variable',
      environment: { CARILLON_HTTP_PORT: 'eighty' },
      problems: [
        'http.port (environment variable CARILLON_HTTP_PORT) cannot be "eighty"; it takes an integer from 0 to 65535.',
      ],
    },
    {
      mistake: 'a variable that names no key',
      environment: { CARILLON_HTTP_PROT: '1' },
      problems: [
        'CARILLON_HTTP_PROT (environment) names no configuration key; did you mean "CARILLON_HTTP_PORT"?',
      ],
    },
    {
      mistake: 'a missing key in a list',
      yaml: 'pushInitiators:\n  - id: a\n    password: x\n  - password: y\n',
      problems: [
        'pushInitiators[1].id (…/carillon.yaml line 4) is missing; it takes 1 to 128 letters, digits and the signs . _ @ + -.',
      ],
    },
    {
      mistake: 'a push initiator that nobody could be',
      yaml: 'pushInitiators:\n  - id: a\n',
      problems: [
        'pushInitiators[0].password (…/carillon.yaml line 2) is missing; it takes a password, or certificates: without either nobody could use it.',
      ],
    },
    {
      mistake: 'a password without quotes, which is not repeated',
      yaml: 'pushInitiators: [{id: a, password: 12345}]',
      problems: [
        'pushInitiators[0].password (…/carillon.yaml line 1) cannot be this value (not shown); it takes text of 1 to 1024 characters, in quotes.',
      ],
    },
    {
      mistake: 'two push initiators of one name',
      yaml: 'pushInitiators: [{id: a, password: x}, {id: a, password: y}]',
      problems: [
        'pushInitiators (…/carillon.yaml line 1) cannot be this list; it takes a list in which every id is different.',
      ],
    },
    {
      mistake: 'a colon in the id of a push initiator, which HTTP Basic cannot carry',
      yaml: 'pushInitiators: [{id: "a:b", password: x}]',
      problems: [
        'pushInitiators[0].id (…/carillon.yaml line 1) cannot be "a:b"; it takes 1 to 128 letters, digits and the signs . _ @ + -.',
      ],
    },
    {
      mistake: 'a Redis URL of no known form, which may hold a password and is not repeated',
      environment: { REDIS_URL: 'http://user:pw@host' },
      problems: [
        'redis.url (environment variable REDIS_URL) cannot be this value (not shown); it takes redis://host:port/db, rediss://…, unix:///path, redis+sentinel://host:port,host:port/master or redis+cluster://host:port,host:port.',
      ],
    },
    {
      mistake: 'registration times in the wrong order',
      yaml: 'sip:\n  registrar:\n    minExpires: 7200\n',
      problems: [
        'sip.registrar (…/carillon.yaml line 2) cannot be this section; it takes values with minExpires <= defaultExpires <= maxExpires.',
      ],
    },
    {
      mistake: 'a transport named twice',
      yaml: 'sip: {transports: [udp, udp]}',
      problems: [
        'sip.transports (…/carillon.yaml line 1) cannot be this list; it takes a list that names each transport once.',
      ],
    },
    {
      mistake: 'a list in place of a section',
      yaml: 'http: [1]',
      problems: [
        'http (…/carillon.yaml line 1) cannot be this list; it takes a section with the keys host, port, tls.',
      ],
    },
    {
      mistake: 'a file that is no mapping',
      yaml: '- a\n',
      problems: [
        '…/carillon.yaml must hold keys and values (such as "domain: example.test"), not a list or a single value.',
      ],
    },
    {
      mistake: 'a key given twice',
      yaml: 'domain: a.test\ndomain: b.test\n',
      problems: ['…/carillon.yaml line 2 is not valid YAML: Map keys must be unique.'],
    },
    {
      mistake: 'broken YAML',
      yaml: 'domain: "a.test\n',
      problems: ['…/carillon.yaml line 2 is not valid YAML: Missing closing "quote.'],
    },
    {
      mistake: 'a named file that is missing',
      file: 'nowhere.yaml',
      problems: ['The configuration file …/nowhere.yaml (--config) cannot be read: there is no such file.'],
    },
    {
      mistake: 'a file named by a variable that is missing',
      environment: { CARILLON_CONFIG: '/nowhere.yaml' },
      problems: [
        'The configuration file /nowhere.yaml (CARILLON_CONFIG) cannot be read: there is no such file.',
      ],
    },
    {
      mistake: 'several things at once',
      yaml: 'http: {port: -1}\nlog: {level: loud}\n',
      problems: [
        'http.port (…/carillon.yaml line 1) cannot be -1; it takes an integer from 0 to 65535.',
        'log.level (…/carillon.yaml line 2) cannot be "loud"; it takes one of trace, debug, info, warn, error, fatal, silent.',
      ],
    },
  ];

  it.each(cases)('names $mistake', ({ yaml, environment, file, problems }) => {
    expect(problemsOf(yaml, environment, file)).toEqual(problems);
  });
});
