import { describe, expect, it } from 'vitest';
import { initiatorId, initiatorPassword } from '../../src/registry/initiator.js';
import { withConfigured } from '../../src/registry/initiator-configured.js';
import { hashPassword, verifyPassword } from '../../src/registry/initiator-password.js';
import {
  CHEAP_SCRYPT,
  countingBytes,
  initiatorWith,
  MemoryInitiatorDirectory,
} from '../support/memory-initiators.js';

describe('the id of a push initiator', () => {
  it.each(['pi1', 'content.provider@example.test', 'Ärzte', 'a b', 'x'.repeat(128)])('can be %j', (id) => {
    expect(initiatorId(id)).toBe(id);
  });

  it.each([
    ['empty', ''],
    ['longer than 128 characters', 'x'.repeat(129)],
    ['with a colon, where HTTP Basic would end it', 'a:b'],
    ['with a line break', 'a\r\nb'],
    ['with a NUL', 'a\0b'],
    ['with a C1 control character', 'a\u0085b'],
    ['with a space at the end', 'a '],
    ['with half a surrogate pair', 'a\ud800'],
  ])('cannot be %s', (_, id) => {
    expect(() => initiatorId(id)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});

describe('the password of a push initiator', () => {
  it('can be a phrase of any script', () => {
    expect(initiatorPassword('correct horse µß 馬')).toBe('correct horse µß 馬');
  });

  it.each(['', 'x'.repeat(1025), 'ß'.repeat(513), 'a\nb'])('cannot be %j', (password) => {
    expect(() => initiatorPassword(password)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});

describe('a password at rest', () => {
  it('is recognised', async () => {
    const hash = await hashPassword('s3cret', countingBytes(), CHEAP_SCRYPT);
    expect(await verifyPassword('s3cret', hash)).toBe(true);
  });

  it('is not mistaken for another', async () => {
    const hash = await hashPassword('s3cret', countingBytes(), CHEAP_SCRYPT);
    expect(await verifyPassword('s3cret ', hash)).toBe(false);
  });

  it('is recognised when its accents are typed as combining characters', async () => {
    const hash = await hashPassword('caf\u00e9', countingBytes(), CHEAP_SCRYPT);
    expect(await verifyPassword('cafe\u0301', hash)).toBe(true);
  });

  it('looks different for each initiator that has it', async () => {
    const random = countingBytes();
    const hashes = [
      await hashPassword('same', random, CHEAP_SCRYPT),
      await hashPassword('same', random, CHEAP_SCRYPT),
    ];
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  it('does not contain the password', async () => {
    expect(await hashPassword('abcdefgh', countingBytes(), CHEAP_SCRYPT)).not.toContain('abcdefgh');
  });

  it('is verified with the parameters that stand beside it', async () => {
    const hash = await hashPassword('s3cret', countingBytes(), { logN: 5, r: 4, p: 2 });
    expect(hash).toMatch(/^\$scrypt\$ln=5,r=4,p=2\$/);
    expect(await verifyPassword('s3cret', hash)).toBe(true);
  });

  it.each(['', 's3cret', '$scrypt$ln=4,r=8,p=1$$', `$2b$12$${'a'.repeat(53)}`])(
    'that reads %j is a defect, not a wrong password',
    async (hash) => {
      await expect(verifyPassword('s3cret', hash)).rejects.toThrow(
        expect.objectContaining({ code: 'internal' }),
      );
    },
  );

  it('cannot ask for more memory than the gateway grants', async () => {
    const hash = `$scrypt$ln=30,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
    await expect(verifyPassword('s3cret', hash)).rejects.toThrow(/memory/i);
  });
});

describe('initiators of the configuration', () => {
  const configured = [{ id: 'configured', password: 'from the file' }];

  it('are found with a hash of their password', async () => {
    const directory = withConfigured(new MemoryInitiatorDirectory(), configured, countingBytes());
    const found = await directory.find('configured');
    expect(await verifyPassword('from the file', found?.passwordHash ?? '')).toBe(true);
  });

  it('keep one hash, so that a verdict reached on it stays good', async () => {
    const directory = withConfigured(new MemoryInitiatorDirectory(), configured, countingBytes());
    const [first, second] = await Promise.all([directory.find('configured'), directory.find('configured')]);
    expect(first?.passwordHash).toBe(second?.passwordHash);
  });

  it('are listed among the stored ones, in order and once', async () => {
    const stored = new MemoryInitiatorDirectory();
    for (const id of ['zeta', 'alpha', 'configured']) await stored.put(await initiatorWith(id, 'x'));
    expect(await withConfigured(stored, configured, countingBytes()).list()).toEqual([
      { id: 'alpha', origin: 'stored' },
      { id: 'configured', origin: 'configured' },
      { id: 'zeta', origin: 'stored' },
    ]);
  });

  it('cannot be replaced through the directory', async () => {
    const directory = withConfigured(new MemoryInitiatorDirectory(), configured, countingBytes());
    const change = directory.change('configured', () => ({ passwordHash: 'x' }));
    await expect(change).rejects.toThrow(expect.objectContaining({ code: 'conflict' }));
  });

  it('cannot be removed through the directory', async () => {
    const directory = withConfigured(new MemoryInitiatorDirectory(), configured, countingBytes());
    await expect(directory.remove('configured')).rejects.toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
  });

  it('leave stored ones as they are', async () => {
    const stored = new MemoryInitiatorDirectory();
    const directory = withConfigured(stored, configured, countingBytes());
    await directory.change('pi1', () => ({ passwordHash: 'x' }));
    expect((await directory.find('pi1'))?.id).toBe('pi1');
    expect(await directory.remove('pi1')).toBe(true);
  });

  it('have their rights, networks and certificates in canonical form', async () => {
    const restricted = {
      id: 'restricted',
      certificates: [{ sha256: 'AB'.repeat(32) }],
      rights: { addresses: ['TEL:+43*'] },
      sourceNetworks: ['192.0.2.7'],
    };
    const directory = withConfigured(new MemoryInitiatorDirectory(), [restricted], countingBytes());
    const certificate = { sha256: 'ab'.repeat(32), subject: 'CN=x' };
    expect(await directory.findByCertificate(certificate)).toEqual({
      id: 'restricted',
      origin: 'configured',
      certificates: [{ sha256: 'ab'.repeat(32) }],
      rights: { addresses: ['tel:+43*'] },
      sourceNetworks: ['192.0.2.7/32'],
    });
  });

  it('keep their certificates from stored ones', async () => {
    const own = { id: 'own', certificates: [{ subject: 'CN=pi' }] };
    const directory = withConfigured(new MemoryInitiatorDirectory(), [own], countingBytes());
    const change = directory.change('other', () => ({ certificates: [{ subject: 'CN=pi' }] }));
    await expect(change).rejects.toThrow(expect.objectContaining({ code: 'conflict' }));
  });

  it('that make no sense are refused with the key at fault', () => {
    const wrong = [
      { id: 'a', password: 'x' },
      { id: 'b', password: 'x', sourceNetworks: ['office'] },
    ];
    expect(() => withConfigured(new MemoryInitiatorDirectory(), wrong, countingBytes())).toThrow(
      /pushInitiators\[1\]\.sourceNetworks\[0\]: /,
    );
  });
});
