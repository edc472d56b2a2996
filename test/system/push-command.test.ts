/** `carillon push` against a PAP endpoint that answers what the test says: what goes out, and the exit status of every end. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PushCommandOptions } from '../../src/app/push-command.js';
import { push } from '../../src/app/push-command.js';
import { loadPapValidator } from '../../src/endpoints/pap/pap-dtds.js';
import { decodePapRequest, type PapRequest } from '../../src/endpoints/pap/pap-request.js';
import {
  encodePap,
  type MessageState,
  type PapOperation,
  type PushMessage,
} from '../../src/protocols/pap/index.js';

const LIMITS = {
  maxBytes: 65_536,
  maxAddresses: 100,
  maxContentBytes: 1_048_576,
  maxCapabilitiesBytes: 65_536,
};
const ALICE = 'sip:alice@carillon.test';

const validator = loadPapValidator();
let server: Server;
let url: string;
let requests: PapRequest[];
let authorization: string | undefined;
/** Answers an operation; a number is an HTTP status without a body. */
let answer: (operation: PapOperation) => PapOperation | number;

beforeEach(async () => {
  requests = [];
  answer = accept;
  server = createServer(async (request, response) => {
    authorization = request.headers.authorization;
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const decoded = decodePapRequest(
      { validator, limits: LIMITS },
      request.headers['content-type'],
      Buffer.concat(pieces),
    );
    requests.push(decoded);
    const operation = answer(decoded.document.operation);
    if (typeof operation === 'number') response.writeHead(operation).end();
    else
      response
        .writeHead(202, { 'Content-Type': 'application/xml' })
        .end(encodePap(operation, { version: '2.1' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/pap`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function accept(operation: PapOperation): PapOperation {
  const pushId = 'pushId' in operation ? operation.pushId : '';
  return { kind: 'push-response', pushId, progressNotes: [], code: 1001 };
}

/** Accepts, then answers each status query with the next state; the last one repeats. */
function acceptThen(...states: readonly [MessageState, ...MessageState[]]): typeof answer {
  let asked = 0;
  return (operation) => {
    if (operation.kind !== 'statusquery-message') return accept(operation);
    const messageState = states[Math.min(asked, states.length - 1)] ?? 'unknown';
    asked += 1;
    return {
      kind: 'statusquery-response',
      pushId: operation.pushId,
      results: [{ messageState, code: 1000, addresses: [ALICE] }],
    };
  };
}

async function run(options: Partial<PushCommandOptions> = {}) {
  const lines: string[] = [];
  const status = await push(
    {
      to: [ALICE],
      initiator: 'me',
      password: 'pass:word',
      url,
      source: { text: 'Grüß Gott' },
      headers: [],
      pushId: 'p-1',
      wait: false,
      timeoutMs: 10_000,
      json: false,
      ...options,
    },
    (line) => lines.push(line),
  );
  return { status, lines };
}

function submitted(): { message: PushMessage; entity: PapRequest['entity'] } {
  const [request] = requests;
  if (request?.document.operation.kind !== 'push-message') throw new Error('no push-message');
  return { message: request.document.operation, entity: request.entity };
}

describe('a submission', () => {
  it('is PAP 2.1 with the content, its type and its headers', async () => {
    const { status, lines } = await run({
      headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }],
      priority: 'high',
      deliverBefore: Date.UTC(2030, 0, 1),
    });
    const { message, entity } = submitted();
    expect(status).toBe(0);
    expect(lines).toEqual(['accepted: push-id p-1 (1001 Accepted for processing)']);
    expect(requests[0]?.document.version).toBe('2.1');
    expect(message).toMatchObject({
      pushId: 'p-1',
      addresses: [ALICE],
      deliverBeforeTimestamp: Date.UTC(2030, 0, 1),
      qualityOfService: { priority: 'high' },
    });
    expect(entity?.contentType).toBe('text/plain; charset=utf-8');
    expect(entity?.headers).toContainEqual({
      name: 'X-Wap-Application-Id',
      value: 'x-wap-application:mms.ua',
    });
    expect(Buffer.from(entity?.content ?? []).toString()).toBe('Grüß Gott');
  });

  it('carries the credentials of the initiator', async () => {
    await run();
    expect(authorization).toBe(`Basic ${Buffer.from('me:pass:word').toString('base64')}`);
  });

  it('takes a file byte for byte', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'carillon-push-'));
    const octets = Buffer.from([0, 13, 10, 45, 45, 255]);
    await writeFile(join(directory, 'content'), octets);
    await run({ source: { file: join(directory, 'content') } });
    await rm(directory, { recursive: true });
    expect(Buffer.from(submitted().entity?.content ?? []).equals(octets)).toBe(true);
    expect(submitted().entity?.contentType).toBe('application/octet-stream');
  });

  it('gets a push-id of its own when none is given', async () => {
    const { pushId: _, ...rest } = { pushId: undefined };
    await push(
      {
        ...rest,
        ...{ to: [ALICE], initiator: 'me', password: 'p', url, source: { text: 'x' } },
        ...{ headers: [], wait: false, timeoutMs: 10_000, json: false },
      },
      () => undefined,
    );
    expect(submitted().message.pushId).toMatch(/^[0-9a-f]{24}@me$/);
  });

  it('that is refused ends with 1 and says why', async () => {
    answer = () => ({ kind: 'push-response', pushId: 'p-1', progressNotes: [], code: 2003, desc: 'Nobody' });
    expect(await run()).toEqual({ status: 1, lines: ['refused: push-id p-1 (2003 Nobody)'] });
  });

  it('by an initiator that is not known ends with 1 and says how to create it', async () => {
    answer = () => 401;
    const { status, lines } = await run();
    expect(status).toBe(1);
    expect(lines[0]).toContain('PUT /admin/v1/push-initiators/me');
  });

  it('that cannot be read ends with 1', async () => {
    answer = () => ({ kind: 'badmessage-response', code: 2000, desc: 'Bad request' });
    expect(await run()).toEqual({
      status: 1,
      lines: ['refused: the gateway cannot read the request (PAP 2000 Bad request)'],
    });
  });

  it('is rejected with a hint when nobody listens', async () => {
    await new Promise((resolve) => server.close(resolve));
    await expect(run()).rejects.toThrow(/ECONNREFUSED.*is the gateway running\?/);
  });

  it('is rejected when its file is not there', async () => {
    await expect(run({ source: { file: '/nowhere/x' } })).rejects.toThrow(
      /the content cannot be read: ENOENT/,
    );
  });

  it('is rejected when the answer is no PAP', async () => {
    answer = () => 202;
    await expect(run()).rejects.toThrow(/does not speak PAP/);
  });
});

describe('waiting', () => {
  it('ends with 0 once the push is delivered', async () => {
    answer = acceptThen('pending', 'pending', 'delivered');
    const { status, lines } = await run({ wait: true });
    expect(status).toBe(0);
    expect(lines[1]).toBe(`delivered: ${ALICE} (1000 OK)`);
    expect(requests).toHaveLength(4);
  });

  it.each(['undeliverable', 'expired', 'aborted', 'cancelled'] as const)(
    'ends with 1 once it is %s',
    async (state) => {
      answer = acceptThen('pending', state);
      expect((await run({ wait: true })).status).toBe(1);
    },
  );

  it('ends with 3 when there is no result in time', async () => {
    answer = acceptThen('pending');
    const { status, lines } = await run({ wait: true, timeoutMs: 2000 });
    expect(status).toBe(3);
    expect(lines[1]).toMatch(/^pending: sip:alice@carillon.test \(no result in time/);
  });

  it('goes on while the gateway is away for a moment', async () => {
    const states = acceptThen('delivered');
    let failures = 2;
    answer = (operation) => {
      if (operation.kind !== 'statusquery-message' || failures === 0) return states(operation);
      failures -= 1;
      return 503;
    };
    expect((await run({ wait: true })).status).toBe(0);
  });

  it('takes the result notification and acknowledges it', async () => {
    let acknowledged: Promise<Response> | undefined;
    const pending = acceptThen('pending');
    answer = (operation) => {
      if (operation.kind === 'push-message' && operation.ppgNotifyRequestedTo !== undefined) {
        acknowledged = fetch(operation.ppgNotifyRequestedTo, {
          method: 'POST',
          headers: { 'Content-Type': 'application/xml' },
          body: Buffer.from(
            encodePap(
              {
                kind: 'resultnotification-message',
                pushId: operation.pushId,
                messageState: 'delivered',
                code: 1000,
                addresses: operation.addresses,
              },
              { version: '2.1' },
            ),
          ),
        });
      }
      return pending(operation);
    };
    const { status, lines } = await run({ wait: true, notifyPort: 0, json: true });
    expect(status).toBe(0);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      event: 'result',
      address: ALICE,
      state: 'delivered',
      toldBy: 'notification',
    });
    expect((await acknowledged)?.status).toBe(202);
  });
});
