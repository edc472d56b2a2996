import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/kernel/errors.js';
import { canonicalNetwork, networkTest } from '../../src/registry/initiator-networks.js';
import { mutated } from '../support/mutations.js';
import { seededRandom } from '../support/seeded-random.js';

describe('networks', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0::/48', '2001:db8::/48'],
    ['::1', '::1/128'],
    ['::/0', '::/0'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['::ffff:192.0.2.1', '192.0.2.1/32'],
  ])('%s is kept as %s', (text, canonical) => {
    expect(canonicalNetwork(text)).toBe(canonical);
    expect(canonicalNetwork(canonical)).toBe(canonical);
  });

  it.each([
    '',
    'example.test',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '192.0.2.0/',
    '192.0.2.0/24/24',
    '192.0.2',
    '192.0.2.256',
    '010.0.0.0/8',
    '2001:db8::/129',
    '2001:db8::1::/64',
    '::ffff:192.0.2.0/24',
    'fe80::1%eth0/64',
    ' 192.0.2.0/24',
  ])('%j is none', (text) => {
    expect(() => canonicalNetwork(text)).toThrow(DecodeError);
  });

  it('with an address inside is refused with the network that was meant', () => {
    expect(() => canonicalNetwork('192.0.2.77/26')).toThrow('192.0.2.64/26');
    expect(() => canonicalNetwork('2001:db8::1/32')).toThrow('2001:db8::/32');
  });

  it('gives a network that reads back to itself, or a DecodeError, for any text', () => {
    const random = seededRandom(11);
    const valid = ['192.0.2.0/24', '2001:db8::/32', '::ffff:1.2.3.4'];
    for (let count = 0; count < 3000; count += 1) {
      const text = mutated(Buffer.from(valid[count % valid.length] ?? ''), random).toString('latin1');
      try {
        const network = canonicalNetwork(text);
        expect(canonicalNetwork(network)).toBe(network);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});

describe('a caller', () => {
  const office = networkTest(['192.0.2.0/25', '2001:db8:1::/48', '198.51.100.9/32']);

  it.each([
    '192.0.2.0',
    '192.0.2.127',
    '198.51.100.9',
    '2001:db8:1::1',
    '2001:db8:1:ffff::',
    '2001:DB8:1:0::9',
  ])('at %s is inside', (peer) => expect(office(peer)).toBe(true));

  it.each([
    '192.0.2.128',
    '192.0.1.255',
    '198.51.100.8',
    '2001:db8:2::1',
    '::1',
    '127.0.0.1',
    'nonsense',
    '',
  ])('at %j is outside', (peer) => expect(office(peer)).toBe(false));

  it('over IPv4 on a dual-stack listener is the IPv4 address', () => {
    expect(office('::ffff:192.0.2.5')).toBe(true);
    expect(office('::ffff:c000:205')).toBe(true);
    expect(office('::ffff:192.0.2.200')).toBe(false);
  });

  it('over IPv4 is not inside a network of every IPv6 address', () => {
    expect(networkTest(['::/0'])('::ffff:192.0.2.5')).toBe(false);
    expect(networkTest(['::/0'])('2001:db8::1')).toBe(true);
  });

  it('on a link is judged without the name of the link', () => {
    expect(networkTest(['fe80::/10'])('fe80::1%eth0')).toBe(true);
  });

  it('that is not known is outside', () => {
    expect(networkTest(['0.0.0.0/0', '::/0'])(undefined)).toBe(false);
  });
});
