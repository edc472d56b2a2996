/**
 * What terminals tell after a SIR, and what comes of it: information that changes the next decision and outlives a crash, refusals that end
 * the attempt and reach the initiator, the next terminal when nobody comes, and SIRs that are signed.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { ResultServer } from '../support/e2e-result-server.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';

const MMS = 'X-Wap-Application-Id: x-wap-application:mms.ua';

let gateway: E2eGateway;
let initiator: Initiator;
let results: ResultServer;
let users = 0;
beforeAll(async () => {
  gateway = await E2eGateway.start({ CARILLON_NOTIFY_ALLOW_PRIVATE_ADDRESSES: 'true' });
  initiator = new Initiator(gateway);
  results = await ResultServer.start();
});
afterAll(async () => {
  await results?.[Symbol.asyncDispose]();
  await gateway?.[Symbol.asyncDispose]();
});

/** A user with a phone and a PC of these attributes, and rules. */
async function newUser(rules: readonly object[], phoneAttributes: object = {}) {
  users += 1;
  const user = `sip:returns${users}@example.test`;
  const [phone, pc] = [instance(80_000 + users * 10), instance(80_001 + users * 10)];
  await gateway.addUser(user, {}, { policy: { rules } });
  await gateway.addTerminal(user, 'phone', {
    identities: [{ kind: 'uuid', value: phone }],
    ...phoneAttributes,
  });
  await gateway.addTerminal(user, 'pc', { identities: [{ kind: 'uuid', value: pc }] });
  return { user, phone, pc };
}

const selected = async (pushId: string) => {
  const { recipients } = await gateway.push(pushId);
  return Object.fromEntries(
    (recipients[0]?.decision?.terminals ?? []).map((one) => [one.terminal, one.selected]),
  );
};

describe('what a terminal returned', () => {
  it('counts in the next decision, and is still known after a crash (SIR-32, SIR-62 … SIR-65, SIR-135)', async () => {
    const { user, phone, pc } = await newUser([{ return: ['capability', 'subscription'] }]);
    const information = {
      capability: { accept: ['text/plain'] },
      subscription: { applications: [{ id: 'x-wap-application:mms.ua', state: 'active' }] },
    };
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      policy: { information },
    });
    await using other = await TerminalGuest.start(gateway, { user, instance: pc });

    await initiator.push({ pushId: 'before@pi', to: addressOf(user, phone), headers: [MMS] });
    await guest.after('returned', 2);

    await initiator.push({ pushId: 'wml@pi', to: addressOf(user) });
    expect(await selected('wml@pi')).toEqual({ phone: false, pc: true });
    await initiator.push({ pushId: 'mms@pi', to: addressOf(user), headers: [MMS] });
    expect(await selected('mms@pi')).toEqual({ phone: true, pc: true });
    await initiator.push({
      pushId: 'image@pi',
      to: addressOf(user),
      headers: [MMS],
      contentType: 'image/png',
      content: 'no image',
    });
    await gateway.pushBecomes('image@pi', 'delivered');
    expect(other.all('content').map(({ content }) => content.contentType)).toContain('image/png');
    expect(guest.all('content').map(({ content }) => content.contentType)).not.toContain('image/png');

    await gateway.crashAndRestart();
    await initiator.push({ pushId: 'after@pi', to: addressOf(user) });
    expect(await selected('after@pi')).toEqual({ phone: false, pc: true });
  });

  it('may come over HTTP from whoever got the SIR, and has to be signed where there is a key (SIR-134)', async () => {
    const sirKey = 'the key that phone and gateway share';
    const { user, phone } = await newUser([{ return: ['preference'] }], { sirKey });
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      policy: { connect: 'manually' },
    });
    await initiator.push({ pushId: 'http@pi', to: addressOf(user, phone) });
    const [event] = await guest.after('sir');
    const body = JSON.stringify({
      sir: event?.sir.citableId,
      kind: 'preference',
      information: { applications: { 'wml.ua': false } },
    });
    const tell = async (signature?: string) =>
      (
        await fetch(`http://127.0.0.1:${gateway.ports.http}/v1/returns`, {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            ...(signature === undefined ? {} : { 'X-Carillon-Signature': signature }),
          },
          body,
        })
      ).status;
    expect(await tell()).toBe(403);
    expect(await tell(createHmac('sha256', 'guessed').update(body).digest('base64url'))).toBe(403);
    expect(await tell(createHmac('sha256', sirKey).update(body).digest('base64url'))).toBe(204);

    await initiator.push({ pushId: 'unwanted@pi', to: addressOf(user) });
    expect(await selected('unwanted@pi')).toEqual({ phone: false, pc: true });
  });
});

describe('a SIR that is signed', () => {
  it('is followed by a terminal that has the key, and by no other (SIR-96, SIR-150)', async () => {
    const sirKey = 'the key that phone and gateway share';
    const { user, phone, pc } = await newUser([], { sirKey });
    const checking = (key: string) => ({
      safety: {
        allowedGateways: ['sip:ppg@carillon.test'],
        verifySignature: (signed: Uint8Array, signature: string) =>
          createHmac('sha256', key).update(signed).digest('base64url') === signature,
      },
    });
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      policy: checking(sirKey),
    });
    await using stranger = await TerminalGuest.start(gateway, {
      user,
      instance: pc,
      policy: checking(sirKey),
    });
    await initiator.push({ pushId: 'signed@pi', to: addressOf(user) });
    await gateway.pushWhen('signed@pi', (push) =>
      (push.recipients[0]?.deliveries ?? []).some(({ state }) => state === 'delivered'),
    );
    expect(guest.all('sir')[0]?.judgement.reason).toBe('matched');
    const [unsigned] = await stranger.after('sir');
    expect(unsigned?.judgement).toEqual({ verdict: 'unsafe', reason: 'badSignature' });
    expect(stranger.texts).toEqual([]);
  });
});

describe('a refusal', () => {
  it('ends the attempt, and the initiator is told why (SIR-66, SIR-136, SIR-156)', async () => {
    const { user, phone } = await newUser([{ return: ['rejection'] }]);
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      policy: { askUser: async () => 'reject' },
    });
    await initiator.push({ pushId: 'no@pi', to: addressOf(user, phone), notifyTo: results.url });
    const [told] = await results.about('no@pi');
    expect([told?.state, told?.code]).toEqual(['aborted', 5000]);
    const { recipients } = await gateway.push('no@pi');
    expect(recipients[0]?.deliveries[0]).toMatchObject({ state: 'aborted' });
    expect(recipients[0]?.reason).toContain('The user declined');
    expect([guest.texts, guest.all('sir').length]).toEqual([[], 1]);
    expect((await gateway.lane(user, 'phone')).held).toBe(0);
  });

  it('by a report over HTTP does the same', async () => {
    const { user, phone } = await newUser([]);
    await using guest = await TerminalGuest.start(gateway, {
      user,
      instance: phone,
      policy: { connect: 'manually' },
    });
    await initiator.push({ pushId: 'report@pi', to: addressOf(user, phone), notifyTo: results.url });
    const [event] = await guest.after('sir');
    const answer = await fetch(`http://127.0.0.1:${gateway.ports.http}/v1/returns`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        sir: event?.sir.citableId,
        kind: 'rejection',
        information: { reason: 'batteryLow', text: 'please not now' },
      }),
    });
    expect(answer.status).toBe(204);
    expect((await results.about('report@pi'))[0]?.state).toBe('aborted');
    expect((await gateway.push('report@pi')).recipients[0]?.reason).toContain('batteryLow: please not now');
  });
});

describe('when the first terminal does not come', () => {
  it('the next one is asked, and the push is delivered once (SIR-137)', async () => {
    const { user, pc } = await newUser([
      { terminals: ['phone', 'pc'], completion: 'any', fallbackSeconds: 1 },
    ]);
    await using guest = await TerminalGuest.start(gateway, { user, instance: pc });
    await initiator.push({ pushId: 'next@pi', to: addressOf(user), content: 'to the pc then' });
    const { recipients } = await gateway.pushBecomes('next@pi', 'delivered');
    expect(guest.texts).toEqual(['to the pc then']);
    const states = recipients[0]?.deliveries.map(({ terminal, state }) => [terminal, state]);
    expect(Object.fromEntries(states ?? [])).toEqual({ phone: 'cancelled', pc: 'delivered' });
  });
});
