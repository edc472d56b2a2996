/** The Redis adapter against a real Redis of its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { InitiatorAttributes } from '../../src/registry/initiator.js';
import type { RedisClient } from '../../src/stores/redis-connection.js';
import { RedisInitiatorDirectory } from '../../src/stores/redis-initiators.js';
import { TestRedis } from '../support/redis.js';

let server: TestRedis;
let redis: RedisClient;
let directory: RedisInitiatorDirectory;

beforeAll(async () => {
  server = await TestRedis.start();
  redis = server.client();
});

afterAll(() => server?.stop());

beforeEach(async () => {
  await redis.flushall();
  directory = new RedisInitiatorDirectory(redis);
});

const put = (id: string, attributes: InitiatorAttributes) => directory.change(id, () => attributes);
const CERTIFICATE = { sha256: 'ab'.repeat(32), subject: 'CN=pi,O=Example' };
const taken = expect.objectContaining({ code: 'conflict' });

describe('push initiators in Redis', () => {
  it('are found as they were put', async () => {
    const attributes: InitiatorAttributes = {
      passwordHash: '$scrypt$one',
      rights: { addresses: ['tel:+43*'] },
      limits: { pendingPushes: 5 },
      sourceNetworks: ['192.0.2.0/24'],
    };
    await put('pi1', attributes);
    expect(await directory.find('pi1')).toEqual({ id: 'pi1', origin: 'stored', ...attributes });
  });

  it('are found by no other id', async () => {
    await put('pi1', { passwordHash: '$scrypt$one' });
    expect(await directory.find('PI1')).toBeUndefined();
  });

  it('are created once and replaced after that', async () => {
    expect((await put('pi1', { passwordHash: '$scrypt$one' })).outcome).toBe('created');
    expect((await put('pi1', { passwordHash: '$scrypt$two' })).outcome).toBe('replaced');
    expect((await directory.find('pi1'))?.passwordHash).toBe('$scrypt$two');
  });

  it('are gone when they were removed', async () => {
    await put('pi1', { passwordHash: '$scrypt$one' });
    expect(await directory.remove('pi1')).toBe(true);
    expect(await directory.remove('pi1')).toBe(false);
    expect(await directory.find('pi1')).toBeUndefined();
  });

  it('are listed in order', async () => {
    for (const id of ['zeta', 'alpha', 'ärger']) await put(id, { certificates: [{ subject: `CN=${id}` }] });
    expect((await directory.list()).map(({ id }) => id)).toEqual(['alpha', 'zeta', 'ärger']);
  });

  it('lose no change when many come together', async () => {
    await put('pi1', { tokens: [] });
    const add = (id: string) =>
      directory.change('pi1', (before) => ({
        ...before,
        tokens: [...(before?.tokens ?? []), { id, sha256: 'x', createdAt: 0 }],
      }));
    await Promise.all(['a', 'b', 'c', 'd'].map(add));
    const { tokens = [] } = (await directory.find('pi1')) ?? {};
    expect(tokens.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are left as they are when the change throws', async () => {
    await put('pi1', { passwordHash: '$scrypt$one' });
    const change = directory.change('pi1', () => {
      throw new Error('not this way');
    });
    await expect(change).rejects.toThrow('not this way');
    expect((await directory.find('pi1'))?.passwordHash).toBe('$scrypt$one');
  });
});

describe('certificates of push initiators in Redis', () => {
  it('find their initiator by fingerprint and by subject', async () => {
    await put('exact', { certificates: [{ sha256: CERTIFICATE.sha256 }] });
    await put('named', { certificates: [{ subject: 'CN=other' }] });
    expect((await directory.findByCertificate(CERTIFICATE))?.id).toBe('exact');
    const other = { sha256: 'cd'.repeat(32), subject: 'CN=other' };
    expect((await directory.findByCertificate(other))?.id).toBe('named');
  });

  it('find by the fingerprint first', async () => {
    await put('named', { certificates: [{ subject: CERTIFICATE.subject }] });
    await put('exact', { certificates: [{ sha256: CERTIFICATE.sha256 }] });
    expect((await directory.findByCertificate(CERTIFICATE))?.id).toBe('exact');
  });

  it('find nobody when nobody has them', async () => {
    expect(await directory.findByCertificate(CERTIFICATE)).toBeUndefined();
  });

  it('belong to one initiator', async () => {
    await put('first', { certificates: [{ subject: 'CN=pi' }] });
    await expect(put('second', { certificates: [{ subject: 'CN=pi' }] })).rejects.toThrow(taken);
    expect(await directory.find('second')).toBeUndefined();
  });

  it('are free for another when the initiator gives them up', async () => {
    await put('first', { certificates: [{ subject: 'CN=pi' }] });
    await put('first', { passwordHash: 'x' });
    await put('second', { certificates: [{ subject: 'CN=pi' }] });
    const certificate = { ...CERTIFICATE, subject: 'CN=pi' };
    expect((await directory.findByCertificate(certificate))?.id).toBe('second');
  });

  it('are free for another when the initiator is removed', async () => {
    await put('first', { certificates: [{ subject: 'CN=pi' }] });
    await directory.remove('first');
    await put('second', { certificates: [{ subject: 'CN=pi' }] });
    expect((await directory.find('second'))?.certificates).toEqual([{ subject: 'CN=pi' }]);
  });
});
