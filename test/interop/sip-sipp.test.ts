/** sipp as the other side, in both roles, over UDP and TCP: what an independent implementation makes of the stack. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  buildDigestChallenges,
  digestSecrets,
  headerValue,
  parseDigestCredentials,
  verifyDigestResponse,
} from '../../src/protocols/sip/index.js';
import type { ServerRequest, SipStack } from '../../src/transports/sip-stack/sip-stack.js';
import { closeAll, openStack } from '../transports/sip-stack/support.js';
import { answer, CLEAN, call } from './sipp/run.js';

afterEach(closeAll);

const CALLS = 40;
const SDP = {
  body: Buffer.from('v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n'),
  contentType: 'application/sdp',
};

function answerAll(stack: SipStack): void {
  stack.onRequest('MESSAGE', (request) => request.respond(202));
  stack.onRequest('REGISTER', register);
  stack.onInvite(async (invite) => {
    invite.respond(180);
    if (invite.message.uri.startsWith('sip:slow@')) return;
    await invite.accept(SDP);
  });
}

function register(request: ServerRequest): void {
  const credentials = headerValue(request.message, 'authorization');
  const given = credentials === undefined ? undefined : parseDigestCredentials(credentials);
  const secrets = digestSecrets('alice', 'example.test', 'secret');
  if (given !== undefined && verifyDigestResponse(given, secrets, 'REGISTER')) {
    request.respond(200);
    return;
  }
  const [challenge = ''] = buildDigestChallenges({
    realm: 'example.test',
    nonce: 'abc',
    algorithms: ['MD5'],
  });
  request.respond(401, { headers: [{ name: 'WWW-Authenticate', value: challenge }] });
}

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  test.each(['uac-options', 'uac-message', 'uac-register', 'uac-invite', 'uac-cancel'])(
    'sipp as caller: %s',
    async (scenario) => {
      const server = await openStack({}, answerAll);
      expect(await call(server[transport].port, { scenario, transport, calls: CALLS })).toEqual(CLEAN);
      expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );

  const suffix = transport === 'tcp' ? ';transport=tcp' : '';
  const base = { from: '<sip:ppg@example.test>', to: '<sip:bob@example.test>' };
  const credentials = { username: 'alice', password: 'secret' };

  test.each(['uas-message', 'uas-message-401', 'uas-message-407'])('sipp as callee: %s', async (scenario) => {
    const callee = await answer({ scenario, transport, calls: CALLS });
    const { stack } = await openStack();
    const uri = `sip:bob@127.0.0.1:${callee.port}${suffix}`;
    const one = () =>
      stack.request({
        ...base,
        method: 'MESSAGE',
        uri,
        body: Buffer.from('x'),
        contentType: 'text/plain',
        credentials,
      });
    const responses = await Promise.all(Array.from({ length: CALLS }, one));
    expect(responses.map(({ status }) => status)).toEqual(Array(CALLS).fill(200));
    expect(await callee.result).toEqual(CLEAN);
  });

  test('sipp as callee: uas-invite', async () => {
    const callee = await answer({ scenario: 'uas-invite', transport, calls: CALLS });
    const { stack } = await openStack();
    const uri = `sip:bob@127.0.0.1:${callee.port}${suffix}`;
    const one = async () => {
      const dialog = await stack.invite({ ...base, method: 'INVITE', uri, ...SDP });
      expect(Buffer.from(dialog.remoteBody).toString()).toContain('m=message 2855 TCP/MSRP *');
      await dialog.bye();
    };
    await Promise.all(Array.from({ length: CALLS }, one));
    expect(await callee.result).toEqual(CLEAN);
  });

  test('sipp as callee: uas-busy', async () => {
    const callee = await answer({ scenario: 'uas-busy', transport, calls: CALLS });
    const { stack } = await openStack();
    const uri = `sip:bob@127.0.0.1:${callee.port}${suffix}`;
    const one = () =>
      stack.invite({ ...base, method: 'INVITE', uri, ...SDP }).catch((error) => error.response?.status);
    expect(await Promise.all(Array.from({ length: CALLS }, one))).toEqual(Array(CALLS).fill(486));
    expect(await callee.result).toEqual(CLEAN);
  });
});
