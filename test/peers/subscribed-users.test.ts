/** Sources that are asked by subscription: one for each user that is asked about, shared, kept, evicted (SIR-31, SIR-34, SIR-40). */
import { describe, expect, it } from 'vitest';
import { PRESENCE } from '../../src/peers/presence/presence-package.js';
import { REG_EVENT } from '../../src/peers/reg-event/reg-event-package.js';
import { SubscribedUsers, type SubscribedUsersOptions } from '../../src/peers/subscribed-users.js';
import { publicUserIdentity } from '../../src/registry/public-user-identity.js';
import type { DeviceReport, SourceAnswer } from '../../src/registry/terminal-source.js';
import { Subscriber, type SubscriberLimits } from '../../src/transports/sip-stack/subscriber.js';
import { FakeClock, T0 } from '../support/fake-clock.js';
import { ScriptedNotifier } from '../support/scripted-notifier.js';

const ALICE = publicUserIdentity('sip:alice@example.test');
const BOB = publicUserIdentity('sip:bob@example.test');
const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const MINUTE = 60_000;

const pidf = (basic: string) => ({
  contentType: 'application/pidf+xml; charset="UTF-8"',
  body: `<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" entity="${ALICE}"><tuple id="t"><status><basic>${basic}</basic></status><dm:deviceID>${PHONE}</dm:deviceID><contact>sip:alice@example.test;gr=${PHONE}</contact></tuple></presence>`,
});
const reginfo = (version: number, state: 'full' | 'partial', contacts: string) => ({
  contentType: 'application/reginfo+xml',
  body: `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="${version}" state="${state}"><registration aor="${ALICE}" id="r" state="active">${contacts}</registration></reginfo>`,
});
const contact = (id: string, attributes = '', more = '') =>
  `<contact id="${id}" state="active" event="registered" ${attributes}><uri>sip:${id}@192.0.2.1</uri><unknown-param name="+sip.instance">"&lt;urn:uuid:00000000-0000-4000-8000-00000000000${id}&gt;"</unknown-param>${more}</contact>`;

class Rig<View> {
  readonly clock = new FakeClock();
  readonly notifier = new ScriptedNotifier();
  readonly changes: { readonly user: string; readonly before: number; readonly after: number }[] = [];
  readonly subscriber: Subscriber;
  readonly source: SubscribedUsers<View>;

  constructor(
    eventPackage: ConstructorParameters<typeof SubscribedUsers<View>>[0],
    options: Partial<SubscribedUsersOptions> = {},
    limits: Partial<SubscriberLimits> = {},
  ) {
    this.subscriber = new Subscriber({
      stack: this.notifier.stack,
      clock: this.clock,
      chance: () => 1,
      limits,
    });
    this.source = new SubscribedUsers(
      eventPackage,
      {
        subscriber: this.subscriber,
        clock: this.clock,
        onChange: (user, { devices }, before) =>
          this.changes.push({ user, before: before.length, after: devices.length }),
      },
      {
        from: '<sip:ppg@example.test>',
        route: ['<sip:core.test;lr>'],
        lifeMs: MINUTE,
        maxUsers: 10,
        ...options,
      },
    );
  }

  /** Asks, and answers the SUBSCRIBE that this makes with 200 and a NOTIFY. */
  async answered(notify: object, user = ALICE): Promise<SourceAnswer> {
    const answer = this.source.states(user);
    await this.clock.advance(0);
    this.notifier.accept();
    await this.clock.advance(0);
    this.notifier.notify(notify);
    return answer;
  }
}

const presence = (options?: Partial<SubscribedUsersOptions>, limits?: Partial<SubscriberLimits>) =>
  new Rig(PRESENCE, options, limits);
const registrations = () => new Rig(REG_EVENT);
const devicesOf = (answer: SourceAnswer): readonly DeviceReport[] =>
  answer.kind === 'found' ? answer.devices : [];

describe('a user', () => {
  it('is subscribed to at the first question, at the core that was configured', async () => {
    const rig = presence();
    const answer = await rig.answered(pidf('open'));
    expect(rig.notifier.last.request).toMatchObject({
      uri: ALICE,
      from: expect.stringContaining('<sip:ppg@example.test>;tag='),
      route: ['<sip:core.test;lr>'],
      headers: expect.arrayContaining([
        { name: 'Event', value: 'presence' },
        { name: 'P-Asserted-Identity', value: '<sip:ppg@example.test>' },
      ]),
    });
    expect(answer).toMatchObject({ kind: 'found', at: T0 });
  });

  it('is answered at once from then on, with what was notified last', async () => {
    const rig = presence();
    await rig.answered(pidf('open'));
    rig.notifier.notify(pidf('closed'));
    expect(devicesOf(await rig.source.states(ALICE))).toMatchObject([{ isAvailable: false }]);
    expect(rig.notifier.sent).toHaveLength(1);
  });

  it('is subscribed to once, however many ask before the answer is there', async () => {
    const rig = presence();
    const questions = [1, 2, 3].map(() => rig.source.states(ALICE));
    await rig.clock.advance(0);
    expect(rig.notifier.sent).toHaveLength(1);
    rig.notifier.accept();
    await rig.clock.advance(0);
    rig.notifier.notify(pidf('open'));
    expect((await Promise.all(questions)).map(({ kind }) => kind)).toEqual(['found', 'found', 'found']);
  });

  it('of whom nothing is published has no devices', async () => {
    expect(await presence().answered({})).toEqual({ kind: 'found', at: T0, devices: [] });
  });

  it.each([
    ['is refused', 403, 'refused'],
    ['finds the server away', 503, 'timeout'],
  ])('whose subscription %s is answered so, also to those who ask meanwhile', async (_, status, why) => {
    const rig = presence();
    const first = rig.source.states(ALICE);
    await rig.clock.advance(0);
    rig.notifier.last.answer(status);
    expect(await first).toMatchObject({ kind: 'missing', why });
    expect(await rig.source.states(ALICE)).toMatchObject({ kind: 'missing', why });
    expect(rig.notifier.sent).toHaveLength(1);
  });

  it('whose state somebody has to permit first is answered so', async () => {
    const rig = presence();
    const answer = await rig.answered({ state: 'pending;expires=600' });
    expect(answer).toEqual({ kind: 'missing', why: 'refused', detail: 'waits for permission' });
  });

  it('keeps its devices when the subscription ends without a word', async () => {
    const rig = presence();
    await rig.answered(pidf('open'));
    await rig.clock.advance(10_000);
    rig.notifier.notify({ state: 'terminated;reason=deactivated' });
    await rig.clock.advance(0);
    rig.notifier.accept();
    await rig.clock.advance(0);
    rig.notifier.notify(pidf('open'));
    expect(rig.changes.map(({ before, after }) => [before, after])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it('with no address that SIP can reach is not asked about', async () => {
    const rig = presence();
    expect(await rig.source.states(publicUserIdentity('mailto:alice@example.test'))).toMatchObject({
      why: 'notConfigured',
    });
    expect(rig.notifier.sent).toHaveLength(0);
  });

  it('whose document cannot be read or is of another type keeps what was known', async () => {
    const rig = presence();
    await rig.answered(pidf('open'));
    expect(rig.notifier.notify({ contentType: 'application/pidf+xml', body: '<presence' }).status).toBe(400);
    expect(rig.notifier.notify({ contentType: 'text/plain', body: 'open' }).status).toBe(400);
    expect(devicesOf(await rig.source.states(ALICE))).toHaveLength(1);
  });
});

describe('a subscription', () => {
  it('ends when nobody has asked for its life, and not before', async () => {
    const rig = presence();
    await rig.answered(pidf('open'));
    await rig.clock.advance(50_000);
    await rig.source.states(ALICE);
    await rig.clock.advance(59_000);
    expect(rig.source.size).toBe(1);
    await rig.clock.advance(1000);
    expect(rig.source.size).toBe(0);
    expect(rig.notifier.last.expires).toBe(0);
  });

  it('makes room for another one when there are too many: the least recently asked first', async () => {
    const rig = presence({ maxUsers: 2 });
    await rig.answered(pidf('open'));
    await rig.answered(pidf('open'), BOB);
    await rig.source.states(ALICE);
    await rig.answered(pidf('open'), publicUserIdentity('sip:carol@example.test'));
    expect(rig.source.size).toBe(2);
    const ended = rig.notifier.sent.filter(({ expires }) => expires === 0);
    expect(ended.map(({ request }) => request.to)).toEqual([`<${BOB}>;tag=n`]);
    await rig.source.states(ALICE);
    expect(rig.notifier.sent).toHaveLength(4);
  });

  it('that cannot be made any more is a source that does not answer', async () => {
    const rig = presence({}, { maxSubscriptions: 0 });
    expect(await rig.source.states(ALICE)).toMatchObject({ kind: 'missing', why: 'timeout' });
    expect([rig.source.size, rig.clock.pending]).toEqual([0, 0]);
  });

  it('is asked for the whole state when somebody says that it changed, or made for the purpose', async () => {
    const rig = registrations();
    await rig.answered(reginfo(0, 'full', contact('1')));
    rig.source.refresh(ALICE);
    expect(rig.notifier.sent).toHaveLength(2);
    rig.source.refresh(BOB);
    expect(rig.notifier.last.request.uri).toBe(BOB);
  });

  it('leaves nothing behind when the source closes', async () => {
    const rig = presence();
    await rig.answered(pidf('open'));
    const unanswered = rig.source.states(BOB);
    rig.source.close();
    rig.subscriber.close();
    expect(await unanswered).toMatchObject({ kind: 'missing' });
    expect(rig.clock.pending).toBe(0);
  });
});

describe('without a life', () => {
  it('each question is a fetch, shared by those who ask at the same time', async () => {
    const rig = presence({ lifeMs: 0 });
    const questions = [rig.source.states(ALICE), rig.source.states(ALICE)];
    expect(rig.notifier.sent.map(({ expires }) => expires)).toEqual([0]);
    rig.notifier.notify({ ...pidf('open'), state: 'terminated;reason=timeout' });
    expect((await Promise.all(questions)).map(({ kind }) => kind)).toEqual(['found', 'found']);
    void rig.source.states(ALICE);
    expect(rig.notifier.sent).toHaveLength(2);
    expect(rig.source.size).toBe(0);
  });

  it.each([
    [403, 'refused'],
    [503, 'timeout'],
  ])('a fetch that is answered %i is so told', async (status, why) => {
    const rig = presence({ lifeMs: 0 });
    const answer = rig.source.states(ALICE);
    rig.notifier.last.answer(status);
    expect(await answer).toMatchObject({ kind: 'missing', why });
  });

  it('there are no more fetches at once than users may be watched', async () => {
    const rig = presence({ lifeMs: 0, maxUsers: 1 });
    void rig.source.states(ALICE);
    expect(await rig.source.states(BOB)).toMatchObject({ kind: 'missing', why: 'timeout' });
  });
});

describe('a device in presence', () => {
  it('is named by its deviceID and its GRUU, and reached by that', async () => {
    const [device] = devicesOf(await presence().answered(pidf('open')));
    expect(device).toEqual({
      identities: [
        { kind: 'uuid', value: PHONE, canonical: PHONE },
        expect.objectContaining({ kind: 'gruu', value: `sip:alice@example.test;gr=${PHONE}` }),
      ],
      isAvailable: true,
      gruu: `sip:alice@example.test;gr=${PHONE}`,
      contact: `sip:alice@example.test;gr=${PHONE}`,
      bearer: 'sip',
    });
  });
});

describe('a device that is registered', () => {
  it('has the time, the features and the GRUU of its registration', async () => {
    const more = '<unknown-param name="+G.oma.pusheventapp">"push.sia"</unknown-param>';
    const attributes = 'duration-registered="100" expires="300"';
    const [device] = devicesOf(
      await registrations().answered(reginfo(0, 'full', contact('1', attributes, more))),
    );
    expect(device).toMatchObject({
      isAvailable: true,
      since: T0 - 100_000,
      expiresAt: T0 + 300_000,
      contact: 'sip:1@192.0.2.1',
      features: { '+g.oma.pusheventapp': 'push.sia' },
    });
    expect(device?.identities.map(({ kind }) => kind)).toEqual(['uuid', 'uri']);
  });

  it('is there since it was first heard of, when the registrar does not say since when', async () => {
    const rig = registrations();
    await rig.answered(reginfo(0, 'full', contact('1')));
    await rig.clock.advance(5000);
    rig.notifier.notify(reginfo(1, 'full', contact('1') + contact('2')));
    expect(devicesOf(await rig.source.states(ALICE)).map(({ since }) => since)).toEqual([T0, T0 + 5000]);
  });

  it('is kept by a partial document that names another, and a gap is mended by a refresh', async () => {
    const rig = registrations();
    await rig.answered(reginfo(0, 'full', contact('1')));
    rig.notifier.notify(reginfo(1, 'partial', contact('2')));
    expect(devicesOf(await rig.source.states(ALICE))).toHaveLength(2);
    expect(rig.notifier.sent).toHaveLength(1);
    rig.notifier.notify(reginfo(3, 'partial', contact('3')));
    expect(devicesOf(await rig.source.states(ALICE))).toHaveLength(3);
    expect(rig.notifier.sent).toHaveLength(2);
  });

  it('is not known from a partial document alone: the whole state is asked for first', async () => {
    const rig = registrations();
    const answer = rig.source.states(ALICE);
    rig.notifier.accept();
    await rig.clock.advance(0);
    rig.notifier.notify(reginfo(4, 'partial', contact('1')));
    expect(rig.notifier.sent).toHaveLength(2);
    rig.notifier.notify(reginfo(5, 'full', contact('1') + contact('2')), rig.notifier.sent[0]);
    expect(devicesOf(await answer)).toHaveLength(2);
  });
});
