/** Results of pushes that another gateway was handed, over real HTTP: whose are taken, and what they say. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { delegatedResults } from '../../src/endpoints/delegated/delegated-results.js';
import { publicApplication } from '../../src/endpoints/http/http-server.js';
import { loadPapValidator } from '../../src/endpoints/pap/pap-dtds.js';
import { decodePap, encodePap, type MessageState, type PapOperation } from '../../src/protocols/pap/index.js';
import type { PushUid } from '../../src/push/push-message.js';
import type { Receipt } from '../../src/push/receipt.js';
import { noLog } from '../../src/telemetry/log.js';
import { FakeClock } from '../support/fake-clock.js';
import { PHONE } from '../support/pushes.js';

const PUSH = { uid: 'a'.repeat(32) as PushUid, terminal: PHONE };
const validator = loadPapValidator();
let server: Server;
let receipts: Receipt[];
let failure: Error | undefined;
beforeAll(async () => {
  const endpoint = delegatedResults({
    read: (segment) => (segment === 'ours' ? PUSH : undefined),
    receipt: async (receipt) => {
      if (failure) throw failure;
      receipts.push(receipt);
    },
    validator,
    clock: new FakeClock(),
    log: noLog,
  });
  server = createServer(publicApplication([endpoint], () => {}).callback());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
beforeEach(() => {
  receipts = [];
  failure = undefined;
});
afterAll(() => {
  server?.close();
  validator[Symbol.dispose]();
});

const result = (messageState: MessageState, code: number): PapOperation => ({
  kind: 'resultnotification-message',
  pushId: 'p@x',
  messageState,
  code,
  addresses: ['WAPPUSH=alice/TYPE=USER'],
});

async function post(body: PapOperation | string, path = 'ours', method = 'POST') {
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/v1/delegated/${path}`, {
    method,
    ...(method === 'POST'
      ? { body: typeof body === 'string' ? body : Buffer.from(encodePap(body, { version: '2.1' })) }
      : {}),
  });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

describe('a result', () => {
  it.each<[MessageState, number, Partial<Receipt> | undefined]>([
    ['delivered', 1000, { outcome: 'delivered' }],
    ['aborted', 5026, { outcome: 'aborted', code: 5026 }],
    ['expired', 4000, { outcome: 'failed', code: 4000 }],
    ['undeliverable', 3005, { outcome: 'failed', code: 3005 }],
    ['rejected', 2003, { outcome: 'failed', code: 2003 }],
    ['cancelled', 1500, { outcome: 'failed' }],
    ['pending', 1001, undefined],
  ])('%s is taken and acknowledged', async (state, code, receipt) => {
    const { status, body } = await post(result(state, code));
    expect(status).toBe(202);
    expect(decodePap(body, { validator }).operation).toMatchObject({
      kind: 'resultnotification-response',
      pushId: 'p@x',
      code: 1000,
    });
    expect(receipts).toMatchObject(receipt ? [{ ...PUSH, bearer: 'delegate', ...receipt }] : []);
  });

  it.each([
    ['of a push that is not ours', () => post(result('delivered', 1000), 'theirs'), 404],
    ['that is none', () => post({ kind: 'cancel-message', pushId: 'p', addresses: [] }), 400],
    ['that is not PAP', () => post('<pap'), 400],
    ['that is too large', () => post(`<!-- ${'x'.repeat(70_000)} -->`), 413],
    ['that is asked for', () => post('', 'ours', 'GET'), 405],
  ])('%s is refused', async (_, ask, status) => {
    expect((await ask()).status).toBe(status);
    expect(receipts).toEqual([]);
  });

  it('that cannot be kept is not acknowledged', async () => {
    failure = new Error('the store is away');
    expect((await post(result('delivered', 1000))).status).toBe(500);
  });
});
