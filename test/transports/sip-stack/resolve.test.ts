/** From a URI to transport addresses (RFC 3263 §4, RFC 7118 §8): which questions are asked, and in which order the answers are tried. */
import { afterEach, describe, expect, test } from 'vitest';
import { parseSipOrSipsUri } from '../../../src/protocols/sip/index.js';
import type { NameService, NaptrRecord } from '../../../src/transports/sip-stack/name-service.js';
import { systemNameService, TargetResolver } from '../../../src/transports/sip-stack/resolve.js';
import { DnsTwin } from '../../support/dns-twin.js';
import { TestCa } from '../../support/test-ca.js';
import { closeAll, messageTo, openAnswering, openClient } from './support.js';

afterEach(closeAll);

const naptr = (service: string, replacement: string, order: number, preference = 0): NaptrRecord => ({
  order,
  preference,
  flags: 's',
  service,
  replacement,
});
const host = (name: string, port: number) => [{ name, port, priority: 0, weight: 0 }];

/** The targets of a URI as text, and the questions that were asked. */
async function resolve(
  uri: string,
  zone: {
    readonly naptr?: readonly NaptrRecord[];
    readonly srv?: Record<string, ReturnType<typeof host>>;
  } = {},
  choice: { readonly cannot?: readonly string[]; readonly isLarge?: boolean } = {},
) {
  const asked: string[] = [];
  const names: NameService = {
    addresses: async (name) => {
      asked.push(`A ${name}`);
      return [name === 'six.test' ? '2001:db8::1' : '192.0.2.1'];
    },
    srv: async (name) => {
      asked.push(`SRV ${name}`);
      return zone.srv?.[name] ?? [];
    },
    naptr: async (name) => {
      asked.push(`NAPTR ${name}`);
      return zone.naptr ?? [];
    },
    close() {},
  };
  const found = await new TargetResolver(names).targets(parseSipOrSipsUri(uri), {
    canSend: (transport) => choice.cannot?.includes(transport) !== true,
    isLarge: choice.isLarge ?? false,
  });
  const targets = found.map(
    ({ transport, address, port, domain }) =>
      `${transport} ${address} ${port}${domain ? ` as ${domain}` : ''}`,
  );
  return { targets, asked };
}

describe('a URI that says all', () => {
  test.each([
    ['sip:192.0.2.7', ['udp 192.0.2.7 5060']],
    ['sip:192.0.2.7:5070;transport=tcp', ['tcp 192.0.2.7 5070']],
    ['sip:192.0.2.7;transport=tls', ['tls 192.0.2.7 5061 as 192.0.2.7']],
    ['sips:192.0.2.7', ['tls 192.0.2.7 5061 as 192.0.2.7']],
    ['sips:[2001:db8::7];transport=tcp', ['tls 2001:db8::7 5061 as 2001:db8::7']],
    ['sip:192.0.2.7;transport=ws', ['ws 192.0.2.7 80']],
    ['sips:192.0.2.7;transport=ws', ['wss 192.0.2.7 443 as 192.0.2.7']],
    ['sip:192.0.2.7;maddr=192.0.2.8', ['udp 192.0.2.8 5060']],
  ])('%s needs no question', async (uri, targets) => {
    expect(await resolve(uri)).toEqual({ targets, asked: [] });
  });

  test('sips and a transport without TLS leads nowhere', async () => {
    await expect(resolve('sips:192.0.2.7;transport=sctp')).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('a name with a port is asked for its addresses only, and is the name to be proved', async () => {
    expect(await resolve('sips:a.test:5071')).toEqual({
      targets: ['tls 192.0.2.1 5071 as a.test'],
      asked: ['A a.test'],
    });
  });
});

describe('a domain', () => {
  const srv = {
    '_sips._tcp.example.test': host('secure.test', 5061),
    '_sip._tcp.example.test': host('tcp.test', 5060),
    '_sip._udp.example.test': host('six.test', 5062),
    '_sip._ws.example.test': host('web.test', 8080),
  };
  const all = [
    naptr('SIP+D2T', '_sip._tcp.example.test', 20),
    naptr('SIPS+D2T', '_sips._tcp.example.test', 10, 5),
    naptr('SIP+D2U', '_sip._udp.example.test', 30),
    naptr('SIP+D2W', '_sip._ws.example.test', 10, 9),
    naptr('SIP+D2S', '_sip._sctp.example.test', 1),
    { ...naptr('E2U+sip', '', 0), flags: 'u' },
  ];

  test('is tried by the services of its NAPTR records, in their order', async () => {
    expect((await resolve('sip:example.test', { naptr: all, srv })).targets).toEqual([
      'tls 192.0.2.1 5061 as example.test',
      'ws 192.0.2.1 8080',
      'tcp 192.0.2.1 5060',
      'udp 2001:db8::1 5062',
    ]);
  });

  test('is tried by what we can send over only', async () => {
    const { targets, asked } = await resolve(
      'sip:example.test',
      { naptr: all, srv },
      { cannot: ['tls', 'ws'] },
    );
    expect(targets).toEqual(['tcp 192.0.2.1 5060', 'udp 2001:db8::1 5062']);
    expect(asked).not.toContain('SRV _sips._tcp.example.test');
  });

  test('of a SIPS URI is tried by secure services only', async () => {
    const { targets, asked } = await resolve('sips:example.test', { naptr: all, srv });
    expect(targets).toEqual(['tls 192.0.2.1 5061 as example.test']);
    expect(asked).toEqual(['SRV _sips._tcp.example.test', 'A secure.test']);
  });

  test('is not tried by UDP first when the message is large', async () => {
    const udpFirst = [
      naptr('SIP+D2U', '_sip._udp.example.test', 1),
      naptr('SIP+D2T', '_sip._tcp.example.test', 2),
    ];
    const { targets } = await resolve('sip:example.test', { naptr: udpFirst, srv }, { isLarge: true });
    expect(targets).toEqual(['tcp 192.0.2.1 5060', 'udp 2001:db8::1 5062']);
  });

  test('without NAPTR is asked for the SRV records of each transport', async () => {
    const { targets, asked } = await resolve('sip:example.test', { srv });
    expect(asked[0]).toBe('NAPTR example.test');
    expect(targets).toEqual([
      'udp 2001:db8::1 5062',
      'tcp 192.0.2.1 5060',
      'tls 192.0.2.1 5061 as example.test',
    ]);
  });

  test('whose URI names a transport is asked for no NAPTR', async () => {
    const { targets, asked } = await resolve('sip:example.test;transport=tcp', { naptr: all, srv });
    expect([targets, asked]).toEqual([['tcp 192.0.2.1 5060'], ['SRV _sip._tcp.example.test', 'A tcp.test']]);
  });

  test('without any record is taken for a host', async () => {
    expect((await resolve('sip:example.test')).targets).toEqual(['udp 192.0.2.1 5060']);
    expect((await resolve('sips:example.test')).targets).toEqual(['tls 192.0.2.1 5061 as example.test']);
  });

  test('whose NAPTR records lead to no SRV record is taken for a host', async () => {
    const naptrs = [naptr('SIP+D2T', '_sip._tcp.gone.test', 1)];
    expect((await resolve('sip:example.test', { naptr: naptrs })).targets).toEqual(['udp 192.0.2.1 5060']);
  });

  test('with more NAPTR records than anybody needs is asked no more than five of them', async () => {
    const many = Array.from({ length: 50 }, (_, index) =>
      naptr('SIP+D2T', `_sip._tcp.n${index}.test`, index),
    );
    const { asked } = await resolve('sip:example.test', { naptr: many });
    expect(asked.filter((question) => question.startsWith('SRV'))).toHaveLength(5);
  });
});

test('real questions to a DNS server lead to a server that proves the domain', async () => {
  using ca = new TestCa();
  const own = ca.issue('server', '/CN=server', 'DNS:example.test');
  const { stack: server } = await openAnswering({
    listen: [{ transport: 'tls', host: '127.0.0.1', port: 0 }],
    tls: { own },
  });
  await using dns = await DnsTwin.start({
    naptr: { 'example.test': [naptr('SIPS+D2T', '_sips._tcp.example.test', 1)] },
    srv: { '_sips._tcp.example.test': host('localhost', server.bound[0]?.port ?? 0) },
  });
  const names = systemNameService([dns.server]);
  const client = openClient({
    tls: { ca: ca.ca },
    // `localhost` may be IPv6 first; the server listens on IPv4.
    names: { ...names, addresses: async (name) => (name === 'localhost' ? ['127.0.0.1'] : []) },
  });
  const answer = await client.request(messageTo('sip:alice@example.test'));
  expect(answer.status).toBe(200);
  expect(dns.questions).toEqual(['35 example.test', '33 _sips._tcp.example.test']);
});

test('a domain that the DNS server does not know cannot be reached', async () => {
  await using dns = await DnsTwin.start({});
  const names = systemNameService([dns.server]);
  const client = openClient({ tls: {}, names: { ...names, addresses: async () => [] } });
  const sent = client.request(messageTo('sip:alice@nowhere.test'));
  await expect(sent).rejects.toMatchObject({ code: 'unreachable' });
});
