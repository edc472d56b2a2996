import { beforeEach, describe, expect, it } from 'vitest';
import { isStronglyAuthenticated } from '../../src/registry/initiator.js';
import {
  type AuthenticateInitiator,
  createInitiatorAuthenticator,
  type PresentedCredentials,
} from '../../src/registry/initiator-authenticator.js';
import { makeToken } from '../../src/registry/initiator-token.js';
import { VerificationQueue } from '../../src/registry/initiator-verification-queue.js';
import { countingBytes, initiatorWith, MemoryInitiatorDirectory } from '../support/memory-initiators.js';

let directory: MemoryInitiatorDirectory;
let clock: { now: number };

/** Lets in by password; gives the id of who was let in. */
function authenticator(options: { maxVerdicts?: number; maxWaitingEach?: number } = {}) {
  return byPassword(
    createInitiatorAuthenticator(directory, {
      now: () => clock.now,
      random: countingBytes(),
      freshMs: 2000,
      ...options,
    }),
  );
}

function byPassword(authenticate: AuthenticateInitiator) {
  return async (username: string, password: string, peer = '127.0.0.1') =>
    (await authenticate({ basic: { username, password }, peer, isEncrypted: false }))?.id;
}

beforeEach(async () => {
  directory = new MemoryInitiatorDirectory();
  clock = { now: 1000 };
  await directory.put(await initiatorWith('pi1', 's3cret'));
});

describe('the authenticator of push initiators', () => {
  it('lets the initiator in with its password', async () => {
    expect(await authenticator()('pi1', 's3cret')).toBe('pi1');
  });

  it('does not let it in with another password', async () => {
    expect(await authenticator()('pi1', 'S3cret')).toBeUndefined();
  });

  it('lets nobody in whom it does not know', async () => {
    expect(await authenticator()('pi2', 's3cret')).toBeUndefined();
  });

  it('does not look at credentials longer than any initiator can have', async () => {
    const authenticate = authenticator();
    expect(await authenticate('x'.repeat(129), 's3cret')).toBeUndefined();
    expect(await authenticate('pi1', 'x'.repeat(1025))).toBeUndefined();
    expect(directory.lookups).toBe(0);
  });

  it('asks the directory once while a verdict is fresh', async () => {
    const authenticate = authenticator();
    for (let request = 0; request < 5; request += 1) await authenticate('pi1', 's3cret');
    expect(directory.lookups).toBe(1);
  });

  it('asks once for requests that come together', async () => {
    const authenticate = authenticator();
    const answers = await Promise.all(Array.from({ length: 50 }, () => authenticate('pi1', 's3cret')));
    expect(new Set(answers)).toEqual(new Set(['pi1']));
    expect(directory.lookups).toBe(1);
  });

  it('stops letting in an initiator that was removed, once the verdict is no longer fresh', async () => {
    const authenticate = authenticator();
    await authenticate('pi1', 's3cret');
    await directory.remove('pi1');
    clock.now += 2000;
    expect(await authenticate('pi1', 's3cret')).toBeUndefined();
  });

  it('takes a changed password once the verdict on it is no longer fresh', async () => {
    const authenticate = authenticator();
    expect(await authenticate('pi1', 'new')).toBeUndefined();
    await directory.put(await initiatorWith('pi1', 'new'));
    clock.now += 2000;
    expect(await authenticate('pi1', 'new')).toBe('pi1');
    expect(await authenticate('pi1', 's3cret')).toBeUndefined();
  });

  it('hashes a password in use only once, however old the verdict', async () => {
    const authenticate = authenticator({ maxWaitingEach: 0 });
    await authenticate('pi1', 's3cret');
    clock.now += 10_000;
    const guess = authenticate('pi1', 'guess'); // holds the only place of this applicant
    expect(await authenticate('pi1', 's3cret')).toBe('pi1');
    expect(await guess).toBeUndefined();
  });

  it('keeps the border between id and password', async () => {
    await directory.put(await initiatorWith('a', 'b:c'));
    const authenticate = authenticator();
    expect(await authenticate('a', 'b:c')).toBe('a');
    expect(await authenticate('a:b', 'c')).toBeUndefined();
  });

  it('keeps the verdict on the right password when a flood of wrong ones comes', async () => {
    const authenticate = authenticator({ maxVerdicts: 4, maxWaitingEach: 64 });
    await authenticate('pi1', 's3cret');
    for (let guess = 0; guess < 20; guess += 1) await authenticate('pi1', `guess ${guess}`);
    const before = directory.lookups;
    expect(await authenticate('pi1', 's3cret')).toBe('pi1');
    expect(directory.lookups).toBe(before);
  });

  it('answers busy when more guesses come together than may wait', async () => {
    const authenticate = authenticator({ maxWaitingEach: 2 });
    const guesses = await Promise.allSettled(
      Array.from({ length: 10 }, (_, guess) => authenticate('pi1', `guess ${guess}`)),
    );
    const refused = guesses.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(7);
    expect(refused[0]).toMatchObject({ reason: { code: 'busy', retry: 'later' } });
  });

  it('lets the initiator in from its own address while somebody guesses from another', async () => {
    const authenticate = authenticator({ maxWaitingEach: 1 });
    const guesses = Array.from({ length: 10 }, (_, guess) =>
      authenticate('pi1', `guess ${guess}`, '192.0.2.1'),
    );
    const settled = Promise.allSettled(guesses);
    expect(await authenticate('pi1', 's3cret', '192.0.2.2')).toBe('pi1');
    await settled;
  });

  it('passes on what the directory rejects with, and asks again the next time', async () => {
    let isAway = true;
    const stored = await initiatorWith('pi1', 's3cret');
    const authenticate = byPassword(
      createInitiatorAuthenticator(
        {
          async find() {
            if (isAway) throw new Error('the store is away');
            return stored;
          },
          findByCertificate: async () => undefined,
        },
        { now: () => clock.now, random: countingBytes() },
      ),
    );
    await expect(authenticate('pi1', 's3cret')).rejects.toThrow('the store is away');
    isAway = false;
    expect(await authenticate('pi1', 's3cret')).toBe('pi1');
  });
});

describe('the queue of password checks', () => {
  const limits = { maxRunning: 2, maxWaitingEach: 2, maxWaiting: 3 };

  /** A check that ends when it is told to. */
  function openCheck(log: string[], name: string) {
    let finish = () => {};
    const ended = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const check = async () => {
      log.push(name);
      await ended;
    };
    return { check, finish: () => finish() };
  }

  it('runs one check of an applicant at a time and others beside it', async () => {
    const queue = new VerificationQueue(limits);
    const log: string[] = [];
    const [a1, a2, b1] = [openCheck(log, 'a1'), openCheck(log, 'a2'), openCheck(log, 'b1')];
    const runs = [queue.run('a', a1.check), queue.run('a', a2.check), queue.run('b', b1.check)];
    expect(log).toEqual(['a1', 'b1']);
    for (const { finish } of [a1, a2, b1]) finish();
    await Promise.all(runs);
    expect(log).toEqual(['a1', 'b1', 'a2']);
  });

  it('serves applicants in turn', async () => {
    const queue = new VerificationQueue({ ...limits, maxRunning: 1 });
    const log: string[] = [];
    const checks = ['a1', 'a2', 'a3', 'b1'].map((name) => ({ name, ...openCheck(log, name) }));
    const runs = checks.map(({ name, check }) => queue.run(name.charAt(0), check));
    for (const { finish } of checks) finish();
    await Promise.all(runs);
    expect(log).toEqual(['a1', 'a2', 'b1', 'a3']);
  });

  it('refuses what does not fit in all', async () => {
    const queue = new VerificationQueue({ ...limits, maxRunning: 1 });
    const log: string[] = [];
    const checks = ['a', 'b', 'c', 'd'].map((name) => ({ name, ...openCheck(log, name) }));
    const runs = checks.map(({ name, check }) => queue.run(name, check));
    await expect(queue.run('e', async () => {})).rejects.toThrow(expect.objectContaining({ code: 'busy' }));
    for (const { finish } of checks) finish();
    await Promise.all(runs);
  });

  it('goes on after a check that failed', async () => {
    const queue = new VerificationQueue({ ...limits, maxRunning: 1 });
    await expect(queue.run('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await queue.run('a', async () => 'done')).toBe('done');
  });
});

describe('an initiator that is let in', () => {
  const rights = { addresses: ['tel:*'] };
  const limits = { pendingPushes: 5 };
  const CERTIFICATE = { sha256: 'ab'.repeat(32), subject: 'CN=pi1' };
  let authenticate: AuthenticateInitiator;
  let token: string;

  beforeEach(async () => {
    const made = makeToken('pi1', 0, countingBytes());
    token = made.text;
    const { passwordHash = '' } = await initiatorWith('pi1', 's3cret');
    const certificates = [{ subject: 'CN=pi1' }];
    await directory.change('pi1', () => ({
      passwordHash,
      tokens: [made.token],
      certificates,
      rights,
      limits,
      sourceNetworks: ['192.0.2.0/24'],
    }));
    authenticate = createInitiatorAuthenticator(directory, { now: () => clock.now, random: countingBytes() });
  });

  const ask = (presented: Partial<PresentedCredentials>) =>
    authenticate({ peer: '192.0.2.9', isEncrypted: false, ...presented });
  const basic = { username: 'pi1', password: 's3cret' };

  it('comes with its rights and limits, without its secrets', async () => {
    const letIn = await ask({ basic });
    expect(letIn).toEqual({ id: 'pi1', method: 'password', isEncrypted: false, rights, limits });
  });

  it('comes by token', async () => {
    expect(await ask({ bearer: token })).toMatchObject({ id: 'pi1', method: 'token' });
  });

  it('comes by certificate', async () => {
    const letIn = await ask({ certificate: CERTIFICATE, isEncrypted: true });
    expect(letIn).toMatchObject({ id: 'pi1', method: 'certificate', isEncrypted: true });
  });

  it('is strongly authenticated over TLS only', async () => {
    const [open, encrypted] = [await ask({ basic }), await ask({ basic, isEncrypted: true })];
    expect(open && isStronglyAuthenticated(open)).toBe(false);
    expect(encrypted && isStronglyAuthenticated(encrypted)).toBe(true);
  });

  it('asks the directory once for all requests with a token', async () => {
    for (let request = 0; request < 5; request += 1) await ask({ bearer: token });
    expect(directory.lookups).toBe(1);
  });

  it('does not come by a token that was taken back, once the answer of the directory is old', async () => {
    await ask({ bearer: token });
    await directory.change('pi1', (before) => ({ ...before, tokens: [] }));
    clock.now += 2000;
    expect(await ask({ bearer: token })).toBeUndefined();
  });

  it('does not come by an unknown certificate, nor without credentials', async () => {
    const certificate = { sha256: 'cd'.repeat(32), subject: 'CN=other' };
    expect(await ask({ certificate })).toBeUndefined();
    expect(await ask({})).toBeUndefined();
  });

  it('does not come by its certificate when the password beside it is wrong', async () => {
    const wrong = { ...basic, password: 'wrong' };
    expect(await ask({ basic: wrong, certificate: CERTIFICATE })).toBeUndefined();
  });

  it('has no password when none was set', async () => {
    await directory.change('bare', () => ({}));
    expect(await ask({ basic: { username: 'bare', password: '' } })).toBeUndefined();
  });

  it.each([
    ['password', () => ({ basic })],
    ['wrong password', () => ({ basic: { ...basic, password: 'wrong' } })],
    ['token', () => ({ bearer: token })],
    ['certificate', () => ({ certificate: CERTIFICATE })],
  ])('is refused from another network, whatever the %s', async (_, shown) => {
    const forbidden = expect.objectContaining({ code: 'forbidden' });
    await expect(ask({ ...shown(), peer: '198.51.100.1' })).rejects.toThrow(forbidden);
    await expect(authenticate({ ...shown(), isEncrypted: false })).rejects.toThrow(forbidden);
  });
});
