/** Replacement: a newer push in the place of an older one, everywhere or where that one is still pending. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type PushUid, pushUid } from '../../src/push/push-message.js';
import { finishAcceptances } from '../../src/push/replacement.js';
import { submit } from '../../src/push/submission.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { instead } from '../support/instead.js';
import { BOB, PushStage, TO_ALICE, TO_BOB } from '../support/push-stage.js';
import { PC, PHONE } from '../support/pushes.js';

const OLDER = 'one@pi.test';
const NEWER = 'two@pi.test';
const BOBS = terminalId(BOB, 'phone');

let stage: PushStage;
let older: PushUid;
const newer = pushUid('pi', NEWER);
beforeEach(async () => {
  stage = new PushStage();
  ({ uid: older } = await stage.submit({ addresses: [TO_ALICE, TO_BOB], notifyTo: 'http://pi.test/' }));
});

const replacing = (method: 'all' | 'pending-only', pushId = OLDER) => ({
  pushId: NEWER,
  addresses: [TO_ALICE, TO_BOB],
  replaces: { pushId, method },
});
const delivered = async (terminal = PHONE) => {
  await stage.store.settle(older, terminal, { event: 'deliver', at: 1, notifyAt: 1 });
  await stage.lanes.remove(terminal, [{ id: older, rank: 1 }]);
};
const ports = (more: Partial<PushStage['submissionPorts']> = {}) => ({ ...stage.submissionPorts, ...more });

describe('everywhere', () => {
  it('takes back the older push and takes its place in every lane', async () => {
    await stage.submit(replacing('all'));
    for (const terminal of [PHONE, PC, BOBS]) {
      expect(await stage.state(older, terminal)).toBe('cancelled');
      expect(await stage.held(terminal)).toEqual([newer]);
    }
  });

  it('goes also to terminals that have the older one', async () => {
    await delivered(PHONE);
    await stage.submit(replacing('all'));
    expect(await stage.state(older, PHONE)).toBe('delivered');
    expect(await stage.held(PHONE)).toEqual([newer]);
  });

  it('tells why the older one ended, and owes its reports', async () => {
    await stage.submit(replacing('all'));
    expect((await stage.store.story(older))?.deliveries[0]?.reason).toBe(`replaced by ${NEWER}`);
    expect(stage.alarms.results.filter(({ uid }) => uid === older)).toHaveLength(2);
  });

  it('kicks the lanes once the newer push is in them', async () => {
    stage.kicked.length = 0;
    await stage.submit(replacing('all'));
    expect([...stage.kicked].sort()).toEqual([PHONE, PC, BOBS].sort());
  });
});

describe('where it is pending', () => {
  it('leaves out terminals that have the older push', async () => {
    await delivered(PHONE);
    await stage.submit(replacing('pending-only'));
    expect(await stage.held(PHONE)).toEqual([]);
    expect(await stage.held(PC)).toEqual([newer]);
    expect(await stage.held(BOBS)).toEqual([newer]);
  });

  it('refuses the address whose terminals all have it, and goes to the others', async () => {
    await delivered(BOBS);
    await stage.submit(replacing('pending-only'));
    const recipients = (await stage.store.story(newer))?.push.recipients;
    expect(recipients?.map(({ refused }) => refused?.code)).toEqual([undefined, 'tooLate']);
  });

  it('is refused when nothing is pending any more', async () => {
    for (const terminal of [PHONE, PC, BOBS]) await delivered(terminal);
    await expect(stage.submit(replacing('pending-only'))).rejects.toMatchObject({ code: 'tooLate' });
    expect(await stage.store.story(newer)).toBeUndefined();
  });
});

describe('a replacement', () => {
  it('of a push that is not known is refused', async () => {
    await expect(stage.submit(replacing('all', 'other@pi.test'))).rejects.toMatchObject({
      code: 'pushNotFound',
    });
  });

  it('of the push of another initiator is refused', async () => {
    await expect(stage.submit({ ...replacing('all'), initiator: 'other' })).rejects.toMatchObject({
      code: 'pushNotFound',
    });
  });

  it('whose push-id was used before leaves the older push alone', async () => {
    await stage.submit({ pushId: NEWER });
    await expect(stage.submit(replacing('all'))).rejects.toMatchObject({ code: 'duplicatePush' });
    expect(await stage.state(older, PHONE)).toBe('held');
  });

  it('that a crash cuts short after the newer push is stored is carried out by the sweeper', async () => {
    const store = instead(stage.store, {
      settle: async () => {
        throw new Error('killed');
      },
    });
    const submission = stage.submission(replacing('all'));
    await expect(submit(submission, ports({ store }), stage.options)).rejects.toThrow('killed');
    expect(await stage.held(PHONE)).toEqual([older]);

    const touched = await finishAcceptances({ olderThan: stage.clock.now(), limit: 10 }, ports());
    expect([...touched].sort()).toEqual([PHONE, PC, BOBS].sort());
    expect(await stage.state(older, PHONE)).toBe('cancelled');
    expect(await stage.held(PHONE)).toEqual([newer]);
  });

  it('that is complete is not carried out again', async () => {
    await stage.submit(replacing('all'));
    expect(await finishAcceptances({ olderThan: stage.clock.now(), limit: 10 }, ports())).toEqual([]);
  });
});
