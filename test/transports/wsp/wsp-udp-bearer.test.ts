/** The connectionless WSP bearer on real sockets: what arrives at a terminal, and what is said of what cannot go this way. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWsp } from '../../../src/app/wsp.js';
import type { WspUdpBearer } from '../../../src/bearers/wsp-udp/wsp-udp-bearer.js';
import { configSchema } from '../../../src/config/schema.js';
import { decodeSia } from '../../../src/protocols/sia/index.js';
import { decodePush, type PushPdu } from '../../../src/protocols/wsp/index.js';
import { type DatagramPeer, DatagramSocket } from '../../../src/transports/datagram/datagram-socket.js';
import { BearerStage, SENDER } from '../../support/bearer-stage.js';
import { dissectFields } from '../../support/tshark.js';

interface Opened extends AsyncDisposable {
  readonly bearer: WspUdpBearer;
}

let stage: BearerStage;
let bearer: Opened;
let terminal: DatagramSocket;
let address: string;
let arrived: { readonly octets: Uint8Array; readonly from: DatagramPeer }[];
let more: () => void = () => undefined;

beforeEach(async () => {
  stage = await BearerStage.set([{ bearer: 'wsp' }]);
  arrived = [];
  terminal = await DatagramSocket.open({
    host: '127.0.0.1',
    port: 0,
    onError: (error) => expect.fail(error.message),
    onDatagram: (octets, from) => {
      arrived.push({ octets, from });
      more();
    },
  });
  address = `127.0.0.1:${terminal.bound.port}`;
  bearer = await open();
});
afterEach(async () => {
  await bearer[Symbol.asyncDispose]();
  await terminal[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

async function open(options: object = {}): Promise<Opened> {
  const wsp = { enabled: true, port: 0, allowPrivateAddresses: true, ...options };
  const { bearer, ...part } = await openWsp(configSchema.parse({ bearers: { wsp } }), SENDER, expect.fail);
  if (!bearer) throw new Error('no bearer');
  return { ...part, bearer };
}

/** Datagram number `count`, as a push. */
async function push(count = 1): Promise<PushPdu> {
  while (arrived.length < count) await new Promise<void>((resolve) => (more = resolve));
  return decodePush(arrived[count - 1]?.octets ?? Buffer.alloc(0));
}

describe('a push', () => {
  it('arrives with its headers and its id, and is handed over, not delivered (SIR-9)', async () => {
    const outcome = await bearer.bearer.carry(stage.terminal, stage.item('Hello'), address);
    expect(outcome).toEqual({ kind: 'handed', detail: expect.stringContaining(`sent to ${address}`) });
    expect(await push()).toMatchObject({
      contentType: { mediaType: 'text/plain' },
      headers: [
        { name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' },
        { name: 'Encoding-Version', value: '1.3' },
        { name: 'X-Push-Id', value: '0123456789abcdef0123456789abcdef' },
      ],
      body: Buffer.from('Hello'),
    });
  });

  it('is read by tshark as we meant it', async () => {
    await bearer.bearer.carry(stage.terminal, stage.item('Hello'), address);
    await push();
    const [frame] = await dissectFields(
      [
        {
          protocol: 'udp',
          sourcePort: 9200,
          destinationPort: 2948,
          payload: arrived[0]?.octets ?? Buffer.alloc(0),
        },
      ],
      ['wsp.pdu_type', 'wsp.header.x_wap_application_id', 'wsp.header.encoding_version', '_ws.malformed'],
    );
    expect(frame?.get('wsp.pdu_type')).toEqual(['0x06']);
    expect(frame?.get('wsp.header.x_wap_application_id')).toEqual(['x-wap-application:wml.ua']);
    expect(frame?.get('wsp.header.encoding_version')).toEqual(['1.3']);
    expect(frame?.get('_ws.malformed')).toEqual([]);
  });

  it('that must be confirmed goes another way', async () => {
    const item = stage.item('Hello', { confirmation: 'required' });
    expect(await bearer.bearer.carry(stage.terminal, item, address)).toMatchObject({ kind: 'unfit' });
    expect(arrived).toEqual([]);
  });

  it('that is larger than a datagram may be goes another way, and one that just fits does not', async () => {
    const overhead = await sizeOf('');
    const fits = Buffer.alloc(1400 - overhead, 'x');
    expect(await bearer.bearer.carry(stage.terminal, stage.item(fits), address)).toMatchObject({
      kind: 'handed',
    });
    const larger = Buffer.alloc(fits.length + 1, 'x');
    expect(await bearer.bearer.carry(stage.terminal, stage.item(larger), address)).toEqual({
      kind: 'unfit',
      detail: 'the push is too large for a datagram: 1401 octets, at most 1400',
    });
  });

  it('that is larger than the terminal takes goes another way', async () => {
    const narrow = { ...stage.terminal, capabilities: { maxMessageSize: 60 } };
    expect(await bearer.bearer.carry(narrow, stage.item('x'.repeat(40)), address)).toMatchObject({
      kind: 'unfit',
      detail: expect.stringContaining('at most 60'),
    });
  });

  it('with a content type that cannot be written goes another way', async () => {
    const item = stage.item('Hello', { contentType: 'not a type' });
    expect(await bearer.bearer.carry(stage.terminal, item, address)).toMatchObject({ kind: 'unfit' });
  });

  it.each([
    ['no address', undefined, 'unfit', 'the activation method has no address'],
    ['a name that nobody has', 'nowhere.invalid:2948', 'lost', 'nowhere.invalid'],
    ['an address of the other family', '[::1]:2948', 'lost', 'IPv4'],
  ])('with %s is not sent', async (_, where, kind, detail) => {
    expect(await bearer.bearer.carry(stage.terminal, stage.item(), where)).toMatchObject({
      kind,
      detail: expect.stringContaining(detail),
    });
  });

  async function sizeOf(content: string): Promise<number> {
    const before = arrived.length;
    await bearer.bearer.carry(stage.terminal, stage.item(content), address);
    await push(before + 1);
    return arrived[before]?.octets.length ?? 0;
  }
});

describe('a SIR', () => {
  it('arrives with its two headers and no other (SIR-67, SIR-85, SIR-87, SIR-95, SIR-145)', async () => {
    const outcome = await bearer.bearer.wake(stage.terminal, stage.sir, address);
    expect(outcome).toMatchObject({ kind: 'handed', address });
    const { contentType, headers, body } = await push();
    expect(Buffer.from(arrived[0]?.octets ?? []).subarray(1, 6)).toEqual(Buffer.from('0603b4af81', 'hex'));
    expect(contentType.mediaType).toBe('application/vnd.wap.sia');
    expect(headers).toEqual([{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }]);
    expect(decodeSia(body).extension).toMatchObject({ id: stage.sir.id, ppg: SENDER.ppgUri });
  });

  it('that is too large, or has no address, is told to be so', async () => {
    await using narrow = await open({ maxDatagramBytes: 128 });
    expect(await narrow.bearer.wake(stage.terminal, stage.sir, address)).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('too large'),
    });
    expect(await bearer.bearer.wake(stage.terminal, stage.sir, undefined)).toMatchObject({ kind: 'failed' });
  });

  it('to a private address is not sent unless that is allowed', async () => {
    await using guarded = await open({ allowPrivateAddresses: false });
    expect(await guarded.bearer.wake(stage.terminal, stage.sir, address)).toMatchObject({
      kind: 'failed',
      detail: '127.0.0.1 is no public address, and bearers.wsp.allowPrivateAddresses is off',
    });
  });
});

it('transaction ids count up, and begin anew', async () => {
  for (let count = 1; count <= 257; count += 1) {
    await bearer.bearer.wake(stage.terminal, stage.sir, address);
    await push(count);
  }
  const ids = arrived.map(({ octets }) => octets[0]);
  expect(ids.slice(0, 2)).toEqual([1, 2]);
  expect(ids.slice(-3)).toEqual([255, 0, 1]);
});

it('there is none unless it is enabled', async () => {
  await using wsp = await openWsp(configSchema.parse({}), SENDER, expect.fail);
  expect(wsp.bearer).toBeUndefined();
});
