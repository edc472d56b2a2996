/** The client side: where requests go, how challenges are answered, what becomes of silence, and calls that fork. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  buildDigestChallenges,
  decodeSipMessage,
  digestSecrets,
  headerLines,
  headerValue,
  parseDigestCredentials,
  type SipRequest,
  verifyDigestResponse,
} from '../../../src/protocols/sip/index.js';
import type { NameService } from '../../../src/transports/sip-stack/name-service.js';
import type { ServerRequest, SipStackOptions } from '../../../src/transports/sip-stack/sip-stack.js';
import { closeAll, Inbox, openRawUdp, openStack, type RawUdpPeer } from './support.js';

afterEach(closeAll);

const FAST = { t1: 10, t2: 40, t4: 50 };
const base = { method: 'MESSAGE', from: 'sip:alice@example.test', to: '<sip:bob@example.test>' };
const OFFER = Buffer.from('v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n');

async function nextRequest(peer: RawUdpPeer): Promise<SipRequest> {
  const message = decodeSipMessage(Buffer.from(await peer.inbox.next(), 'latin1'));
  if (message.kind !== 'request') throw new Error(`got ${message.status}`);
  return message;
}

/** A response as text, with what it copies from its request. */
function answer(request: SipRequest, status: number, lines: string[] = [], toTag = 't1', body = ''): string {
  const copied = ['Via', 'From', 'Call-ID', 'CSeq'].flatMap((name) =>
    headerLines(request, name).map((value) => `${name}: ${value}`),
  );
  const to = `To: ${headerValue(request, 'to')}${status > 100 ? `;tag=${toTag}` : ''}`;
  return [`SIP/2.0 ${status} Any`, ...copied, to, ...lines, `Content-Length: ${body.length}`, '', body].join(
    '\r\n',
  );
}

const flowOf = (peer: RawUdpPeer) => ({ transport: 'udp', address: '127.0.0.1', port: peer.port }) as const;
const uriOf = (peer: RawUdpPeer) => `sip:bob@127.0.0.1:${peer.port}`;

describe('what is sent', () => {
  test('has all that RFC 3261 demands, and the headers of the caller', async () => {
    const peer = await openRawUdp();
    const { stack, udp } = await openStack();
    void stack
      .request({
        ...base,
        uri: uriOf(peer),
        callId: 'c1',
        headers: [{ name: 'P-Test', value: 'ü' }],
        body: Buffer.from('hi'),
        contentType: 'text/plain',
      })
      .catch(() => {});
    const request = await nextRequest(peer);
    const [via = ''] = headerLines(request, 'via');
    expect(via).toMatch(
      new RegExp(`^SIP/2\\.0/UDP 127\\.0\\.0\\.1:${udp.port};branch=z9hG4bK[0-9a-f]{32};rport$`),
    );
    expect(headerValue(request, 'from')).toMatch(/^<sip:alice@example\.test>;tag=[0-9a-f]{16}$/);
    expect(headerValue(request, 'to')).toBe('<sip:bob@example.test>');
    expect(headerValue(request, 'max-forwards')).toBe('70');
    expect(headerValue(request, 'user-agent')).toBe('Carillon-Test');
    expect(headerValue(request, 'cseq')).toBe('1 MESSAGE');
    expect(headerValue(request, 'p-test')).toBe('ü');
    expect(headerValue(request, 'contact')).toBeUndefined();
    expect(headerValue(request, 'content-length')).toBe('2');
  });

  test('is repeated until an answer comes, always the same octets', async () => {
    const peer = await openRawUdp();
    const { stack, udp } = await openStack({ timers: FAST });
    const pending = stack.request({ ...base, uri: uriOf(peer) });
    const first = await peer.inbox.next();
    const second = await peer.inbox.next();
    expect(second).toBe(first);
    peer.send(answer(decodeSipMessage(Buffer.from(first, 'latin1')) as SipRequest, 200), udp);
    expect((await pending).status).toBe(200);
    expect(stack.transactionCount).toBe(0);
  });

  test('sizeOf is the number of octets on the wire', async () => {
    const peer = await openRawUdp();
    const { stack } = await openStack();
    const request = {
      ...base,
      uri: uriOf(peer),
      callId: 'c',
      body: Buffer.alloc(100),
      contentType: 'text/plain',
    };
    void stack.request(request).catch(() => {});
    expect((await peer.inbox.next()).length).toBe(stack.sizeOf(request));
  });

  test('follows the first Route, and a loose route leaves the Request-URI alone', async () => {
    const peer = await openRawUdp();
    const { stack } = await openStack();
    const route = [`<sip:127.0.0.1:${peer.port};lr>`, '<sip:next.example;lr>'];
    void stack.request({ ...base, uri: 'tel:+43664123', route }).catch(() => {});
    const request = await nextRequest(peer);
    expect(request.uri).toBe('tel:+43664123');
    expect(headerLines(request, 'route')).toEqual(route);
  });

  test('goes to the destination whatever the URI says', async () => {
    const peer = await openRawUdp();
    const { stack } = await openStack();
    void stack.request({ ...base, uri: 'sip:bob@192.0.2.1', destination: flowOf(peer) }).catch(() => {});
    expect((await nextRequest(peer)).uri).toBe('sip:bob@192.0.2.1');
  });

  test('goes to maddr instead of the host', async () => {
    const peer = await openRawUdp();
    const { stack } = await openStack();
    void stack.request({ ...base, uri: `sip:bob@192.0.2.1:${peer.port};maddr=127.0.0.1` }).catch(() => {});
    await nextRequest(peer);
  });

  test('states the advertised address', async () => {
    const peer = await openRawUdp();
    const { stack } = await openStack({ advertise: 'ppg.example.test:5060' });
    void stack.invite({ ...base, uri: uriOf(peer), body: OFFER }).catch(() => {});
    const request = await nextRequest(peer);
    expect(headerValue(request, 'via')).toContain('SIP/2.0/UDP ppg.example.test:5060;branch=');
    expect(headerValue(request, 'contact')).toBe('<sip:alice@ppg.example.test:5060>');
  });
});

describe('failure', () => {
  test('silence is a time-out', async () => {
    const peer = await openRawUdp();
    const { stack } = await openStack({ timers: { t1: 2, t2: 8, t4: 10 } });
    await expect(stack.request({ ...base, uri: uriOf(peer) })).rejects.toMatchObject({ code: 'timeout' });
    await expect(stack.invite({ ...base, uri: uriOf(peer), body: OFFER })).rejects.toMatchObject({
      code: 'timeout',
    });
    expect(stack.transactionCount).toBe(0);
  });

  test('a provisional response does not count as an answer', async () => {
    const peer = await openRawUdp();
    const { stack, udp } = await openStack({ timers: { t1: 2, t2: 8, t4: 10 } });
    const pending = stack.request({ ...base, uri: uriOf(peer) }).catch((error) => error);
    peer.send(answer(await nextRequest(peer), 100), udp);
    expect(await pending).toMatchObject({ code: 'timeout' });
  });

  test('408 is an answer like any other', async () => {
    const peer = await openRawUdp();
    const { stack, udp } = await openStack();
    const pending = stack.request({ ...base, uri: uriOf(peer) });
    peer.send(answer(await nextRequest(peer), 408), udp);
    expect((await pending).status).toBe(408);
  });

  test.each([
    ['a refused connection', 'sip:bob@127.0.0.1:1;transport=tcp'],
    ['a transport that is not served', 'sip:bob@127.0.0.1;transport=sctp'],
    ['sips without TLS', 'sips:bob@127.0.0.1'],
    ['a tel URI without a Route', 'tel:+1'],
    ['a name that nobody knows', 'sip:bob@nowhere.invalid'],
  ])('%s is unreachable', async (_name, uri) => {
    const names: NameService = { addresses: async () => [], srv: async () => [], close() {} };
    const { stack } = await openStack({ names });
    await expect(stack.request({ ...base, uri })).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('nothing piles up behind connections that were refused', async () => {
    const { stack } = await openStack();
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on('warning', onWarning);
    for (let attempt = 0; attempt < 15; attempt += 1) {
      await expect(stack.request({ ...base, uri: 'sip:bob@127.0.0.1:1;transport=tcp' })).rejects.toThrow();
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  test('a ringing call that is never answered is cancelled and ends as a time-out', async () => {
    const peer = await openRawUdp();
    const { stack, udp } = await openStack({ timers: { t1: 10, t2: 40, t4: 50 } });
    const pending = stack.invite({ ...base, uri: uriOf(peer), body: OFFER }).catch((error) => error);
    const invite = await nextRequest(peer);
    peer.send(answer(invite, 180), udp);
    let cancel = await nextRequest(peer);
    while (cancel.method === 'INVITE') cancel = await nextRequest(peer);
    expect(cancel.method).toBe('CANCEL');
    expect(headerLines(cancel, 'via')).toEqual(headerLines(invite, 'via'));
    expect(await pending).toMatchObject({ code: 'timeout' });
  });
});

describe('large requests', () => {
  const body = Buffer.alloc(2000, 'x');

  async function server(listen: SipStackOptions['listen']) {
    const inbox = new Inbox<ServerRequest>();
    const opened = await openStack(
      {
        listen: [
          ...listen,
          { transport: 'udp', host: '127.0.0.1', port: 0 },
          { transport: 'tcp', host: '127.0.0.1', port: 0 },
        ],
      },
      (stack) =>
        stack.onRequest('MESSAGE', (request) => {
          inbox.push(request);
          request.respond(200);
        }),
    );
    return { inbox, ...opened };
  }

  test('go by TCP where the URI names no transport', async () => {
    const peer = await server([]);
    const { stack } = await openStack();
    await stack.request({ ...base, uri: `sip:bob@127.0.0.1:${peer.tcp.port}`, body });
    expect((await peer.inbox.next()).flow.transport).toBe('tcp');
  });

  test('go by UDP when nothing listens on TCP', async () => {
    const peer = await server([]);
    const { stack } = await openStack();
    await stack.request({ ...base, uri: `sip:bob@127.0.0.1:${peer.udp.port}`, body });
    expect((await peer.inbox.next()).flow.transport).toBe('udp');
  });

  test('go by UDP when the URI says so, whole', async () => {
    const peer = await server([]);
    const { stack } = await openStack();
    const large = Buffer.alloc(60_000, 'x');
    await stack.request({ ...base, uri: `sip:bob@127.0.0.1:${peer.udp.port};transport=udp`, body: large });
    expect((await peer.inbox.next()).message.body.length).toBe(60_000);
  });
});

describe('names', () => {
  const names = (
    srv: Record<string, { name: string; port: number; priority: number; weight: number }[]>,
  ): NameService => ({
    addresses: async (host) => (host === 'a.example.test' ? ['127.0.0.1'] : []),
    srv: async (name) => {
      const records = srv[name];
      if (records === undefined) throw new Error('ENOTFOUND');
      return records;
    },
    close() {},
  });

  test('SRV gives host and port, in order of priority', async () => {
    const peer = await openRawUdp();
    const { stack } = await openStack({
      names: names({
        '_sip._udp.example.test': [
          { name: 'b.example.test', port: 1, priority: 1, weight: 0 },
          { name: 'A.example.test', port: peer.port, priority: 2, weight: 0 },
        ],
      }),
    });
    void stack.request({ ...base, uri: 'sip:bob@example.test' }).catch(() => {});
    await nextRequest(peer);
  });

  test('a second server is tried when the first cannot be connected to', async () => {
    const inbox = new Inbox<ServerRequest>();
    const server = await openStack({}, (stack) =>
      stack.onRequest('MESSAGE', (request) => {
        inbox.push(request);
        request.respond(200);
      }),
    );
    const { stack } = await openStack({
      names: names({
        '_sip._tcp.example.test': [
          { name: 'a.example.test', port: 1, priority: 1, weight: 0 },
          { name: 'a.example.test', port: server.tcp.port, priority: 2, weight: 0 },
        ],
      }),
    });
    await stack.request({ ...base, uri: 'sip:bob@example.test;transport=tcp' });
    await inbox.next();
  });

  test('a name with a port is looked up by address only', async () => {
    const peer = await openRawUdp();
    const { stack } = await openStack({ names: names({}) });
    void stack.request({ ...base, uri: `sip:bob@a.example.test:${peer.port}` }).catch(() => {});
    await nextRequest(peer);
  });
});

describe('challenges', () => {
  const account = { username: 'alice', password: 'secret' };

  /** Challenges until the credentials are right; `status` 401 or 407. */
  async function guarded(status: 401 | 407, algorithms: readonly ('SHA-256' | 'MD5')[], staleFirst = false) {
    const [challenge, credentials] =
      status === 401 ? ['WWW-Authenticate', 'authorization'] : ['Proxy-Authenticate', 'proxy-authorization'];
    const cseqs: string[] = [];
    let nonce = 'n1';
    const check = (request: ServerRequest): boolean => {
      cseqs.push(headerValue(request.message, 'cseq') ?? '');
      const given = parseDigestCredentials(headerValue(request.message, credentials) ?? 'None');
      const isRight =
        given?.nonce === nonce &&
        given.uri === request.message.uri &&
        verifyDigestResponse(given, digestSecrets('alice', 'r', 'secret'), request.message.method);
      if (isRight && !staleFirst) return true;
      const stale = isRight;
      if (stale) nonce = 'n2';
      staleFirst = staleFirst && !stale;
      const values = buildDigestChallenges({ realm: 'r', nonce, algorithms, stale });
      request.respond(status, { headers: values.map((value) => ({ name: challenge, value })) });
      return false;
    };
    const server = await openStack({}, (stack) => {
      stack.onRequest('MESSAGE', (request) => {
        if (check(request)) request.respond(200);
      });
      stack.onInvite(async (invite) => {
        if (check(invite)) await invite.accept({ body: OFFER, contentType: 'application/sdp' });
      });
    });
    return { uri: `sip:bob@127.0.0.1:${server.udp.port}`, cseqs };
  }

  test.each([
    [401, ['SHA-256', 'MD5']],
    [401, ['MD5']],
    [407, ['SHA-256']],
  ] as const)('%i with %j is answered once with the next CSeq', async (status, algorithms) => {
    const { uri, cseqs } = await guarded(status, algorithms);
    const { stack } = await openStack();
    expect((await stack.request({ ...base, uri, credentials: account })).status).toBe(200);
    expect(cseqs).toEqual(['1 MESSAGE', '2 MESSAGE']);
  });

  test('a stale nonce is answered once more', async () => {
    const { uri, cseqs } = await guarded(401, ['MD5'], true);
    const { stack } = await openStack();
    expect((await stack.request({ ...base, uri, credentials: account })).status).toBe(200);
    expect(cseqs).toHaveLength(3);
  });

  test('wrong credentials are not tried again', async () => {
    const { uri, cseqs } = await guarded(401, ['MD5']);
    const { stack } = await openStack();
    const credentials = { username: 'alice', password: 'wrong' };
    expect((await stack.request({ ...base, uri, credentials })).status).toBe(401);
    expect(cseqs).toHaveLength(2);
  });

  test('without credentials the challenge is the answer', async () => {
    const { uri } = await guarded(401, ['MD5']);
    const { stack } = await openStack();
    expect((await stack.request({ ...base, uri })).status).toBe(401);
  });

  test('an INVITE is sent again with its answer, and makes one dialog', async () => {
    const { uri, cseqs } = await guarded(407, ['SHA-256']);
    const { stack } = await openStack();
    const dialog = await stack.invite({ ...base, method: 'INVITE', uri, body: OFFER, credentials: account });
    expect(cseqs).toEqual(['1 INVITE', '2 INVITE']);
    await dialog.bye();
  });
});

describe('INVITE', () => {
  async function calling(timers = { t1: 100, t2: 400, t4: 500 }) {
    const peer = await openRawUdp();
    const { stack, udp } = await openStack({ timers });
    const dialog = stack.invite({
      ...base,
      method: 'INVITE',
      uri: uriOf(peer),
      body: OFFER,
      contentType: 'application/sdp',
    });
    // A refusal may arrive while the test waits for something else; it is looked at later.
    dialog.catch(() => {});
    return { peer, stack, udp, dialog, invite: await nextRequest(peer) };
  }
  const contact = (peer: RawUdpPeer) => `Contact: <sip:bob@127.0.0.1:${peer.port};x=1>`;

  test('the ACK follows route set and Contact of the 200, and is sent again for each repetition', async () => {
    const { peer, udp, dialog, invite } = await calling();
    const routes = `Record-Route: <sip:far.example;lr>, <sip:127.0.0.1:${peer.port};lr>`;
    const ok = answer(invite, 200, [contact(peer), routes], 'a', 'v=0');
    peer.send(ok, udp);
    const ack = await nextRequest(peer);
    expect(ack).toMatchObject({ method: 'ACK', uri: `sip:bob@127.0.0.1:${peer.port};x=1` });
    expect(headerLines(ack, 'route')).toEqual([`<sip:127.0.0.1:${peer.port};lr>`, '<sip:far.example;lr>']);
    expect(headerValue(ack, 'cseq')).toBe('1 ACK');
    expect(headerLines(ack, 'via')).not.toEqual(headerLines(invite, 'via'));
    expect(Buffer.from((await dialog).remoteBody).toString()).toBe('v=0');
    peer.send(ok, udp);
    expect(await nextRequest(peer)).toEqual(ack);
  });

  test('in front of a strict router the Request-URI is the router', async () => {
    const { peer, udp, dialog, invite } = await calling();
    const router = `sip:127.0.0.1:${peer.port}`;
    peer.send(answer(invite, 200, [contact(peer), `Record-Route: <${router}>`]), udp);
    const ack = await nextRequest(peer);
    expect(ack.uri).toBe(router);
    expect(headerLines(ack, 'route')).toEqual([`<sip:bob@127.0.0.1:${peer.port};x=1>`]);
    await dialog;
  });

  test('the second answer of a forked call is acknowledged and ended', async () => {
    const { peer, udp, dialog, invite } = await calling();
    peer.send(answer(invite, 200, [contact(peer)], 'one'), udp);
    expect(headerValue(await nextRequest(peer), 'to')).toContain('tag=one');
    await dialog;
    peer.send(answer(invite, 200, [contact(peer)], 'two'), udp);
    const [ack, bye] = [await nextRequest(peer), await nextRequest(peer)];
    expect([ack.method, bye.method]).toEqual(['ACK', 'BYE']);
    expect(headerValue(bye, 'to')).toContain('tag=two');
    peer.send(answer(bye, 200), udp);
  });

  test('a 200 that overtakes our CANCEL is acknowledged and ended', async () => {
    const peer = await openRawUdp();
    const { stack, udp } = await openStack();
    const abort = new AbortController();
    const dialog = stack
      .invite({ ...base, method: 'INVITE', uri: uriOf(peer), body: OFFER, signal: abort.signal })
      .catch((error) => error);
    const invite = await nextRequest(peer);
    abort.abort();
    peer.send(answer(invite, 200, [contact(peer)]), udp);
    expect([(await nextRequest(peer)).method, (await nextRequest(peer)).method]).toEqual(['ACK', 'BYE']);
    expect(await dialog).toMatchObject({ code: 'timeout' });
  });

  test('a refusal is acknowledged in the same transaction, again for each repetition', async () => {
    const { peer, udp, dialog, invite } = await calling();
    const busy = answer(invite, 486);
    peer.send(busy, udp);
    const ack = await nextRequest(peer);
    expect(headerLines(ack, 'via')).toEqual(headerLines(invite, 'via'));
    expect(headerValue(ack, 'to')).toBe('<sip:bob@example.test>;tag=t1');
    await expect(dialog).rejects.toMatchObject({ name: 'SipRejection', response: { status: 486 } });
    peer.send(busy, udp);
    expect(await nextRequest(peer)).toEqual(ack);
  });

  test('requests of the peer reach the dialog', async () => {
    const { peer, udp, dialog, invite } = await calling();
    peer.send(answer(invite, 200, [contact(peer)], 'b'), udp);
    await nextRequest(peer);
    const ended = new Promise<string>((resolve) => void dialog.then((one) => one.onEnd(resolve)));
    await dialog;
    const bye = [
      'BYE sip:alice@x SIP/2.0',
      'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKbye;rport',
      `From: ${headerValue(invite, 'to')};tag=b`,
      `To: ${headerValue(invite, 'from')}`,
      `Call-ID: ${headerValue(invite, 'call-id')}`,
      'CSeq: 7 BYE',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    peer.send(bye, udp);
    expect(await peer.inbox.next()).toMatch(/^SIP\/2\.0 200/);
    expect(await ended).toBe('the peer ended the session');
  });

  test('a 200 without a usable Contact fails the call', async () => {
    const { peer, udp, dialog, invite } = await calling();
    peer.send(answer(invite, 200, ['Contact: <sip:a@b@c>']), udp);
    await expect(dialog).rejects.toMatchObject({ code: 'malformed' });
  });
});

test('IPv6 works as IPv4 does, over UDP and TCP (SIR-172)', async () => {
  const listen = [
    { transport: 'udp', host: '::1', port: 0 },
    { transport: 'tcp', host: '::1', port: 0 },
  ] as const;
  const server = await openStack({ listen }, (stack) =>
    stack.onRequest('MESSAGE', (request) => request.respond(200)),
  );
  const client = await openStack({ listen });
  for (const uri of [`sip:b@[::1]:${server.udp.port}`, `sip:b@[::1]:${server.tcp.port};transport=tcp`]) {
    const response = await client.stack.request({ ...base, uri });
    expect(headerValue(response, 'via')).toMatch(
      /^SIP\/2\.0\/(UDP|TCP) \[::1\]:\d+;branch=\S+;received=::1$/,
    );
  }
});

test('a listener that cannot be bound rejects with the error of the system', async () => {
  const first = await openStack();
  const listen = [{ transport: 'tcp', host: '127.0.0.1', port: first.tcp.port }] as const;
  await expect(openStack({ listen })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
