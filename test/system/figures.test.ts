/**
 * The five figures of the targeting specification, each as one story told step by step, with the requirement beside the step. The clients are
 * reference terminals; who received what is said by tshark, from a capture of the wire.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canCapture } from '../support/e2e-capture.js';
import { E2eGateway, PPG_URI } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { FigureStage, story } from '../support/figure-stage.js';

const DCD = { id: 'x-oma-application:dcd.ua', name: 'DCD' };

let gateway: E2eGateway;
let initiator: Initiator;
beforeAll(async () => {
  gateway = await E2eGateway.start();
  initiator = new Initiator(gateway);
});
afterAll(() => gateway?.[Symbol.asyncDispose]());

const wakes = async (pushId: string) => {
  const { recipients } = await gateway.push(pushId);
  return Object.fromEntries(
    (recipients[0]?.deliveries ?? []).map(({ terminal, wakes: list }) => [terminal, list]),
  );
};

describe.skipIf(!(await canCapture()))('the figures', () => {
  it('FIG 1: a SIR that names the device, an application, and what to return', async () => {
    const activated: string[] = [];
    await using stage = await FigureStage.set(
      gateway,
      {
        client: {
          policy: {
            safety: { allowedGateways: ['sip:ppg@carillon.test'] },
            activate: async ({ id }) => {
              activated.push(id);
              return { subscription: { applications: ['x-oma-application:dcd.ua'] } };
            },
            information: { capability: { maxMessageSize: 100_000 }, preference: { bearers: ['sip'] } },
          },
        },
        other: {},
      },
      [
        {
          activate: DCD,
          return: ['capability', 'preference', 'subscription'],
          send: ['registration'],
          identityIn: ['header', 'value', 'body'],
        },
      ],
    );
    const { user, clients, instances } = stage;

    // System 1 (SIR-138). 101, 102 (SIR-93, SIR-94): the server knows the device identity and puts it into header, value and body.
    // 103 (SIR-95, SIR-1): the SIR goes to that device and asks for a session; content comes after it.
    await initiator.push({ pushId: 'fig1@pi', to: addressOf(user, instances.client), content: 'news' });
    const [sir] = await clients.client.after('sir');
    expect(sir?.judgement).toEqual({ verdict: 'connect', reason: 'matched' });
    expect(sir?.sir).toMatchObject({
      user,
      application: DCD,
      return: ['capability', 'preference', 'subscription'],
      send: ['registration'],
    });

    // 104 (SIR-96): the client finds the SIR safe and opens the session; the push comes.
    await gateway.pushBecomes('fig1@pi', 'delivered');
    expect(clients.client.texts).toEqual(['news']);

    // 106 (SIR-98): the application is activated and tells what it knows.
    await clients.client.after('returned', 4);
    expect(activated).toEqual([DCD.id]);

    // 105, 107 (SIR-97, SIR-100, SIR-132): what was asked for is returned, after the session is there.
    expect(clients.client.all('returned').map(({ information, status }) => [information, status])).toEqual([
      ['capability', 200],
      ['preference', 200],
      ['subscription', 200],
      ['registration', 200],
    ]);
    const wire = await stage.wire();
    expect(story(wire)).toEqual([
      'PPG → client MESSAGE',
      'client → PPG INVITE',
      'client → PPG MESSAGE',
      'client → PPG MESSAGE',
      'client → PPG MESSAGE',
      'client → PPG REGISTER',
    ]);
    expect(await stage.malformed()).toBe('');

    // SIR-135: it is kept with the terminal, each kind with its version.
    const terminal = await gateway.admin('GET', `/users/${encodeURIComponent(user)}/terminals/client`);
    expect(terminal.body).toMatchObject({
      returned: {
        capability: { version: 1, information: { maxMessageSize: 100_000 } },
        preference: { version: 1, information: { bearers: ['sip'] } },
        subscription: { version: 1, information: { applications: [DCD.id] } },
      },
    });
  });

  it('FIG 2: a push for clients 1 and 2 of a user with three', async () => {
    await using stage = await FigureStage.set(
      gateway,
      {
        client1: {},
        client2: { policy: { safety: { allowedGateways: ['sip:ppg@carillon.test'] } } },
        client3: {},
      },
      [{ terminals: ['client1', 'client2'] }],
    );
    const { user, clients, instances } = stage;

    // 201 (SIR-101): the push comes with the public user identity.
    await initiator.push({ pushId: 'fig2@pi', to: addressOf(user), content: 'for two' });

    // 202, 203 (SIR-102, SIR-103): both must get it, neither is connected, and the identity has a third terminal.
    const { recipients } = await gateway.pushBecomes('fig2@pi', 'delivered');
    expect(recipients[0]?.decision).toMatchObject({ multi: true });
    expect(recipients[0]?.decision?.terminals.map(({ terminal, selected }) => [terminal, selected])).toEqual([
      ['client1', true],
      ['client2', true],
      ['client3', false],
    ]);
    await gateway.pushWhen('fig2@pi', (push) =>
      (push.recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
    );

    // 204 … 207 (SIR-104 … SIR-107, SIR-3, SIR-5, SIR-30, SIR-39): a SIR of its own for each, by the device identity that is known of it; each opens
    // its session and gets the push once.
    expect([clients.client1.texts, clients.client2.texts]).toEqual([['for two'], ['for two']]);
    const wire = await stage.wire();
    expect([...story(wire)].sort()).toEqual([
      'PPG → client1 MESSAGE',
      'PPG → client2 MESSAGE',
      'client1 → PPG INVITE',
      'client2 → PPG INVITE',
    ]);
    const uris = wire.filter(({ what }) => what === 'MESSAGE').map(({ to, requestUri }) => [to, requestUri]);
    expect(Object.fromEntries(uris)).toEqual({
      client1: `${user};gr=${instances.client1}`,
      client2: `${user};gr=${instances.client2}`,
    });

    // SIR-11: whoever comes first, each has its SIR before it calls.
    for (const name of ['client1', 'client2']) {
      expect(story(wire).filter((line) => line.includes(name))).toEqual([
        `PPG → ${name} MESSAGE`,
        `${name} → PPG INVITE`,
      ]);
    }

    // SIR-109: client 3 got nothing at all.
    expect(wire.filter(({ from, to }) => [from, to].includes('client3'))).toEqual([]);
    expect(await stage.malformed()).toBe('');
  });

  it('FIG 3: the device identity is used where the user has several terminals, and only there', async () => {
    await using several = await FigureStage.set(gateway, { client1: {}, client2: {} });

    // 1 (SIR-110)
    await initiator.push({ pushId: 'fig3@pi', to: addressOf(several.user, several.instances.client1) });
    await gateway.pushBecomes('fig3@pi', 'delivered');

    // 2, 3 (SIR-111, SIR-112): two clients, so the SIR is routed by the device identity of client 1.
    const routed = await several.wire();
    expect(story(routed)).toEqual(['PPG → client1 MESSAGE', 'client1 → PPG INVITE']);
    expect(routed[0]?.requestUri).toBe(`${several.user};gr=${several.instances.client1}`);
    expect((await wakes('fig3@pi'))['client1']).toMatchObject([{ mode: 'routed' }]);

    // SIR-42, SIR-46, SIR-77: one client, so the method of the prior art, without any device identity.
    await using single = await FigureStage.set(gateway, { client: {} });
    await initiator.push({ pushId: 'fig3single@pi', to: addressOf(single.user) });
    await gateway.pushBecomes('fig3single@pi', 'delivered');
    const [message] = await single.wire();
    expect(message?.toHeader).toContain(single.user);
    expect(`${message?.requestUri} ${message?.toHeader}`).not.toContain('urn:uuid');
    expect((await wakes('fig3single@pi'))['client']).toMatchObject([{ mode: 'plain' }]);
  });

  it('FIG 4: the SIR goes to all clients, and each decides from its own information', async () => {
    const asked: string[] = [];
    await using stage = await FigureStage.set(
      gateway,
      {
        client1: {
          policy: { activate: async () => ({ preference: { quietHours: { from: '23:00', to: '06:00' } } }) },
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

    // System 2 (SIR-139). 301 (SIR-113), 302 (SIR-114, SIR-76): one SIR for the user, without device identity, to every client.
    await initiator.push({ pushId: 'fig4@pi', to: addressOf(user), content: 'for whoever wants it' });
    await gateway.pushBecomes('fig4@pi', 'delivered');
    await clients.client1.after('returned');

    // 303 (SIR-115), 305, 306 (SIR-119): capability speaks against it at client 2, its user at client 3.
    const verdicts = [clients.client1, clients.client2, clients.client3].map(
      (client) => client.all('sir')[0],
    );
    expect(verdicts.map((event) => event?.judgement.reason)).toEqual([
      'accepted',
      'notInstalled',
      'userDeclined',
    ]);
    expect(new Set(verdicts.map((event) => event?.sir.id)).size).toBe(1);
    expect(verdicts.map((event) => event?.sir.devices)).toEqual([[], [], []]);
    expect(asked).toEqual([user]);

    // 304 (SIR-116 … SIR-118): client 1 connects, gets the content once, and returns what its application said.
    expect([clients.client1.texts, clients.client2.texts, clients.client3.texts]).toEqual([
      ['for whoever wants it'],
      [],
      [],
    ]);
    const wire = await stage.wire();
    expect([...story(wire)].sort()).toEqual([
      'PPG → client1 MESSAGE',
      'PPG → client2 MESSAGE',
      'PPG → client3 MESSAGE',
      'client1 → PPG INVITE',
      'client1 → PPG MESSAGE',
    ]);
    expect(await stage.malformed()).toBe('');

    // The push is done; nobody is woken for it again.
    const { recipients } = await gateway.push('fig4@pi');
    expect(recipients[0]?.deliveries.map(({ terminal, state }) => [terminal, state])).toEqual([
      ['client1', 'delivered'],
      ['client2', 'cancelled'],
      ['client3', 'cancelled'],
    ]);
  });

  it.each([
    ['the header (Table 1)', ['header']],
    ['the body (Table 2)', ['body']],
  ])(
    'FIG 5: a SIR to all clients with the identity of client 1 in %s; client 3 is connected',
    async (_, identityIn) => {
      const pushId = `fig5-${identityIn[0]}@pi`;
      await using stage = await FigureStage.set(gateway, { client1: {}, client2: {}, client3: {} }, [
        { mode: 'filtered', identityIn, terminals: ['client1', 'client3'] },
      ]);
      const { user, clients, instances } = stage;
      await clients.client3.terminal.connect(PPG_URI);
      await gateway.laneWhen(user, 'client3', ({ connections }) => connections.session !== undefined);

      // 401 (SIR-122), 402 (SIR-123): client 3 can have it at once, client 1 needs a session first.
      await initiator.push({ pushId, to: addressOf(user), content: 'for 1 and 3' });
      await gateway.pushWhen(pushId, (push) =>
        (push.recipients[0]?.deliveries ?? []).every(({ state }) => state === 'delivered'),
      );

      // 403, 404 (SIR-125, SIR-126, SIR-68 … SIR-70, SIR-75, SIR-80, SIR-139): the SIR goes to every contact of the user, and nothing in it routes by the device.
      await clients.client2.after('sir');
      await clients.client3.after('sir');
      const wire = await stage.wire();
      const sirs = wire.filter(({ what, from }) => what === 'MESSAGE' && from === 'PPG');
      expect(sirs.map(({ to }) => to).sort()).toEqual(['client1', 'client2', 'client3']);
      expect(sirs.every(({ requestUri }) => !requestUri.includes('gr='))).toBe(true);
      expect(sirs.every(({ toHeader }) => toHeader.includes(`gr=${instances.client1}`))).toBe(
        identityIn[0] === 'header',
      );

      // 405, 407, 408 (SIR-127, SIR-129, SIR-130): client 1 matches, client 2 does not, client 3 is connected already.
      const reasons = [clients.client1, clients.client2, clients.client3].map(
        (client) => client.all('sir')[0]?.judgement.reason,
      );
      expect(reasons).toEqual(['matched', 'otherDevice', 'alreadyConnected']);

      // 406 (SIR-128): content once each.
      expect([clients.client1.texts, clients.client2.texts, clients.client3.texts]).toEqual([
        ['for 1 and 3'],
        [],
        ['for 1 and 3'],
      ]);
      const invites = wire.filter(({ what }) => what === 'INVITE').map(({ from }) => from);
      expect(invites).toEqual(['client3', 'client1']);
      expect(await stage.malformed()).toBe('');
    },
  );
});
