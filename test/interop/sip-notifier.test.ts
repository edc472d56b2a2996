/**
 * sipp as the presence server and tshark as the referee: a whole subscription over UDP and over TCP, with what notifiers do that makes it
 * hard, and every datagram of it read by somebody else's dissector.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/app/system-clock.js';
import { decodePidf } from '../../src/protocols/pidf/index.js';
import { Subscriber } from '../../src/transports/sip-stack/subscriber.js';
import type { CapturedPacket } from '../support/pcap.js';
import { freePort } from '../support/ports.js';
import { dissectFields } from '../support/tshark.js';
import { closeAll, Inbox, openStack } from '../transports/sip-stack/support.js';
import { answer, CLEAN } from './sipp/run.js';
import { openUdpTap } from './sipp/udp-tap.js';

afterEach(closeAll);

const PIDF = `<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" entity="sip:alice@example.test">
<tuple id="t1"><status><basic>open</basic></status><dm:deviceID>urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6</dm:deviceID></tuple>
</presence>`;

interface Life {
  /** What was notified of, in order. */
  readonly notified: readonly string[];
  close(): void;
}

/** Goes through the life of a subscription at `port`, up to its end. */
async function life(port: number, transport: 'udp' | 'tcp'): Promise<Life> {
  const { stack } = await openStack();
  const refused = new Inbox<string>();
  const notified = new Inbox<string>();
  const subscriber = new Subscriber({
    stack,
    clock: systemClock,
    log: ({ reason = '' }) => refused.push(reason),
  });
  const subscription = subscriber.subscribe({
    uri: 'sip:alice@example.test',
    from: '<sip:ppg@example.test>',
    event: 'presence',
    accept: 'application/pidf+xml',
    route: [`<sip:127.0.0.1:${port};transport=${transport};lr>`],
    expiresSeconds: 600,
    onNotify: ({ body, state }) => notified.push(`${state.state} ${summary(body)}`),
    onStatus: () => {},
  });
  const first = await notified.next();
  expect([await refused.next(), await refused.next()]).toEqual([
    'another branch of a forked SUBSCRIBE',
    'an old CSeq',
  ]);
  subscription.refresh();
  const second = await notified.next();
  await subscription.end();
  return { notified: [first, second], close: () => subscriber.close() };
}

function summary(body: Uint8Array): string {
  if (body.length === 0) return 'nothing';
  return decodePidf(body)
    .tuples.map(({ basic }) => basic)
    .join();
}

describe('sipp as presence server', () => {
  it.each(['udp', 'tcp'] as const)('is content with us as its watcher over %s', async (transport) => {
    const port = await freePort();
    const contact = `sip:127.0.0.1:${port};transport=${transport}`;
    const server = await answer({ scenario: 'notifier', transport, port, values: { pidf: PIDF, contact } });
    const { notified, close } = await life(server.port, transport);
    expect(notified).toEqual(['active open', 'active nothing']);
    expect(await server.result).toEqual(CLEAN);
    close();
  });
});

it('tshark reads every message of it without a mark', async () => {
  const port = await freePort();
  await using tap = await openUdpTap(port);
  const values = { pidf: PIDF, contact: `sip:127.0.0.1:${tap.port}` };
  const server = await answer({ scenario: 'notifier', transport: 'udp', port, values });
  const { close } = await life(tap.port, 'udp');
  expect(await server.result).toEqual(CLEAN);
  close();
  const frame = (payload: Buffer, isOurs: boolean): CapturedPacket => ({
    protocol: 'udp',
    sourcePort: isOurs ? 5062 : 5060,
    destinationPort: isOurs ? 5060 : 5062,
    payload,
  });
  const packets = [
    ...tap.inward.map((payload) => frame(payload, true)),
    ...tap.outward.map((payload) => frame(payload, false)),
  ];
  const fields = ['sip.Method', 'sip.Status-Code', 'sip.Event', 'sip.Expires', '_ws.malformed'];
  const frames = await dissectFields(packets, fields);
  const subscribes = frames.filter((one) => one.get('sip.Method')?.[0] === 'SUBSCRIBE');
  expect(subscribes.map((one) => one.get('sip.Expires'))).toEqual([['600'], ['600'], ['0']]);
  expect(frames.flatMap((one) => one.get('_ws.malformed') ?? [])).toEqual([]);
  const complaints = await dissectFields(
    packets,
    ['_ws.expert.message'],
    ['-Y', '_ws.expert.severity >= 0x600000'],
  );
  expect(complaints.flatMap((one) => one.get('_ws.expert.message') ?? [])).toEqual([]);
});
