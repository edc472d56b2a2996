/** The initiator's door: what is accepted is kept, what is not says why, and the whole story can be asked for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2eGateway, INITIATOR } from '../support/e2e-gateway.js';
import { addressOf, Initiator, papDocument, pushElement } from '../support/e2e-initiator.js';
import { instance, TerminalGuest } from '../support/e2e-terminal.js';

const ALICE = 'sip:alice@example.test';

let gateway: E2eGateway;
let initiator: Initiator;

beforeAll(async () => {
  gateway = await E2eGateway.start();
  await gateway.addUser(ALICE, { phone: instance(1) }, { aliases: ['tel:+436641234567'] });
  initiator = new Initiator(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('submission (SIR-101, SIR-140, SIR-163)', () => {
  it('answers HTTP 202 and 1001', async () => {
    const answer = await initiator.submit({ pushId: 'accepted@pi', to: addressOf(ALICE) });
    expect(answer).toMatchObject({ status: 202, kind: 'push-response', code: 1001 });
    expect(answer.element['push-id']).toBe('accepted@pi');
  });

  it('keeps what it answered 1001 to, however the process ends (SIR-167)', async () => {
    const content = 'x'.repeat(200_000);
    await initiator.push({ pushId: 'kept@pi', to: addressOf(ALICE), content });
    await gateway.crashAndRestart();
    const push = await gateway.push('kept@pi');
    expect(push.content.size).toBe(content.length);
    expect(push.recipients[0]?.state).toBe('pending');
  });

  it('reaches a user by SIP address, by telephone number and by bare URI (SIR-8, SIR-164)', async () => {
    const forms = [
      'WAPPUSH=sip%3Aalice%40example.test/TYPE=USER@ppg.carillon.test',
      'WAPPUSH=+43-664-1234567/TYPE=PLMN@ppg.carillon.test',
      'WAPPUSH=+436641234567/TYPE=PLMN',
      'sip:alice@example.test',
    ];
    for (const [index, form] of forms.entries()) {
      await initiator.push({ pushId: `form${index}@pi`, to: form });
      expect((await gateway.push(`form${index}@pi`)).recipients[0]?.decision?.user).toBe(ALICE);
    }
  });

  it('takes the same push-id from another initiator, provisioned through the admin API', async () => {
    const other = { id: 'weather', password: 'sunny' };
    await gateway.admin('PUT', '/push-initiators/weather', { password: other.password });
    await initiator.push({ pushId: 'shared@pi', to: addressOf(ALICE) });
    await new Initiator(gateway, other).push({ pushId: 'shared@pi', to: addressOf(ALICE) });
    expect((await gateway.push('shared@pi', 'weather')).uid).not.toBe((await gateway.push('shared@pi')).uid);
  });
});

describe('refusal', () => {
  const refused = async (order: Partial<Parameters<Initiator['submit']>[0]>) => {
    const pushId = `refused${Math.random()}@pi`;
    const answer = await initiator.submit({ pushId, to: addressOf(ALICE), ...order });
    expect(answer).toMatchObject({ status: 202, kind: 'push-response' });
    return answer.code;
  };

  it('2007: a push-id that has been used, and the first push stays as it is', async () => {
    await initiator.push({ pushId: 'twice@pi', to: addressOf(ALICE), content: 'first' });
    expect(await refused({ pushId: 'twice@pi', content: 'second, longer' })).toBe(2007);
    expect((await gateway.push('twice@pi')).content.size).toBe(5);
  });

  it('2002: an address that is none', async () => {
    expect(await refused({ to: 'WAPPUSH=+43664/TYPE=NOSUCHTYPE@ppg.carillon.test' })).toBe(2002);
  });

  it('2003: an address of nobody, and a device that the user does not have', async () => {
    expect(await refused({ to: addressOf('sip:nobody@example.test') })).toBe(2003);
    expect(await refused({ to: addressOf(ALICE, instance(99)) })).toBe(2003);
  });

  it('2001: a deadline that has passed', async () => {
    expect(await refused({ deliverBefore: Date.now() - 60_000 })).toBe(2001);
  });

  it('2001: content over 1 MiB, while exactly 1 MiB is taken', async () => {
    expect(await refused({ content: Buffer.alloc(1_048_577, 'x') })).toBe(2001);
    expect(await refused({ content: Buffer.alloc(1_048_576, 'x') })).toBe(1001);
  });

  it('3005: more addresses than the gateway takes in one push', async () => {
    expect(await refused({ to: Array(1001).fill(addressOf(ALICE)) })).toBe(3005);
  });

  it('3002: a version of PAP from the future', async () => {
    const { code } = await initiator.post(
      'multipart/related; type="application/xml"; boundary=b1',
      Buffer.from(
        [
          '--b1',
          'Content-Type: application/xml',
          '',
          papDocument(
            pushElement({ pushId: 'future@pi', to: addressOf(ALICE) }),
            '-//WAPFORUM//DTD PAP 9.0//EN',
            'http://www.wapforum.org/DTD/pap_9.0.dtd',
          ),
          '--b1',
          'Content-Type: text/plain',
          '',
          'Hello',
          '--b1--',
          '',
        ].join('\r\n'),
      ),
    );
    expect(code).toBe(3002);
  });

  it.each([
    ['no XML', 'application/xml', '<?xml version="1.0"?><pap><push-'],
    ['no PAP', 'application/xml', papDocument('<papp/>')],
    ['no multipart', 'multipart/related; type="application/xml"', 'no boundary'],
  ])('badmessage-response: %s', async (_, contentType, body) => {
    const answer = await initiator.post(contentType, Buffer.from(body));
    expect(answer).toMatchObject({ status: 202, kind: 'badmessage-response', code: 2000 });
  });

  it('401: nobody, and the right name with a wrong password (SIR-169)', async () => {
    const order = { pushId: 'stranger@pi', to: addressOf(ALICE) };
    const wrong = new Initiator(gateway, { id: INITIATOR.id, password: 'guessed' });
    expect((await wrong.submit(order)).status).toBe(401);
    const authorization = { 'content-type': 'application/xml' };
    const anonymous = await fetch(`http://127.0.0.1:${gateway.ports.http}/pap`, {
      method: 'POST',
      headers: authorization,
      body: papDocument('<statusquery-message push-id="a"/>'),
    });
    expect(anonymous.status).toBe(401);
    expect(anonymous.headers.get('www-authenticate')).toMatch(/^Basic /);
  });
});

describe('asking and taking back', () => {
  it('statusquery tells every address its own state: the good one pending, the unknown one rejected', async () => {
    const unknown = addressOf('sip:nobody@example.test');
    await initiator.push({ pushId: 'mixed@pi', to: [addressOf(ALICE), unknown] });
    const answer = await initiator.ask('<statusquery-message push-id="mixed@pi"/>');
    const results = answer.element['statusquery-result'] as readonly Record<string, unknown>[];
    expect(
      results.map((result) => [
        (result['address'] as Record<string, unknown>)['address-value'],
        result['message-state'],
        result['code'],
      ]),
    ).toEqual([
      [addressOf(ALICE), 'pending', '1001'],
      [unknown, 'rejected', '2003'],
    ]);
  });

  it('statusquery 2004: a push-id that nobody used', async () => {
    const answer = await initiator.ask('<statusquery-message push-id="never@pi"/>');
    expect(answer).toMatchObject({ kind: 'statusquery-response', code: 2004 });
  });

  it('a cancelled push does not reach the terminal any more, and cancelling it late is refused with 2008', async () => {
    const bob = 'sip:bob@example.test';
    await gateway.addUser(bob, { phone: instance(2) });
    await initiator.push({ pushId: 'unwanted@pi', to: addressOf(bob), content: 'unwanted' });
    await initiator.push({ pushId: 'wanted@pi', to: addressOf(bob), content: 'wanted' });
    expect((await initiator.ask('<cancel-message push-id="unwanted@pi"/>')).code).toBe(1000);
    await using guest = await TerminalGuest.start(gateway, { user: bob, instance: instance(2) });
    await gateway.pushBecomes('wanted@pi', 'delivered');
    expect(guest.texts).toEqual(['wanted']);
    await gateway.pushBecomes('unwanted@pi', 'cancelled');
    expect((await initiator.ask('<cancel-message push-id="wanted@pi"/>')).code).toBe(2008);
  });
});
