/** The end of the gateway while a terminal owes it an answer: in time, in order, and with nothing lost. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { E2eGateway } from '../support/e2e-gateway.js';
import { addressOf, Initiator } from '../support/e2e-initiator.js';
import { instance } from '../support/e2e-terminal.js';

const USER = 'sip:mute@example.test';
const PHONE = instance(21_001);
const FEATURES = ['+g.oma.pusheventapp="push.sia"'];

let gateway: E2eGateway;
let mute: Socket;
/** Of requests seen: a retransmission has that of its first. */
const branches = new Set<string>();

beforeAll(async () => {
  gateway = await E2eGateway.start({ CARILLON_SHUTDOWN_DEADLINE_SECONDS: '4' });
  await gateway.addUser(USER, { phone: PHONE });
  mute = createSocket('udp4').bind(0, '127.0.0.1');
  await once(mute, 'listening');
});
afterAll(async () => {
  mute.close();
  await gateway[Symbol.asyncDispose]();
});

/** Registers a contact at which nobody answers. */
async function register(): Promise<void> {
  const { address, port } = mute.address();
  const request = [
    'REGISTER sip:example.test SIP/2.0',
    `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bKmute;rport`,
    'Max-Forwards: 70',
    `From: <${USER}>;tag=mute`,
    `To: <${USER}>`,
    'Call-ID: mute',
    'CSeq: 1 REGISTER',
    `Contact: <sip:mute@${address}:${port}>;+sip.instance="<${PHONE}>";${FEATURES.join(';')}`,
    'Expires: 600',
    'Content-Length: 0',
    '',
    '',
  ];
  const answered = once(mute, 'message');
  mute.send(request.join('\r\n'), gateway.ports.sip, '127.0.0.1');
  const [answer] = await answered;
  expect(String(answer)).toMatch(/^SIP\/2.0 200 /);
}

it('does not wait for an answer that may take longer than the deadline, and delivers after the next start', async () => {
  await register();
  const asked = nextMessage();
  await new Initiator(gateway).push({
    pushId: 'unanswered@pi',
    to: addressOf(USER, PHONE),
    content: 'once',
  });
  const first = await asked;
  expect(await gateway.stop()).toBe(0);

  const askedAgain = nextMessage();
  await gateway.startAgain();
  const second = await askedAgain;
  expect(second.callId).toBe(first.callId); // a repetition
  second.answer('200 OK');
  const push = await gateway.pushBecomes('unanswered@pi', 'delivered');
  expect(push.recipients[0]?.deliveries[0]).toMatchObject({ bearer: 'sip-message', attempts: 2 });
});

/** The first MESSAGE of a process that this one has not sent before. */
async function nextMessage() {
  for (;;) {
    const [octets, { port }] = (await once(mute, 'message')) as [Buffer, RemoteInfo];
    const lines = octets.toString().split('\r\n');
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}:`)) ?? '';
    if (branches.has(field('Via'))) continue;
    branches.add(field('Via'));
    expect(lines[0]).toMatch(/^MESSAGE /);
    expect(lines.at(-1)).toBe('once');
    return {
      callId: field('Call-ID'),
      answer(status: string) {
        const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map(field);
        mute.send(
          [`SIP/2.0 ${status}`, ...copied, 'Content-Length: 0', '', ''].join('\r\n'),
          port,
          '127.0.0.1',
        );
      },
    };
  }
}
