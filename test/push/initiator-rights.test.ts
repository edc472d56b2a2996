/** What an initiator may push, how much of it, and in which words it is told no. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DeliveryError } from '../../src/kernel/errors.js';
import { checkRights } from '../../src/push/initiator-rights.js';
import { pushUid } from '../../src/push/push-message.js';
import { type Submission, submit } from '../../src/push/submission.js';
import type { InitiatorLimits, InitiatorRights } from '../../src/registry/initiator.js';
import { instead } from '../support/instead.js';
import { PushStage, TO_ALICE, TO_BOB, TO_NOBODY } from '../support/push-stage.js';
import { PC, PHONE } from '../support/pushes.js';

const APPLICATION = 'x-wap-application:mms.ua';

describe('the rights of an initiator', () => {
  const allowed = (rights: InitiatorRights, addresses: readonly string[], applicationId = APPLICATION) => {
    checkRights({ addresses, applicationId, contentBytes: 1 }, { rights }, 'example.test');
    return true;
  };

  it.each([
    ['tel:+43*', 'WAPPUSH=+43-664.1234567/TYPE=PLMN@ppg.test'],
    ['tel:+43*', 'tel:+43-664-1234567'],
    ['sip:*@example.test', 'sip:alice@EXAMPLE.test'],
    ['sip:*@example.test', 'SIP:alice@example.test;transport=tcp'],
    ['sip:*@example.test', 'WAPPUSH=alice/TYPE=USER@ppg.test'],
    ['sip:alice@example.test', 'WAPPUSH=alice/device=urn%3Auuid%3Ax/TYPE=USER'],
    ['*:alice@example.test', 'WAPPUSH=alice%40example.test/TYPE=USER'],
    ['ipv4:192.0.2.*', 'WAPPUSH=192.0.2.1/TYPE=IPv4@ppg.test'],
  ])('%s allow %s', (pattern, address) => {
    expect(allowed({ addresses: [pattern] }, [address])).toBe(true);
  });

  it.each([
    ['tel:+43*', 'WAPPUSH=+441234567/TYPE=PLMN@ppg.test'],
    ['tel:+43*', 'sip:+43664@example.test'],
    ['sip:*@example.test', 'sip:alice@example.test.evil.test'],
    ['sip:*@example.test', 'sips:alice@example.test'],
    ['sip:alice@example.test', 'sip:Alice@example.test'],
    ['sip:*@example.test', 'WAPPUSH=alice%40example.test/TYPE=USER'], // could be known as mailto: as well
    ['tel:*', 'WAPPUSH=192.0.2.1/TYPE=IPv4@ppg.test'],
  ])('%s do not allow %s', (pattern, address) => {
    expect(() => allowed({ addresses: [pattern] }, [address])).toThrow(
      expect.objectContaining({
        code: 'forbidden',
        publicDetail: `address ${address} is not allowed for this initiator`,
      }),
    );
  });

  it('hold for every address of a push, and name the one at fault', () => {
    expect(() => allowed({ addresses: ['tel:+43*'] }, ['tel:+43664', 'tel:+49170'])).toThrow(/tel:\+49170/);
  });

  it('hold for the application', () => {
    const rights = { applicationIds: ['mms.ua'] };
    expect(allowed(rights, [TO_ALICE])).toBe(true);
    expect(() => allowed(rights, [TO_ALICE], 'x-wap-application:syncml.dm')).toThrow(
      expect.objectContaining({
        code: 'forbidden',
        publicDetail: 'application id x-wap-application:syncml.dm is not allowed for this initiator',
      }),
    );
  });

  it('that are absent allow everything', () => {
    expect(allowed({}, ['nonsense'])).toBe(true);
  });

  it('say of a malformed address that it is malformed', () => {
    expect(() => allowed({ addresses: ['*'] }, ['nonsense'])).toThrow(
      expect.objectContaining({ code: 'addressMalformed' }),
    );
  });

  it('repeat no more of a long address than fits an answer', () => {
    const address = `sip:${'x'.repeat(400)}@evil.test`;
    expect(() => allowed({ addresses: ['tel:*'] }, [address])).toThrow(
      expect.objectContaining({ publicDetail: expect.stringMatching(/^address sip:x{196}… is not allowed/) }),
    );
  });
});

describe('a submission by an initiator with limits', () => {
  let stage: PushStage;
  beforeEach(() => {
    stage = new PushStage();
  });

  const push = (pushId: string, limits: InitiatorLimits, options: Partial<Submission> = {}) =>
    stage.submit({ pushId, access: { method: 'password', isEncrypted: false, limits }, ...options });
  const refused = (code: string, publicDetail: unknown) => expect.objectContaining({ code, publicDetail });
  const usage = async () => (await stage.quotas.usage('pi')).pendingPushes;
  const settle = (pushId: string, terminal = PHONE) => {
    const [at, notifyAt] = [stage.clock.now(), stage.clock.now()];
    return stage.store.settle(pushUid('pi', pushId), terminal, { event: 'deliver', at, notifyAt });
  };

  it('is refused over the rate, with the rate and the time to wait', async () => {
    const limits = { pushesPerSecond: 2 };
    await push('1', limits);
    await push('2', limits);
    await expect(push('3', limits)).rejects.toThrow(
      refused('quotaExceeded', 'rate limit of 2 pushes/s reached, try again in 1 s'),
    );
    await stage.clock.advance(500);
    await push('3', limits);
  });

  it('is refused over the quota of pushes until one of them is over', async () => {
    const limits = { pendingPushes: 1 };
    await push('1', limits);
    await expect(push('2', limits)).rejects.toThrow(
      refused('quotaExceeded', 'quota of 1 pending pushes is used up, try again later'),
    );
    await settle('1', PHONE);
    await expect(push('2', limits)).rejects.toThrow(/quota/);
    await settle('1', PC);
    await push('2', limits);
    expect(await usage()).toBe(1);
  });

  it('is refused over the quota of octets', async () => {
    const limits = { pendingBytes: 30 };
    await push('1', limits, { content: Buffer.alloc(20) });
    await expect(push('2', limits, { content: Buffer.alloc(11) })).rejects.toThrow(
      refused('quotaExceeded', expect.stringMatching(/^quota of 30 octets/)),
    );
    await push('3', limits, { content: Buffer.alloc(10) });
  });

  it('is refused for good when its content can never fit', async () => {
    await expect(push('1', { pendingBytes: 30 }, { content: Buffer.alloc(31) })).rejects.toThrow(
      refused('limitExceeded', expect.stringMatching(/30 octets.*never/)),
    );
  });

  it('is refused over the limits of one push', async () => {
    await expect(push('1', { maxContentBytes: 10 }, { content: Buffer.alloc(11) })).rejects.toThrow(
      refused('limitExceeded', 'content over 10 octets, the limit of this initiator'),
    );
    await expect(push('1', { maxAddresses: 1 }, { addresses: [TO_ALICE, TO_BOB] })).rejects.toThrow(
      refused('limitExceeded', 'more than 1 addresses, the limit of this initiator'),
    );
  });

  it('may be repeated as before after it was refused', async () => {
    const limits = { pendingPushes: 1 };
    await push('1', limits);
    await push('2', limits).catch(() => {});
    expect(await stage.store.story(pushUid('pi', '2'))).toBeUndefined();
    await settle('1', PHONE);
    await settle('1', PC);
    await push('2', limits);
  });

  it('gives its place back when an address is refused', async () => {
    const limits = { pendingPushes: 1 };
    await expect(push('1', limits, { addresses: [TO_NOBODY] })).rejects.toThrow();
    expect(await usage()).toBe(0);
  });

  it('is told that it is a duplicate, however full the quota is', async () => {
    const limits = { pendingPushes: 1 };
    await push('1', limits);
    await expect(push('1', limits)).rejects.toThrow(expect.objectContaining({ code: 'duplicatePush' }));
    expect(await usage()).toBe(1);
  });

  it('takes one place when it comes twice at the same moment', async () => {
    const limits = { pendingPushes: 5 };
    const both = await Promise.allSettled([push('1', limits), push('1', limits)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await usage()).toBe(1);
  });

  it('keeps its place when nobody knows whether it was stored', async () => {
    const store = instead(stage.store, {
      accept: async () => {
        throw new DeliveryError('busy', 'Redis is away');
      },
    });
    const limits = { pendingPushes: 5 };
    const submission = stage.submission({ access: { method: 'password', isEncrypted: false, limits } });
    const ports = { ...stage.submissionPorts, store };
    await expect(submit(submission, ports, stage.options)).rejects.toThrow('Redis is away');
    expect(await usage()).toBe(1);
  });

  it('is not counted without rate and quota', async () => {
    await push('1', { maxAddresses: 3 });
    await stage.submit({ pushId: '2' });
    expect(stage.quotas.asked).toBe(0);
  });

  it('looks nobody up when it may not push there', async () => {
    let lookups = 0;
    const ports = {
      ...stage.submissionPorts,
      findUser: async () => {
        lookups += 1;
        return undefined;
      },
    };
    const rights = { addresses: ['tel:*'] };
    const submission = stage.submission({ access: { method: 'token', isEncrypted: true, rights } });
    await expect(submit(submission, ports, stage.options)).rejects.toThrow(/not allowed/);
    expect(lookups).toBe(0);
  });
});
