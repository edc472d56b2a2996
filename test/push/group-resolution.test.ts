/** A push to a group: who gets it, what is said of those who do not, and its one state. */
import { beforeEach, describe, expect, it } from 'vitest';
import { addressResult } from '../../src/push/address-result.js';
import { decisionsOf, type Recipient } from '../../src/push/push-message.js';
import type { Submission } from '../../src/push/submission.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { BOB, PushStage, TO_BOB } from '../support/push-stage.js';
import { ALICE, PC, PHONE } from '../support/pushes.js';

const FAMILY = publicUserIdentity('sip:family@example.test');
const NOBODY = publicUserIdentity('sip:nobody@example.test');
const TO_FAMILY = 'WAPPUSH=family/TYPE=USER@ppg.test';
const BOBS_PHONE = terminalId(BOB, 'phone');

let stage: PushStage;
beforeEach(() => {
  stage = new PushStage();
});

const family = (...members: readonly string[]) =>
  stage.groups.putGroup({ id: FAMILY, members: members.map(publicUserIdentity) });

async function pushed(options: Partial<Submission> = {}): Promise<Recipient | undefined> {
  const { uid } = await stage.submit({ addresses: [TO_FAMILY], ...options });
  return (await stage.store.story(uid))?.push.recipients[0];
}

const refused = (code: string) => expect.objectContaining({ name: 'RefusedError', code });

describe('a push to a group', () => {
  it('goes to the terminals of every member', async () => {
    await family(ALICE, BOB);
    expect((await pushed())?.terminals).toEqual([PHONE, PC, BOBS_PHONE]);
    expect(stage.kicked).toEqual([PHONE, PC, BOBS_PHONE]);
  });

  it.each(['sip:family@example.test', 'WAPPUSH=sip%3Afamily%40example.test/TYPE=USER@ppg.test'])(
    'can be addressed as %s',
    async (address) => {
      await family(BOB);
      expect((await pushed({ addresses: [address] }))?.group?.group).toBe(FAMILY);
    },
  );

  it('keeps the decision of every member, and why the others are left out', async () => {
    await family(ALICE, NOBODY);
    const recipient = await pushed();
    expect(recipient && decisionsOf(recipient).map(({ user }) => user)).toEqual([ALICE]);
    expect(recipient?.group?.left).toEqual([{ member: NOBODY, reason: 'nobody is known by this address' }]);
  });

  it('goes once to a user who is a member by two addresses', async () => {
    stage.has(BOB, ['phone'], ['tel:+431']);
    await family(BOB, 'tel:+431');
    const recipient = await pushed();
    expect(recipient?.terminals).toEqual([BOBS_PHONE]);
    expect(recipient?.group?.left).toEqual([
      { member: 'tel:+431', reason: 'the same user as another member' },
    ]);
  });

  it('is delivered when one terminal has it and nothing is under way, pending before', async () => {
    await family(ALICE, BOB);
    const { uid } = await stage.submit({ addresses: [TO_FAMILY] });
    const settle = (terminal: typeof PHONE, event: 'deliver' | 'expire') =>
      stage.store.settle(uid, terminal, { event, at: stage.clock.now(), notifyAt: stage.clock.now() });
    const state = async () => {
      const story = await stage.store.story(uid);
      const [recipient] = story?.push.recipients ?? [];
      return recipient && addressResult(recipient, story?.deliveries ?? [], 0, () => 0).messageState;
    };
    await settle(BOBS_PHONE, 'deliver');
    expect(await state()).toBe('pending');
    await settle(PHONE, 'expire');
    await settle(PC, 'expire');
    expect(await state()).toBe('delivered');
  });

  it('can stand beside the address of one of its members, with a state for each address', async () => {
    await family(BOB);
    const { uid } = await stage.submit({ addresses: [TO_FAMILY, TO_BOB], notifyTo: 'http://pi.test/' });
    const at = stage.clock.now();
    const { owed } = await stage.store.settle(uid, BOBS_PHONE, { event: 'deliver', at, notifyAt: at });
    expect(owed).toEqual([0, 1]);
  });
});

describe('a push to a group is refused', () => {
  it('when nobody knows any member', async () => {
    await family(NOBODY);
    await expect(pushed()).rejects.toEqual(refused('addressNotFound'));
  });

  it('when no terminal of any member can take the content, with that reason', async () => {
    const bob = stage.users.get(BOB);
    if (!bob) throw new Error('bob is on the stage');
    const terminals = bob.terminals.map((one) => ({ ...one, capabilities: { accept: ['image/png'] } }));
    stage.users.set(BOB, { ...bob, terminals });
    await family(NOBODY, BOB);
    await expect(pushed()).rejects.toEqual(refused('capabilitiesExceeded'));
  });

  it('when it names a device: a group has none', async () => {
    await family(BOB);
    const address =
      'WAPPUSH=family/device=urn%3Auuid%3Af81d4fae-7dec-11d0-a765-00a0c91e6bf6/TYPE=USER@ppg.test';
    await expect(pushed({ addresses: [address] })).rejects.toEqual(refused('addressNotFound'));
  });

  it('when it stands for more users than a push may have addresses', async () => {
    await family(...Array.from({ length: 6 }, (_, index) => `tel:+43${index}`));
    await expect(pushed()).rejects.toEqual(refused('limitExceeded'));
  });
});

it('a user goes before a group of the same address', async () => {
  await stage.groups.putGroup({ id: BOB, members: [ALICE] });
  expect((await pushed({ addresses: [TO_BOB] }))?.terminals).toEqual([BOBS_PHONE]);
});
