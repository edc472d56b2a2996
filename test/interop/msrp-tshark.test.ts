/** tshark as referee of the MSRP layer: what two endpoints of ours say to each other is what an independent dissector reads. */
import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/kernel/errors.js';
import type { CapturedPacket } from '../support/pcap.js';
import { dissect, dissectFields } from '../support/tshark.js';
import { connectedPair, listening, message, proxyTo } from '../transports/msrp-connections/endpoints.js';

const MSRP_PORT = 2855;
const DECODE_AS = ['-d', `tcp.port==${MSRP_PORT},msrp`];

interface Conversation {
  readonly forward: string;
  readonly backward: string;
  readonly activePath: string;
  readonly passivePath: string;
}

/** Everything on the wire while `act` runs, from the first SEND on. */
async function converse(
  act: (pair: Awaited<ReturnType<typeof connectedPair>>) => Promise<unknown>,
): Promise<Conversation> {
  const listener = await listening();
  const proxy = await proxyTo(listener.port);
  let forward = '';
  let backward = '';
  proxy.onForward((octets) => {
    forward += octets.toString('latin1');
  });
  proxy.onBackward((octets) => {
    backward += octets.toString('latin1');
  });
  const refuse = ({ contentType }: { contentType: string }): void => {
    if (contentType === 'x/refused') throw new RefusedError('unsupportedMediaType', 'no');
  };
  const pair = await connectedPair({ listener, via: proxy.address, passive: { onMessage: refuse } });
  await act(pair);
  const paths = { activePath: pair.active.session.localPath, passivePath: pair.passive.session.localPath };
  return { forward, backward, ...paths };
}

/** One frame for each chunk, since the dissector does not put segments together. */
function packetsOf(octets: string, direction: 'forward' | 'backward'): CapturedPacket[] {
  const ports =
    direction === 'forward'
      ? { sourcePort: 40_000, destinationPort: MSRP_PORT }
      : { sourcePort: MSRP_PORT, destinationPort: 40_000 };
  let sequence = 1;
  return octets.split(/(?<=[$+#]\r\n)(?=MSRP )/).map((chunk) => {
    const packet = { protocol: 'tcp', ...ports, payload: Buffer.from(chunk, 'latin1'), sequence } as const;
    sequence += chunk.length;
    return packet;
  });
}

/** The fields of each frame, joined to one line. */
async function linesOf(packets: CapturedPacket[], fields: readonly string[]): Promise<string[]> {
  const frames = await dissectFields(packets, fields, DECODE_AS);
  return frames.map((frame) =>
    fields
      .map((field) => frame.get(field)?.join() ?? '')
      .join(' ')
      .trim(),
  );
}

const REQUEST_FIELDS = [
  'msrp.method',
  'msrp.messageid',
  'msrp.byte.range',
  'msrp.success.report',
  'msrp.content.type',
  'msrp.cnt.flg',
];

describe('an MSRP conversation of ours', () => {
  const octets = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7) & 0xff));
  const conversation = (): Promise<Conversation> =>
    converse(async ({ active, passive }) => {
      await active.session.send(message('small1', 'Hello'));
      await active.session.send(
        message('binary', octets, { contentType: 'application/octet-stream', successReport: false }),
      );
      await active.session.send(message('large1', Buffer.alloc(40_000, 'x')));
      await active.session.send(message('bad1', 'x', { contentType: 'x/refused' }));
      await passive.session.send(message('back', 'Hello back'));
    });

  it('has requests with the fields that we meant', async () => {
    const { forward } = await conversation();
    const lines = await linesOf(packetsOf(forward, 'forward'), REQUEST_FIELDS);
    expect(lines.map((line) => line.replace(/ +/g, ' ')).slice(1)).toEqual([
      'SEND small1 1-5/5 yes text/plain $',
      'SEND binary 1-*/3000 application/octet-stream $',
      'SEND large1 1-*/40000 yes text/plain +',
      'SEND large1 16385-*/40000 yes text/plain +',
      'SEND large1 32769-*/40000 yes text/plain $',
      'SEND bad1 1-1/1 yes x/refused $',
      '$', // the answer to the message that came back
      'REPORT back 1-10/10 $',
    ]);
  });

  it('begins with an empty SEND', async () => {
    const { forward } = await conversation();
    const [first] = await linesOf(packetsOf(forward, 'forward'), [
      'msrp.method',
      'msrp.byte.range',
      'msrp.content.type',
      'msrp.cnt.flg',
    ]);
    expect(first).toBe('SEND 1-0/0  $');
  });

  it('has responses and reports with the status that we meant', async () => {
    const { backward } = await conversation();
    const lines = await linesOf(packetsOf(backward, 'backward'), [
      'msrp.status.code',
      'msrp.method',
      'msrp.messageid',
      'msrp.byte.range',
      'msrp.status',
    ]);
    expect(lines.map((line) => line.replace(/ +/g, ' '))).toEqual([
      '200',
      '200',
      'REPORT small1 1-5/5 000 200 OK',
      '200',
      '200',
      '200',
      '200',
      'REPORT large1 1-40000/40000 000 200 OK',
      '415',
      'SEND back 1-10/10',
    ]);
  });

  it('has responses under the transaction ids of the requests', async () => {
    const { forward, backward } = await conversation();
    const asked = await dissectFields(
      packetsOf(forward, 'forward'),
      ['msrp.method', 'msrp.transaction.id'],
      DECODE_AS,
    );
    const answered = await dissectFields(
      packetsOf(backward, 'backward'),
      ['msrp.status.code', 'msrp.transaction.id'],
      DECODE_AS,
    );
    const ids = (frames: typeof asked, field: string): (string | undefined)[] =>
      frames
        .filter((frame) => frame.get(field)?.length === 1)
        .map((frame) => frame.get('msrp.transaction.id')?.[0]);
    const sends = asked.filter((frame) => frame.get('msrp.method')?.[0] === 'SEND');
    expect(ids(answered, 'msrp.status.code')).toEqual(ids(sends, 'msrp.method'));
  });

  it('goes along the two paths', async () => {
    const { forward, activePath, passivePath } = await conversation();
    const lines = await linesOf(packetsOf(forward, 'forward'), ['msrp.to.path', 'msrp.from.path']);
    expect(new Set(lines)).toEqual(new Set([`${passivePath} ${activePath}`]));
  });

  it('is all MSRP and nowhere malformed', async () => {
    const { forward, backward } = await conversation();
    const packets = [...packetsOf(forward, 'forward'), ...packetsOf(backward, 'backward')];
    const bad = await dissect(packets, [
      ...DECODE_AS,
      '-Y',
      '!msrp || _ws.malformed || msrp.status.code.invalid',
    ]);
    expect(bad).toBe('');
  });
});
