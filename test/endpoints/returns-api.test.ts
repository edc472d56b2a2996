/** `POST /v1/returns` over real HTTP: what it takes, what it answers, and that the description says the same. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { publicApplication } from '../../src/endpoints/http/http-server.js';
import { returnsApi } from '../../src/endpoints/returns/returns-api.js';
import { RefusedError } from '../../src/kernel/errors.js';
import { decodeSirReturn, type ReturnSender, SIR_RETURN_LIMITS } from '../../src/push/sir-return.js';
import { noLog } from '../../src/telemetry/log.js';
import { answerErrors } from '../support/openapi.js';
import { PHONE } from '../support/pushes.js';

let server: Server;
let taken: { readonly body: unknown; readonly sender: ReturnSender }[];
let refusal: RefusedError | undefined;
beforeAll(async () => {
  const endpoint = returnsApi({
    take: async (body, sender) => {
      const told = decodeSirReturn(body);
      if (refusal) throw refusal;
      taken.push({ body: told, sender });
      return { terminal: PHONE, kind: told.kind };
    },
    log: noLog,
  });
  server = createServer(publicApplication([endpoint], () => {}).callback());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
beforeEach(() => {
  taken = [];
  refusal = undefined;
});
afterAll(() => server?.close());

const ASKED = { sir: 't.abc', kind: 'preference', information: { bearers: ['sms'] } };

/** The status; the answer is held to the description on the way. */
async function post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/v1/returns`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    body: await response.text(),
  };
  expect(answerErrors({ method: 'POST', path: '/v1/returns' }, answer)).toEqual([]);
  return response.status;
}

describe('a return', () => {
  it('is taken, with the signature that came with it', async () => {
    expect(await post(ASKED)).toBe(204);
    expect(await post(ASKED, { 'X-Carillon-Signature': 'c2ln' })).toBe(204);
    expect(taken).toEqual([
      { body: ASKED, sender: {} },
      { body: ASKED, sender: { signature: 'c2ln' } },
    ]);
  });

  it.each<[number, string, unknown, Record<string, string>]>([
    [400, 'that is not JSON', '{', {}],
    [400, 'of a kind of its own', { ...ASKED, kind: 'mood' }, {}],
    [413, 'that is too large', { ...ASKED, information: 'x'.repeat(SIR_RETURN_LIMITS.bodyBytes) }, {}],
    [415, 'that is text', 'x', { 'Content-Type': 'text/plain' }],
  ])('is answered %i when it is one %s', async (status, _what, body, headers) => {
    expect(await post(body, headers)).toBe(status);
    expect(taken).toEqual([]);
  });

  it.each([
    [403, 'forbidden'],
    [404, 'notFound'],
    [503, 'busy'],
  ] as const)('is answered %i when it is refused as %s', async (status, code) => {
    refusal = RefusedError.telling(code, 'no');
    expect(await post(ASKED)).toBe(status);
  });
});
