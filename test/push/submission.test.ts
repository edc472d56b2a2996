/** What a submission becomes: a stored push with a place in every lane, or a refusal with its reason. */
import { beforeEach, describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/kernel/errors.js';
import { pushUid } from '../../src/push/push-message.js';
import { applicationIdOf, type Submission, submit } from '../../src/push/submission.js';
import { terminalId } from '../../src/registry/terminal-id.js';
import { instead } from '../support/instead.js';
import { BOB, MAX_AGE_MS, NONSENSE, PushStage, TO_ALICE, TO_BOB, TO_NOBODY } from '../support/push-stage.js';
import { ALICE, HELLO, PC, PHONE } from '../support/pushes.js';

let stage: PushStage;
beforeEach(() => {
  stage = new PushStage();
});

const now = () => stage.clock.now();
const stored = (pushId = 'one@pi.test') => stage.store.story(pushUid('pi', pushId));

async function refusal(options: Partial<Submission>): Promise<unknown> {
  const refused: unknown = await stage.submit(options).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RefusedError);
  return refused;
}

describe('an accepted submission', () => {
  it('is stored with everything that was submitted', async () => {
    const headers = [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }];
    const quality = {
      priority: 'high',
      deliveryMethod: 'confirmed',
      networkRequired: false,
      bearerRequired: false,
    } as const;
    await stage.submit({
      headers,
      quality,
      notifyTo: 'http://pi.test/',
      sourceReference: 'shop',
      progressNotes: true,
    });
    expect((await stored())?.push).toMatchObject({
      initiator: 'pi',
      pushId: 'one@pi.test',
      acceptedAt: now(),
      expiresAt: now() + MAX_AGE_MS,
      content: { contentType: 'text/plain', headers, size: HELLO.length },
      quality,
      notifyTo: 'http://pi.test/',
      sourceReference: 'shop',
      progressNotes: true,
      papVersion: '2.0',
    });
  });

  it('is named by initiator and push-id, and says when it was accepted', async () => {
    expect(await stage.submit()).toEqual({ uid: pushUid('pi', 'one@pi.test'), acceptedAt: now() });
  });

  it('has a place in the lane of every chosen terminal, and each of these lanes is kicked', async () => {
    const { uid } = await stage.submit();
    expect(await stage.held(PHONE)).toEqual([uid]);
    expect(await stage.held(PC)).toEqual([uid]);
    expect(stage.kicked).toEqual([PHONE, PC]);
  });

  it('keeps the decision and its reasons with every address', async () => {
    await stage.submit();
    const recipient = (await stored())?.push.recipients[0];
    expect(recipient).toMatchObject({ address: TO_ALICE, terminals: [PHONE, PC] });
    expect(recipient?.decision).toMatchObject({ user: ALICE, multi: true, policy: 'all-subscribed' });
  });

  it('sets no alarm for lanes that are kicked', async () => {
    await stage.submit();
    expect(stage.alarms.lanes).toEqual([]);
  });

  it('is not kicked before it is stored', async () => {
    const order: string[] = [];
    const store = instead(stage.store, {
      accept: async (...args: Parameters<typeof stage.store.accept>) => {
        const accepted = await stage.store.accept(...args);
        order.push('stored');
        return accepted;
      },
    });
    const ports = { ...stage.submissionPorts, store, kick: () => order.push('kicked') };
    await submit(stage.submission({ addresses: [TO_BOB] }), ports, stage.options);
    expect(order).toEqual(['stored', 'kicked']);
  });
});

describe('deadlines (SIR-165)', () => {
  it('deliver-before is when it expires', async () => {
    await stage.submit({ deliverBefore: now() + 5000 });
    expect((await stored())?.push.expiresAt).toBe(now() + 5000);
  });

  it('deliver-before cannot ask for more than a push is kept', async () => {
    await stage.submit({ deliverBefore: now() + 100 * MAX_AGE_MS });
    expect((await stored())?.push.expiresAt).toBe(now() + MAX_AGE_MS);
  });

  it.each([0, -1, -86_400_000])('deliver-before %i ms from now is refused', async (from) => {
    expect(await refusal({ deliverBefore: now() + from })).toMatchObject({ code: 'deadlinePassed' });
  });

  it('deliver-after is when it starts: an alarm is set and nobody is kicked', async () => {
    await stage.submit({ addresses: [TO_BOB], deliverAfter: now() + 5000 });
    expect((await stored())?.push).toMatchObject({
      notBefore: now() + 5000,
      expiresAt: now() + 5000 + MAX_AGE_MS,
    });
    expect(stage.alarms.lanes).toEqual([{ terminal: terminalId(BOB, 'phone'), at: now() + 5000 }]);
    expect(stage.kicked).toEqual([]);
  });

  it('deliver-after in the past means at once', async () => {
    await stage.submit({ deliverAfter: now() - 5000 });
    expect((await stored())?.push.notBefore).toBeUndefined();
    expect(stage.kicked).toEqual([PHONE, PC]);
  });

  it('deliver-after beyond what a push is kept is refused', async () => {
    expect(await refusal({ deliverAfter: now() + MAX_AGE_MS + 1 })).toMatchObject({ code: 'limitExceeded' });
  });

  it('deliver-after that is not before deliver-before is refused', async () => {
    const both = { deliverAfter: now() + 5000, deliverBefore: now() + 5000 };
    expect(await refusal(both)).toMatchObject({ code: 'malformed' });
  });
});

describe('limits', () => {
  it('content may be as large as the limit', async () => {
    await expect(stage.submit({ content: Buffer.alloc(1000) })).resolves.toBeDefined();
  });

  it('larger content is refused', async () => {
    expect(await refusal({ content: Buffer.alloc(1001) })).toMatchObject({ code: 'limitExceeded' });
  });

  it('there may be as many addresses as the limit', async () => {
    await expect(stage.submit({ addresses: Array(5).fill(TO_ALICE) })).resolves.toBeDefined();
  });

  it('more addresses are refused, before any is looked up', async () => {
    stage.users.clear();
    expect(await refusal({ addresses: Array(6).fill(TO_ALICE) })).toMatchObject({ code: 'limitExceeded' });
  });

  it('no address at all is refused', async () => {
    expect(await refusal({ addresses: [] })).toMatchObject({ code: 'malformed' });
  });

  it('nothing that is refused leaves anything behind', async () => {
    await refusal({ content: Buffer.alloc(1001) });
    await refusal({ addresses: [TO_NOBODY] });
    expect(await stage.store.list({ limit: 10 })).toEqual({ stories: [] });
    expect(stage.kicked).toEqual([]);
  });
});

describe('several addresses', () => {
  it('each is resolved by itself', async () => {
    await stage.submit({ addresses: [TO_ALICE, TO_BOB] });
    const terminals = (await stored())?.push.recipients.map((recipient) => recipient.terminals);
    expect(terminals).toEqual([[PHONE, PC], [terminalId(BOB, 'phone')]]);
  });

  it('a bad one among good ones is kept with its reason; the others get the push', async () => {
    const { uid } = await stage.submit({ addresses: [TO_NOBODY, TO_BOB, NONSENSE] });
    const recipients = (await stored())?.push.recipients;
    expect(recipients?.map(({ refused }) => refused?.code)).toEqual([
      'addressNotFound',
      undefined,
      'addressMalformed',
    ]);
    expect(await stage.held(terminalId(BOB, 'phone'))).toEqual([uid]);
  });

  it('when all are bad the submission is refused for the first of them', async () => {
    expect(await refusal({ addresses: [NONSENSE, TO_NOBODY] })).toMatchObject({ code: 'addressMalformed' });
    expect(await stored()).toBeUndefined();
  });

  it('reports about bad ones are due at once when reports were asked for', async () => {
    const { uid } = await stage.submit({ addresses: [TO_NOBODY, TO_BOB], notifyTo: 'http://pi.test/' });
    expect(stage.alarms.results).toEqual([{ uid, recipient: 0, at: now() }]);
    expect(await stage.store.owedResults(now(), 10)).toEqual([{ uid, recipient: 0 }]);
  });

  it('no report is due when none was asked for', async () => {
    await stage.submit({ addresses: [TO_NOBODY, TO_BOB] });
    expect(stage.alarms.results).toEqual([]);
  });

  it('that stand for the same terminals give each terminal one delivery', async () => {
    stage.has(ALICE, ['phone', 'pc'], ['tel:+43664123456']);
    const { uid } = await stage.submit({ addresses: [TO_ALICE, 'WAPPUSH=+43664123456/TYPE=PLMN@ppg.test'] });
    expect((await stored())?.deliveries).toHaveLength(2);
    expect(await stage.held(PHONE)).toEqual([uid]);
    expect(stage.kicked).toEqual([PHONE, PC]);
  });

  it('a failing directory refuses nothing and stores nothing', async () => {
    const ports = {
      ...stage.submissionPorts,
      findUser: async () => {
        throw new Error('the store is away');
      },
    };
    const outcome = submit(stage.submission(), ports, stage.options);
    await expect(outcome).rejects.toThrow('the store is away');
    await expect(outcome).rejects.not.toBeInstanceOf(RefusedError);
    expect(await stored()).toBeUndefined();
  });
});

describe('a push-id', () => {
  it('used twice by an initiator is refused the second time, and the first push goes on', async () => {
    await stage.submit();
    const again = await refusal({ content: Buffer.from('other') });
    expect(again).toMatchObject({ code: 'duplicatePush' });
    expect((await stored())?.push.content.size).toBe(HELLO.length);
  });

  it('used twice at once is accepted once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => stage.submit()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('of another initiator is another push', async () => {
    await stage.submit();
    await expect(stage.submit({ initiator: 'other' })).resolves.toBeDefined();
  });

  it('cannot be made to collide by where the initiator ends and the push-id begins', () => {
    expect(pushUid('ab', 'c')).not.toBe(pushUid('a', 'bc'));
  });
});

describe('the application id', () => {
  it.each([
    ['is that of the header', 'x-wap-application:mms.ua', 'x-wap-application:mms.ua'],
    ['stands before its encoding', ' x-wap-application:mms.ua ; app-encoding=x', 'x-wap-application:mms.ua'],
    ['is the default when the header is empty', '', 'x-wap-application:wml.ua'],
  ])('%s', (_what, value, id) => {
    expect(applicationIdOf([{ name: 'x-wap-application-ID', value }])).toBe(id);
  });

  it('is the default without a header', () => {
    expect(applicationIdOf([])).toBe('x-wap-application:wml.ua');
  });
});

describe('capabilities', () => {
  const can = (name: 'phone' | 'pc', capabilities: Record<string, unknown>) => {
    const alice = stage.users.get(ALICE);
    if (!alice) throw new Error('alice is on the stage');
    const terminals = alice.terminals.map((one) => (one.name === name ? { ...one, capabilities } : one));
    stage.users.set(ALICE, { ...alice, terminals });
  };
  const assumed = [{ attributes: new Map([['Model', 'N1']]) }];

  it('that contradict what is assumed keep a terminal out, with the reason', async () => {
    can('phone', { uaProf: { Model: 'N2' } });
    await stage.submit({ assumed });
    const [recipient] = (await stored())?.push.recipients ?? [];
    expect(recipient?.terminals).toEqual([PC]);
    expect(recipient?.decision?.terminals.find(({ name }) => name === 'phone')?.reasons).toEqual([
      'takes every application',
      'Model: assumed N1, has N2',
    ]);
  });

  it('that contradict at every terminal refuse the push', async () => {
    can('phone', { uaProf: { Model: 'N2' } });
    can('pc', { uaProf: { Model: 'N3' } });
    expect(await refusal({ assumed })).toMatchObject({ code: 'capabilitiesMismatch' });
  });

  it('that the content exceeds at every terminal refuse the push', async () => {
    can('phone', { maxMessageSize: 1 });
    can('pc', { accept: ['image/png'] });
    expect(await refusal({})).toMatchObject({ code: 'capabilitiesExceeded' });
  });

  it('that keep one address from its push are told for that address', async () => {
    can('phone', { maxMessageSize: 1 });
    can('pc', { maxMessageSize: 1 });
    await stage.submit({ addresses: [TO_ALICE, TO_BOB] });
    expect((await stored())?.push.recipients[0]?.refused?.code).toBe('capabilitiesExceeded');
  });

  it('that are not known keep nobody out', async () => {
    await stage.submit({ assumed });
    expect((await stored())?.push.recipients[0]?.terminals).toEqual([PHONE, PC]);
  });
});

describe('a required bearer', () => {
  const asked = {
    priority: 'medium',
    deliveryMethod: 'notspecified',
    networkRequired: false,
    bearer: 'SMS',
    bearerRequired: true,
  } as const;

  it('that no terminal has is told to the initiator', async () => {
    expect(await refusal({ quality: asked })).toMatchObject({ code: 'bearerNotAvailable' });
  });

  it('that is only wished for keeps nobody out', async () => {
    await stage.submit({ quality: { ...asked, bearerRequired: false } });
    expect((await stored())?.push.recipients[0]?.terminals).toEqual([PHONE, PC]);
  });
});
