/** MESSAGE to the gateway: who may tell something after a SIR, and what the terminal is answered. */
import { describe, expect, it } from 'vitest';
import {
  receiveSirReturn,
  type SirReturnsOptions,
  type SirReturnsPorts,
} from '../../src/endpoints/sip/sir-returns.js';
import { DecodeError, type GatewayError, InvariantError, RefusedError } from '../../src/kernel/errors.js';
import type { ReturnSender } from '../../src/push/sir-return.js';
import type { Binding } from '../../src/registry/binding.js';
import { sipCredentials } from '../../src/registry/sip-credentials.js';
import type { User } from '../../src/registry/user.js';
import { noLog } from '../../src/telemetry/log.js';
import type { ResponseOptions, ServerRequest, SipFlow } from '../../src/transports/sip-stack/sip-stack.js';
import { ALICE, PC, PHONE } from '../support/pushes.js';

const THERE: SipFlow = { transport: 'udp', address: '192.0.2.7', port: 5060 };
const BODY = Buffer.from('{"sir":"x","kind":"preference"}');

interface Call {
  readonly uri?: string;
  readonly from?: string;
  readonly contentType?: string;
  readonly hasPassword?: boolean;
  readonly registered?: Partial<Binding>;
  readonly allowWithoutCredentials?: boolean;
  readonly fails?: GatewayError;
}

interface Outcome {
  readonly answer: number | 'challenged';
  readonly headers?: readonly string[];
  readonly sender?: ReturnSender;
}

async function outcome(call: Call): Promise<Outcome> {
  const user: User = {
    id: ALICE,
    aliases: ['tel:+43664'],
    policy: {},
    terminals: [],
    ...(call.hasPassword ? { sip: sipCredentials('alice', 'example.test', 'secret') } : {}),
  };
  let answer: number | 'challenged' | undefined;
  let headers: readonly string[] | undefined;
  let sender: ReturnSender | undefined;
  const request = {
    message: {
      kind: 'request',
      method: 'MESSAGE',
      uri: call.uri ?? 'sip:ppg@example.test',
      headers: [
        { name: 'From', value: call.from ?? '<sip:alice@example.test>;tag=1' },
        { name: 'Content-Type', value: call.contentType ?? 'application/json' },
      ],
      body: BODY,
    },
    flow: THERE,
    respond(status: number, options: ResponseOptions = {}) {
      answer = status;
      headers = options.headers?.map(({ name, value }) => `${name}: ${value}`);
    },
  } as unknown as ServerRequest;
  const ports: SirReturnsPorts = {
    findUser: async (identity) => ([user.id, ...user.aliases].includes(identity) ? user : undefined),
    isTrusted: () => false,
    bindings: async () =>
      call.registered === undefined
        ? []
        : [
            {
              terminal: PC,
              path: [],
              flow: { ...THERE, node: 'n' },
              ...call.registered,
            } as unknown as Binding,
          ],
    authentication: {
      authenticate: () => {
        answer = 'challenged';
        return false;
      },
    },
    take: async (body, from) => {
      expect(body).toBe(BODY);
      sender = from;
      if (call.fails) throw call.fails;
      return { terminal: PHONE, kind: 'preference', version: 1 };
    },
    log: noLog,
  };
  const options: SirReturnsOptions = {
    ppgUser: 'ppg',
    host: '192.0.2.1',
    allowWithoutCredentials: call.allowWithoutCredentials ?? true,
  };
  await receiveSirReturn(request, ports, options);
  if (answer === undefined) throw new Error('the MESSAGE was not answered');
  return { answer, ...(headers ? { headers } : {}), ...(sender ? { sender } : {}) };
}

describe('a return by MESSAGE', () => {
  it('is taken as that of its user', async () => {
    expect(await outcome({ from: '<tel:+43-664>;tag=1' })).toEqual({ answer: 200, sender: { user: ALICE } });
  });

  it.each<[string, Call, number | 'challenged']>([
    ['to somebody else', { uri: 'sip:bob@example.test' }, 404],
    ['of another type', { contentType: 'text/plain' }, 415],
    ['from an unknown user', { from: '<sip:eve@example.test>;tag=1' }, 403],
    ['from nobody that can be read', { from: 'nonsense' }, 400],
    ['of a user without a password where that is not allowed', { allowWithoutCredentials: false }, 403],
    ['of a user with a password', { hasPassword: true }, 'challenged'],
    ['of one that is registered from the same place', { hasPassword: true, registered: {} }, 200],
    [
      'of one that is registered through a proxy',
      { hasPassword: true, registered: { path: ['<sip:edge.test;lr>'] } },
      'challenged',
    ],
    ['that cannot be read', { fails: new DecodeError('no JSON') }, 400],
    ['that is too large', { fails: new DecodeError('large', { code: 'limitExceeded' }) }, 413],
    ['for no SIR of ours', { fails: RefusedError.telling('notFound', 'no') }, 404],
    ['for the SIR of another', { fails: RefusedError.telling('forbidden', 'no') }, 403],
    ['while the store is away', { fails: new RefusedError('busy', 'away', 'later') }, 503],
  ])('%s is answered as it has to be', async (_, call, expected) => {
    expect((await outcome(call)).answer).toBe(expected);
  });

  it('tells the terminal why it is refused', async () => {
    const { headers } = await outcome({ fails: RefusedError.telling('forbidden', 'not "asked" for') });
    expect(headers).toEqual([`Warning: 399 192.0.2.1 "not 'asked' for"`]);
  });

  it('names what is taken instead of another type', async () => {
    expect((await outcome({ contentType: 'text/plain' })).headers).toEqual(['Accept: application/json']);
  });

  it('leaves defects to the stack, which answers 500', async () => {
    await expect(outcome({ fails: new InvariantError('broken') })).rejects.toThrow('broken');
  });
});
