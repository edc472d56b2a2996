/** The registrar behind the real SIP stack: sockets, digest by a client of ours and by sipp, connections that close. */
import { afterEach, describe, expect, it } from 'vitest';
import { DigestAuthentication } from '../../src/endpoints/sip/digest-authentication.js';
import { Registrar } from '../../src/endpoints/sip/registrar.js';
import { headerValues, type SipHeader } from '../../src/protocols/sip/index.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { sipCredentials } from '../../src/registry/sip-credentials.js';
import { noLog } from '../../src/telemetry/log.js';
import type { SipFlow } from '../../src/transports/sip-stack/sip-stack.js';
import { CLEAN, call } from '../interop/sipp/run.js';
import { MemoryRegistry } from '../support/memory-registry.js';
import {
  closeAll,
  Inbox,
  openRawTcp,
  openRawUdp,
  openStack,
  requestText,
} from '../transports/sip-stack/support.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const INSTANCE = '+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"';

afterEach(closeAll);

async function openRegistrar() {
  const now = () => Date.now();
  const randomBytes = (size: number) => crypto.getRandomValues(new Uint8Array(size));
  const registry = new MemoryRegistry({ now });
  const credentials = sipCredentials('alice', 'example.test', 'wonder');
  await registry.putUser({ id: ALICE, aliases: [], policy: { target: 'all-subscribed' }, sip: credentials });
  const events = new Inbox<string>();
  const registrar = new Registrar(
    {
      registry,
      authentication: new DigestAuthentication({ clock: { now }, randomBytes, nonceKey: randomBytes(32) }),
      events: {
        onRegistered: ({ isRefresh }) => events.push(isRefresh ? 'refreshed' : 'registered'),
        onUnregistered: () => events.push('unregistered'),
      },
      clock: { now },
      randomBytes,
      log: noLog,
    },
    { domain: 'example.test', node: 'n1', allowWithoutCredentials: false },
  );
  const opened = await openStack({ supported: ['path', 'gruu', 'outbound'] }, (stack) => {
    stack.onRequest('REGISTER', (request) => registrar.handle(request));
    stack.onFlowClosed((flow) => void registrar.flowClosed(flow));
  });
  return { ...opened, registry, events };
}

const registerFrom = async (destination: SipFlow, password: string, headers: readonly SipHeader[]) => {
  const { stack } = await openStack();
  return stack.request({
    method: 'REGISTER',
    uri: 'sip:example.test',
    from: `<${ALICE}>`,
    to: `<${ALICE}>`,
    headers,
    destination,
    credentials: { username: 'alice', password },
  });
};

describe('over the wire', () => {
  for (const transport of ['udp', 'tcp'] as const) {
    it(`a client of ours registers over ${transport.toUpperCase()} after one challenge`, async () => {
      const gateway = await openRegistrar();
      const contact = {
        name: 'Contact',
        value: `<sip:alice@127.0.0.1:5999;transport=${transport}>;${INSTANCE}`,
      };
      const response = await registerFrom(gateway[transport], 'wonder', [contact]);
      expect(response.status).toBe(200);
      expect(headerValues(response, 'contact')).toEqual([
        `<sip:alice@127.0.0.1:5999;transport=${transport}>;expires=3600;${INSTANCE}`,
      ]);
      const [binding] = await gateway.registry.bindings(ALICE);
      expect(binding?.flow).toMatchObject({ transport, address: '127.0.0.1', node: 'n1' });
      expect(await gateway.events.next()).toBe('registered');
    });
  }

  it('a wrong password stays outside', async () => {
    const gateway = await openRegistrar();
    const response = await registerFrom(gateway.udp, 'x', [{ name: 'Contact', value: '<sip:a@127.0.0.1>' }]);
    expect(response.status).toBe(401);
    expect(await gateway.registry.bindings(ALICE)).toEqual([]);
  });

  it('a tag in Require that nobody knows is answered 420', async () => {
    const gateway = await openRegistrar();
    const peer = await openRawUdp();
    peer.send(
      requestText('REGISTER', { To: `<${ALICE}>`, Require: 'path, x-unknown' }, '', 'sip:example.test'),
      gateway.udp,
    );
    expect(await peer.inbox.next()).toMatch(/^SIP\/2\.0 420 [\s\S]*\r\nUnsupported: x-unknown\r\n/);
  });

  it('a client that is cut off loses the flow that it registered', async () => {
    const gateway = await openRegistrar();
    await gateway.registry.putUser({ id: ALICE, aliases: [], policy: { target: 'all-subscribed' } });
    const open = new Registrar(
      {
        registry: gateway.registry,
        authentication: { authenticate: () => true },
        events: { onRegistered: () => {}, onUnregistered: () => gateway.events.push('unregistered') },
        clock: { now: () => Date.now() },
        randomBytes: (size) => new Uint8Array(size),
        log: noLog,
      },
      { domain: 'example.test', node: 'n1', allowWithoutCredentials: true },
    );
    const { tcp } = await openStack({ supported: ['outbound'] }, (stack) => {
      stack.onRequest('REGISTER', (request) => open.handle(request));
      stack.onFlowClosed((flow) => void open.flowClosed(flow));
    });
    const peer = await openRawTcp(tcp);
    const lines = {
      Via: 'SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1',
      To: `<${ALICE}>`,
      Supported: 'outbound',
      Contact: `<sip:alice@127.0.0.1;transport=tcp;ob>;reg-id=1;${INSTANCE}`,
    };
    peer.socket.write(requestText('REGISTER', lines, '', 'sip:example.test'));
    await peer.until(/^SIP\/2\.0 200 /);
    expect(await gateway.registry.bindings(ALICE)).toHaveLength(1);
    peer.socket.destroy();
    expect(await gateway.events.next()).toBe('unregistered');
    expect(await gateway.registry.bindings(ALICE)).toEqual([]);
  });

  for (const transport of ['udp', 'tcp'] as const) {
    it(`sipp registers, reads its GRUU and takes everything back over ${transport.toUpperCase()}`, async () => {
      const gateway = await openRegistrar();
      const { port } = gateway[transport];
      expect(await call(port, { scenario: 'uac-register-life', transport })).toEqual(CLEAN);
      expect(await gateway.events.next()).toBe('registered');
      expect(await gateway.events.next()).toBe('unregistered');
      expect(await gateway.registry.bindings(ALICE)).toEqual([]);
    });
  }
});
