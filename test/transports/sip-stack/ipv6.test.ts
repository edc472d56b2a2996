/** What a stack on both families says of itself, by UDP and TCP: brackets in Via and Contact, none in `received` (RFC 3261 §25.1). */
import { afterEach, describe, expect, test } from 'vitest';
import { contactsOf, decodeSipMessage, headerValue } from '../../../src/protocols/sip/index.js';
import type { SipFlow, SipStackOptions } from '../../../src/transports/sip-stack/sip-stack.js';
import { closeAll, messageTo, openAnswering, openRawTcp, requestText } from './support.js';

afterEach(closeAll);

async function openBoth(options: Partial<SipStackOptions> = {}) {
  const hosts = ['127.0.0.1', '::1'];
  const { stack, seen } = await openAnswering({
    listen: hosts.flatMap((host) =>
      (['udp', 'tcp'] as const).map((transport) => ({ transport, host, port: 0 })),
    ),
    ...options,
  });
  stack.onInvite(async (invite) => {
    await invite.accept({ body: Buffer.from('v=0\r\n'), contentType: 'application/sdp' });
  });
  const at = (transport: string, address: string): SipFlow => {
    const found = stack.bound.find((flow) => flow.transport === transport && flow.address === address);
    if (found === undefined) throw new Error(`not bound to ${transport} ${address}`);
    return found;
  };
  return { stack, seen, at };
}

describe.each(['udp', 'tcp'] as const)('by %s', (transport) => {
  test.each([
    ['::1', '[::1]'],
    ['127.0.0.1', '127.0.0.1'],
  ])('a request to %s is sent from %s, and answered there', async (address, written) => {
    const client = await openBoth();
    const server = await openBoth();
    const { port } = server.at(transport, address);
    const uri = `sip:alice@${written}:${port};transport=${transport}`;
    expect((await client.stack.request(messageTo(uri))).status).toBe(200);
    const { message: received, flow } = await server.seen.next();
    const own = client.at(transport, address);
    expect(headerValue(received, 'via')).toMatch(
      `SIP/2.0/${transport.toUpperCase()} ${written}:${own.port};`,
    );
    expect(headerValue(received, 'via')).toContain(`;received=${address}`);
    expect(flow.address).toBe(address);
  });
});

test('an address that is written otherwise is the same address', async () => {
  const server = await openBoth();
  const peer = await openRawTcp(server.at('tcp', '::1'));
  const via = 'SIP/2.0/TCP [0:0:0:0:0:0:0:1]:9;branch=z9hG4bKsix';
  peer.socket.write(requestText('MESSAGE', { Via: via }));
  const answer = decodeSipMessage(Buffer.from(await peer.until(/\r\n\r\n$/), 'latin1'));
  expect(headerValue(answer, 'via')).toBe(via);
});

test('the Contact of an answer has the address in brackets', async () => {
  const server = await openBoth();
  const peer = await openRawTcp(server.at('tcp', '::1'));
  peer.socket.write(requestText('INVITE', { Via: 'SIP/2.0/TCP [::1]:9;branch=z9hG4bKinv' }));
  const answer = decodeSipMessage(Buffer.from(await peer.until(/SIP\/2\.0 200[\s\S]*\r\n\r\n/), 'latin1'));
  const contacts = contactsOf(answer);
  const { port } = server.at('tcp', '::1');
  expect(contacts === '*' ? [] : contacts.map(({ uri }) => uri)).toEqual([
    `sip:ppg@[::1]:${port};transport=tcp`,
  ]);
});

test('an advertised address is not told to peers of the other family', async () => {
  const client = await openBoth({ advertise: '192.0.2.1:5060' });
  const server = await openBoth();
  for (const address of ['::1', '127.0.0.1']) {
    await client.stack.request({
      ...messageTo('sip:alice@example.test'),
      destination: server.at('udp', address),
    });
  }
  const [six, four] = [await server.seen.next(), await server.seen.next()];
  expect(headerValue(six.message, 'via')).toContain(` [::1]:${client.at('udp', '::1').port};`);
  expect(headerValue(four.message, 'via')).toContain(' 192.0.2.1:5060;');
});
