/** MSRP over TLS (RFC 4975 §14): who is believed to be whom, by fingerprint (RFC 8122) and by name, and what hostile peers get. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFingerprint, formatFingerprint } from '../../../src/protocols/sdp/index.js';
import type { MsrpConnections } from '../../../src/transports/msrp-connections/msrp-connections.js';
import { TestCa, type TestCertificate } from '../../support/test-ca.js';
import { connecting, listening, message, openSession } from './endpoints.js';
import { RawPeer, sendText } from './raw-peer.js';

const PEER = 'msrps://peer.example.com:9/rAnDoM;tcp';
let ca: TestCa;
let gateway: TestCertificate;
let terminal: TestCertificate;
beforeAll(() => {
  ca = new TestCa();
  gateway = ca.selfSigned('gateway', '/CN=gateway');
  terminal = ca.selfSigned('terminal', '/CN=terminal');
});
afterAll(() => ca[Symbol.dispose]());

const secure = (own = gateway) => listening({ tls: { own }, tlsListen: { host: '127.0.0.1', port: 0 } });

/** A session over TLS between the two; `expected` is what each side was told of the other. */
async function pair(
  passive: MsrpConnections,
  active: MsrpConnections,
  expected: {
    readonly ofPassive: readonly CertificateFingerprint[] | undefined;
    readonly ofActive?: readonly CertificateFingerprint[] | undefined;
  },
) {
  const there = openSession(passive, { isSecure: true });
  const here = openSession(active, { isSecure: true });
  there.session.awaitPeer([here.session.localPath], { fingerprints: expected.ofActive });
  await here.session.connect([there.session.localPath], { fingerprints: expected.ofPassive });
  return { there, here };
}

const fingerprintBy = (hash: CertificateFingerprint['hash'], { certFile }: TestCertificate) => {
  const text = execFileSync('openssl', [
    'x509',
    '-in',
    certFile,
    '-noout',
    '-fingerprint',
    `-${hash.replace('-', '')}`,
  ]);
  return { hash, value: String(text).trim().replace(/^.*=/, '') };
};

describe('a session over TLS', () => {
  it('has a path that says so, and carries messages both ways', async () => {
    const passive = await secure();
    const active = connecting({ tls: {} });
    const { there, here } = await pair(passive, active, {
      ofPassive: passive.fingerprint && [passive.fingerprint],
    });
    expect(there.session.localPath).toMatch(`msrps://127.0.0.1:${passive.tlsPort}/`);
    expect(await here.session.send(message('abcd1', 'up'))).toEqual({ kind: 'confirmed' });
    expect(await there.session.send(message('abcd2', Buffer.alloc(300_000, 7)))).toEqual({
      kind: 'confirmed',
    });
    expect(there.received.map(({ content }) => String(content))).toEqual(['up']);
    expect(here.received[0]?.content.length).toBe(300_000);
  });

  it('stands beside a plain one on the same endpoint', async () => {
    const passive = await secure();
    const plain = openSession(passive);
    expect(plain.session.localPath).toMatch(`msrp://127.0.0.1:${passive.port}/`);
    expect(passive.tlsPort).not.toBe(passive.port);
  });
});

describe('the fingerprint', () => {
  it('of our certificate is what openssl says', async () => {
    const { fingerprint } = await secure();
    expect(fingerprint).toEqual(fingerprintBy('sha-256', gateway));
    expect(formatFingerprint(fingerprintBy('sha-256', gateway))).toMatch(/^sha-256 [0-9A-F]{2}:/);
  });

  it.each(['sha-256', 'sha-384', 'sha-512'] as const)('may be by %s', async (hash) => {
    const { here } = await pair(await secure(), connecting({ tls: {} }), {
      ofPassive: [fingerprintBy(hash, gateway)],
    });
    expect(here.session.isConnected).toBe(true);
  });

  it('of a server that shows another certificate ends the session, and nothing was said', async () => {
    const passive = await secure();
    const failed = pair(passive, connecting({ tls: {} }), {
      ofPassive: [fingerprintBy('sha-256', terminal)],
    });
    await expect(failed).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('counts by the strongest hash function only', async () => {
    const failed = pair(await secure(), connecting({ tls: {} }), {
      ofPassive: [fingerprintBy('sha-256', gateway), fingerprintBy('sha-512', terminal)],
    });
    await expect(failed).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('of a client is asked for when it described one', async () => {
    const passive = await secure();
    const described = {
      ofPassive: passive.fingerprint && [passive.fingerprint],
      ofActive: [fingerprintBy('sha-256', terminal)],
    };
    const { there } = await pair(passive, connecting({ tls: { own: terminal } }), described);
    expect(there.session.isConnected).toBe(true);
    await expect(pair(passive, connecting({ tls: {} }), described)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(pair(passive, connecting({ tls: { own: gateway } }), described)).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});

describe('a server that describes no certificate', () => {
  it('must have one for its host', async () => {
    const own = ca.issue('issued', '/CN=gateway');
    const { here } = await pair(await secure(own), connecting({ tls: { ca: ca.ca } }), {
      ofPassive: undefined,
    });
    expect(here.session.isConnected).toBe(true);
  });

  it.each([
    ['of an unknown CA', () => gateway],
    ['for another host', () => ca.issue('other', '/CN=x', 'DNS:other.test')],
  ])('is not spoken to when it has one %s', async (_, own) => {
    const failed = pair(await secure(own()), connecting({ tls: { ca: ca.ca } }), { ofPassive: undefined });
    await expect(failed).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a peer', () => {
  it('cannot take a session over TLS on a plain connection, nor the other way round', async () => {
    const endpoint = await secure();
    const overTls = openSession(endpoint, { isSecure: true });
    overTls.session.awaitPeer([PEER]);
    const plain = await RawPeer.connect(endpoint.port ?? 0);
    try {
      plain.write(sendText({ to: overTls.session.localPath, from: PEER, id: 'abcd' }));
      expect(await plain.nextLine()).toBe('403 abcd');
    } finally {
      plain.socket.destroy();
    }
    expect(overTls.session.isConnected).toBe(false);

    const inTheClear = openSession(endpoint);
    const from = PEER.replace('msrps', 'msrp');
    inTheClear.session.awaitPeer([from]);
    const socket = connect({ host: '127.0.0.1', port: endpoint.tlsPort, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.write(sendText({ to: inTheClear.session.localPath, from, id: 'efgh' }));
    const [octets] = await once(socket, 'data');
    expect(String(octets)).toMatch(/^MSRP efgh 403 /);
    socket.destroy();
  });

  it('that speaks no TLS on its port is hung up on, and others are served', async () => {
    const passive = await secure();
    const socket = connectTcp(passive.tlsPort ?? 0, '127.0.0.1');
    socket.write('MSRP abcd SEND\r\n');
    await once(socket, 'close');
    const { here } = await pair(passive, connecting({ tls: {} }), {
      ofPassive: [fingerprintBy('sha-256', gateway)],
    });
    expect(here.session.isConnected).toBe(true);
  });

  it('whose handshake is not over does not hold up the end', async () => {
    const passive = await secure();
    const socket = connectTcp(passive.tlsPort ?? 0, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    const gone = once(socket, 'close');
    await passive.close();
    await gone;
  });
});
