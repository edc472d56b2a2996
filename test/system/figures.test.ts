/**
 * The five figures of the targeting specification over every bearer that can bring a SIR: each figure is one story told step by step, with the
 * requirement beside the step, and the bearer is its parameter (SIR-82 … SIR-88, SIR-90, SIR-95, SIR-108, SIR-120, SIR-126, SIR-145, SIR-148). The clients are
 * reference terminals; who received what is said by tshark, from a capture of the wire. Whichever way a SIR came, the client opens a push session
 * by SIP. In what bearers differ stands in the table of `figure-rig.ts`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifierWith } from '../../src/terminal/sir-key.js';
import { canCapture } from '../support/e2e-capture.js';
import { PPG_URI } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { BEARERS, type FigureBearer, FigureRig } from '../support/figure-rig.js';
import { FigureStage, story } from '../support/figure-stage.js';

const DCD = { id: 'x-oma-application:dcd.ua', name: 'DCD' };
const KEY = 'the key that client and gateway share';

let rig: FigureRig;
let initiator: Initiator;
beforeAll(async () => {
  rig = await FigureRig.start();
  initiator = new Initiator(rig.gateway);
});
afterAll(() => rig?.[Symbol.asyncDispose]());

const wakes = async (pushId: string) => {
  const { recipients } = await rig.gateway.push(pushId);
  return Object.fromEntries(
    (recipients[0]?.deliveries ?? []).map(({ terminal, wakes: list }) => [terminal, list]),
  );
};
const everybodyHas = (pushId: string) =>
  rig.gateway.pushWhen(pushId, ({ recipients }) =>
    (recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
  );

describe.skipIf(!(await canCapture())).each(BEARERS)('the figures by $bearer', (by) => {
  it('FIG 1: a SIR that names the device, an application, and what to return', async () => {
    const pushId = `fig1-${by.bearer}@pi`;
    const activated: string[] = [];
    const kinds = by.isRoomy ? ['capability', 'preference', 'subscription'] : ['preference'];
    const messages = by.isRoomy ? ['registration'] : [];
    const isSigned = by.isRoomy && by.bearer !== 'sip';
    await using stage = await FigureStage.set(
      rig,
      by,
      {
        client: {
          policy: {
            safety: {
              allowedGateways: [PPG_URI],
              ...(isSigned ? { verifySignature: verifierWith(KEY) } : {}),
            },
            activate: async ({ id }) => {
              activated.push(id);
              return { subscription: { applications: [DCD.id] } };
            },
            information: { capability: { maxMessageSize: 100_000 }, preference: { bearers: [by.bearer] } },
            returnRoute: by.returns(rig),
            returnKey: isSigned ? KEY : undefined,
            homeGateway: PPG_URI,
          },
          attributes: isSigned ? { sirKey: KEY } : {},
        },
        other: {},
      },
      [
        {
          activate: DCD,
          return: kinds,
          ...(by.isRoomy ? { send: messages } : {}),
          identityIn: ['header', 'value', 'body'],
        },
      ],
    );
    const { user, clients, instances } = stage;

    // System 1 (SIR-138). 101, 102 (SIR-93, SIR-94): the server knows the device identity and puts it into every place that the bearer has.
    // 103 (SIR-95, SIR-1): the SIR goes to that device and asks for a session; content comes after it.
    await initiator.push({ pushId, to: addressOf(user, instances.client), content: 'news' });
    const [sir] = await clients.client.after('sir');
    expect(sir?.judgement).toEqual({ verdict: 'connect', reason: 'matched' });
    expect(sir?.sir).toMatchObject({ carrier: by.carrier, return: kinds, send: messages });
    expect(sir?.sir.user).toBe(by.isRoomy ? user : undefined);
    expect(sir?.sir.application).toEqual(by.isRoomy ? DCD : undefined);
    expect(new Set(sir?.sir.devices.map(({ value }) => value.replace(/^.*gr=/, '')))).toEqual(
      new Set([instances.client]),
    );

    // 104 (SIR-96): the client finds the SIR safe and opens the session; the push comes.
    await rig.gateway.pushBecomes(pushId, 'delivered');
    expect(clients.client.texts).toEqual(['news']);

    // 106 (SIR-98): the application is activated and tells what it knows.
    await clients.client.after('returned', kinds.length + messages.length);
    expect(activated).toEqual(by.isRoomy ? [DCD.id] : []);

    // 105, 107 (SIR-97, SIR-100, SIR-132, SIR-134): what was asked for is returned, after the session is there.
    expect(clients.client.all('returned').map(({ information, status }) => [information, status])).toEqual([
      ...kinds.map((kind) => [kind, by.returned.status]),
      ...messages.map((message) => [message, 200]),
    ]);

    // SIR-135: it is kept with the terminal, each kind with its version.
    const kept = {
      capability: { version: 1, information: { maxMessageSize: 100_000 } },
      preference: { version: 1, information: { bearers: [by.bearer] } },
      subscription: { version: 1, information: { applications: [DCD.id] } },
    };
    const { returned } = await stage.terminalWhen('client', (terminal) =>
      kinds.every((kind) => terminal.returned?.[kind] !== undefined),
    );
    expect(returned).toMatchObject(
      Object.fromEntries(Object.entries(kept).filter(([kind]) => kinds.includes(kind))),
    );

    expect(story(await stage.wire())).toEqual([
      'PI → PPG PAP',
      'PPG → client SIR',
      'client → PPG INVITE',
      ...kinds.map(() => by.returned.story),
      ...messages.map(() => 'client → PPG REGISTER'),
    ]);
    expect(stage.complaints).toEqual([]);
  });

  it('FIG 2: a push for clients 1 and 2 of a user with three', async () => {
    const pushId = `fig2-${by.bearer}@pi`;
    await using stage = await FigureStage.set(
      rig,
      by,
      {
        client1: {},
        client2: { policy: { safety: { allowedGateways: [PPG_URI] } } },
        client3: {},
      },
      [{ terminals: ['client1', 'client2'] }],
    );
    const { user, clients, instances } = stage;

    // 201 (SIR-101): the push comes with the public user identity.
    await initiator.push({ pushId, to: addressOf(user), content: 'for two' });

    // 202, 203 (SIR-102, SIR-103): both must get it, neither is connected, and the identity has a third terminal.
    const { recipients } = await rig.gateway.pushBecomes(pushId, 'delivered');
    expect(recipients[0]?.decision).toMatchObject({ multi: true });
    expect(recipients[0]?.decision?.terminals.map(({ terminal, selected }) => [terminal, selected])).toEqual([
      ['client1', true],
      ['client2', true],
      ['client3', false],
    ]);
    await everybodyHas(pushId);

    // 204 … 207 (SIR-104 … SIR-107, SIR-3, SIR-5, SIR-30, SIR-39): a SIR of its own for each, by the device identity that is known of it; each opens
    // its session and gets the push once.
    expect([clients.client1.texts, clients.client2.texts]).toEqual([['for two'], ['for two']]);
    for (const name of ['client1', 'client2'] as const) {
      const [sir] = clients[name].all('sir');
      expect(sir?.sir.carrier).toBe(by.carrier);
      expect(sir?.sir.devices.at(-1)?.canonical).toBe(instances[name]);
    }
    const wire = await stage.wire();
    expect([...story(wire)].sort()).toEqual([
      'PI → PPG PAP',
      'PPG → client1 SIR',
      'PPG → client2 SIR',
      'client1 → PPG INVITE',
      'client2 → PPG INVITE',
    ]);
    const addresses = wire.filter(({ what }) => what === 'SIR').map(({ to, address }) => [to, address]);
    expect(Object.fromEntries(addresses)).toEqual({
      client1: stage.addressOf('client1'),
      client2: stage.addressOf('client2'),
    });

    // SIR-11: whoever comes first, each has its SIR before it calls.
    for (const name of ['client1', 'client2']) {
      expect(story(wire).filter((line) => line.includes(name))).toEqual([
        `PPG → ${name} SIR`,
        `${name} → PPG INVITE`,
      ]);
    }

    // SIR-109: client 3 got nothing at all.
    expect(wire.filter(({ from, to }) => [from, to].includes('client3'))).toEqual([]);
    expect(stage.complaints).toEqual([]);
  });

  it('FIG 3: a user with several terminals, so that the device identity is used', async () => {
    const pushId = `fig3-${by.bearer}@pi`;
    await using stage = await FigureStage.set(rig, by, { client1: {}, client2: {} });
    const { user, instances } = stage;

    // 1 (SIR-110)
    await initiator.push({ pushId, to: addressOf(user, instances.client1) });
    await rig.gateway.pushBecomes(pushId, 'delivered');

    // 2, 3 (SIR-111, SIR-112): two clients, so the SIR is routed by the device identity of client 1.
    const wire = await stage.wire();
    expect(story(wire)).toEqual(['PI → PPG PAP', 'PPG → client1 SIR', 'client1 → PPG INVITE']);
    expect(wire.find(({ what }) => what === 'SIR')?.address).toBe(stage.addressOf('client1'));
    expect((await wakes(pushId))['client1']).toMatchObject([{ mode: 'routed', bearer: by.bearer }]);
    expect(stage.complaints).toEqual([]);
  });

  it('FIG 3, otherwise: a user with one terminal, so that the method of the prior art is used', async () => {
    const pushId = `fig3single-${by.bearer}@pi`;
    await using stage = await FigureStage.set(rig, by, { client: {} });
    const { user, clients } = stage;

    // SIR-42, SIR-46, SIR-77: one client, so no device identity anywhere.
    await initiator.push({ pushId, to: addressOf(user) });
    await rig.gateway.pushBecomes(pushId, 'delivered');
    const wire = await stage.wire();
    expect(story(wire)).toEqual(['PI → PPG PAP', 'PPG → client SIR', 'client → PPG INVITE']);
    const message = wire.find(({ what }) => what === 'SIR');
    expect(`${message?.address} ${message?.toHeader}`).not.toContain('urn:uuid');
    expect(clients.client.all('sir')).toMatchObject([{ sir: { user, devices: [] } }]);
    expect((await wakes(pushId))['client']).toMatchObject([{ mode: 'plain', bearer: by.bearer }]);
    expect(stage.complaints).toEqual([]);
  });

  it('FIG 4: the SIR goes to all clients, and each decides from its own information', async () => {
    const pushId = `fig4-${by.bearer}@pi`;
    const asked: string[] = [];
    const quietHours = { from: '23:00', to: '06:00' };
    await using stage = await FigureStage.set(
      rig,
      by,
      {
        client1: {
          policy: {
            activate: async () => ({ preference: { quietHours } }),
            returnRoute: by.returns(rig),
          },
        },
        client2: { policy: { installedApplications: ['wml.ua'] } },
        client3: {
          policy: {
            askUser: async ({ user = '' }) => {
              asked.push(user);
              return 'reject';
            },
          },
        },
      },
      [{ mode: 'open', completion: 'any', return: ['preference'], activate: DCD }],
    );
    const { user, clients } = stage;

    // System 2 (SIR-139). 301 (SIR-113), 302 (SIR-114, SIR-76, SIR-120): one SIR for the user, without device identity, to every client.
    const headers = ['X-Wap-Application-Id: x-wap-application:mms.ua'];
    await initiator.push({ pushId, to: addressOf(user), content: 'for whoever wants it', headers });
    await rig.gateway.pushBecomes(pushId, 'delivered');
    await clients.client1.after('returned');

    // 303 (SIR-115), 305, 306 (SIR-119): capability speaks against it at client 2, its user at client 3.
    const all = [clients.client1, clients.client2, clients.client3];
    const verdicts = await Promise.all(all.map(async (client) => (await client.after('sir'))[0]));
    expect(verdicts.map((event) => event?.judgement.reason)).toEqual([
      'accepted',
      'notInstalled',
      'userDeclined',
    ]);
    expect(new Set(verdicts.map((event) => event?.sir.id)).size).toBe(1);
    expect(verdicts.map((event) => event?.sir.carrier)).toEqual([by.carrier, by.carrier, by.carrier]);
    expect(verdicts.map((event) => event?.sir.devices)).toEqual([[], [], []]);
    expect(asked).toEqual([user]);

    // 304 (SIR-116 … SIR-118): client 1 connects, gets the content once, and returns what its application said.
    expect(all.map(({ texts }) => texts)).toEqual([['for whoever wants it'], [], []]);
    expect(clients.client1.all('activated').map(({ application }) => application)).toEqual(
      by.isRoomy ? [DCD.id] : [],
    );
    const wire = await stage.wire();
    expect([...story(wire)].sort()).toEqual(
      [
        'PI → PPG PAP',
        'PPG → client1 SIR',
        'PPG → client2 SIR',
        'PPG → client3 SIR',
        'client1 → PPG INVITE',
        by.returned.story.replace('client', 'client1'),
      ].sort(),
    );
    expect(stage.complaints).toEqual([]);

    // The push is done; nobody is woken for it again.
    const { recipients } = await rig.gateway.push(pushId);
    expect(recipients[0]?.deliveries.map(({ terminal, state }) => [terminal, state])).toEqual([
      ['client1', 'delivered'],
      ['client2', 'cancelled'],
      ['client3', 'cancelled'],
    ]);
  });

  it.each(by.places)(
    'FIG 5: a SIR to all clients with the identity of client 1 in %s; client 3 is connected',
    async (_, identityIn) => {
      const pushId = `fig5-${by.bearer}-${identityIn[0]}@pi`;
      await using stage = await FigureStage.set(rig, by, { client1: {}, client2: {}, client3: {} }, [
        { mode: 'filtered', identityIn, terminals: ['client1', 'client3'] },
      ]);
      const { user, clients, instances } = stage;
      const all = [clients.client1, clients.client2, clients.client3];
      await clients.client3.terminal.connect(PPG_URI);
      await rig.gateway.laneWhen(user, 'client3', ({ connections }) => connections.session !== undefined);

      // 401 (SIR-122), 402 (SIR-123): client 3 can have it at once, client 1 needs a session first.
      await initiator.push({ pushId, to: addressOf(user), content: 'for 1 and 3' });
      await everybodyHas(pushId);

      // 403, 404 (SIR-125, SIR-126, SIR-68 … SIR-70, SIR-75, SIR-80, SIR-139): the SIR goes to every client of the user, and nothing in it routes by the device.
      const heard = await Promise.all(all.map(async (client) => (await client.after('sir'))[0]));
      const wire = await stage.wire();
      const sirs = wire.filter(({ what, from }) => what === 'SIR' && from === 'PPG');
      expect(sirs.map(({ to }) => to).sort()).toEqual(['client1', 'client2', 'client3']);
      expect(sirs.every(({ address }) => !address.includes('gr='))).toBe(true);
      expect(sirs.every(({ toHeader }) => toHeader.includes(`gr=${instances.client1}`))).toBe(
        identityIn[0] === 'header',
      );
      expect(
        heard.map((event) => event?.sir.devices.map(({ value }) => value.replace(/^.*gr=/, ''))),
      ).toEqual(all.map(() => [instances.client1]));

      // 405, 407, 408 (SIR-127, SIR-129, SIR-130): client 1 matches, client 2 does not, client 3 is connected already.
      expect(heard.map((event) => event?.judgement.reason)).toEqual([
        'matched',
        'otherDevice',
        'alreadyConnected',
      ]);
      expect(heard.map((event) => event?.sir.carrier)).toEqual(all.map(() => by.carrier));

      // 406 (SIR-128): content once each.
      expect(all.map(({ texts }) => texts)).toEqual([['for 1 and 3'], [], ['for 1 and 3']]);
      const invites = wire.filter(({ what }) => what === 'INVITE').map(({ from }) => from);
      expect(invites).toEqual(['client3', 'client1']);
      expect(stage.complaints).toEqual([]);
    },
  );
});

describe.skipIf(!(await canCapture()))('clients of one user that are reached by different bearers', () => {
  const [bySip, bySms, byHttp] = (['sip', 'sms', 'ota-http'] as const).map((name) =>
    BEARERS.find(({ bearer }) => bearer === name),
  ) as [FigureBearer, FigureBearer, FigureBearer];
  const answersOf = (stage: FigureStage<'client1' | 'client2' | 'client3'>) =>
    Promise.all(
      Object.values(stage.clients).map(async (client) => {
        const [event] = await client.after('sir');
        return [event?.sir.carrier, event?.judgement.reason];
      }),
    );

  it('FIG 2: each of two gets its SIR by its own bearer (SIR-108)', async () => {
    await using stage = await FigureStage.set(
      rig,
      bySip,
      { client1: {}, client2: { by: bySms }, client3: { by: byHttp } },
      [{ terminals: ['client1', 'client2'] }],
    );
    await initiator.push({ pushId: 'fig2-mixed@pi', to: addressOf(stage.user), content: 'for two' });
    await everybodyHas('fig2-mixed@pi');
    expect(Object.values(stage.clients).map(({ texts }) => texts)).toEqual([['for two'], ['for two'], []]);
    const wire = await stage.wire();
    const sirs = wire.filter(({ what }) => what === 'SIR').map(({ to, address }) => [to, address]);
    expect(Object.fromEntries(sirs)).toEqual({
      client1: stage.addressOf('client1'),
      client2: stage.addressOf('client2'),
    });
    expect(stage.complaints).toEqual([]);
  });

  it('FIG 4: all of them hear of the push, once each, whoever of them is asked first (SIR-114, SIR-120)', async () => {
    await using stage = await FigureStage.set(
      rig,
      bySms,
      {
        client1: { policy: { installedApplications: [] } },
        client2: { by: bySip, policy: { askUser: async () => 'reject' } },
        client3: { by: byHttp },
      },
      [{ mode: 'open', completion: 'any' }],
    );
    await initiator.push({
      pushId: 'fig4-mixed@pi',
      to: addressOf(stage.user),
      content: 'for whoever wants it',
    });
    await rig.gateway.pushBecomes('fig4-mixed@pi', 'delivered');
    expect(await answersOf(stage)).toEqual([
      ['sms', 'notInstalled'],
      ['sip', 'userDeclined'],
      ['http', 'accepted'],
    ]);
    expect([...story(await stage.wire())].sort()).toEqual([
      'PI → PPG PAP',
      'PPG → client1 SIR',
      'PPG → client2 SIR',
      'PPG → client3 SIR',
      'client3 → PPG INVITE',
    ]);
    expect(stage.complaints).toEqual([]);
  });
});
