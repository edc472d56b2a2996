/** Two stacks of ours talk to each other: requests, dialogs and their ends, over UDP and TCP. */
import { afterEach, describe, expect, test } from 'vitest';
import { headerValue } from '../../../src/protocols/sip/index.js';
import { SipRejection } from '../../../src/transports/sip-stack/create-sip-stack.js';
import type { ServerRequest, SipDialog, SipFlow } from '../../../src/transports/sip-stack/sip-stack.js';
import { closeAll, Inbox, openStack } from './support.js';

afterEach(closeAll);

const OFFER = Buffer.from('v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n');
const ANSWER = Buffer.from('v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n');

const uriOf = (flow: SipFlow, transport = '') => `sip:ppg@${flow.address}:${flow.port}${transport}`;
const base = { from: '<sip:alice@example.test>', to: '<sip:ppg@example.test>' };

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  const target = (peer: { udp: SipFlow; tcp: SipFlow }) =>
    transport === 'udp' ? uriOf(peer.udp) : uriOf(peer.tcp, ';transport=tcp');

  test('a MESSAGE with a binary body arrives octet by octet and is answered', async () => {
    const inbox = new Inbox<ServerRequest>();
    const server = await openStack({}, (stack) =>
      stack.onRequest('MESSAGE', (request) => {
        inbox.push(request);
        request.respond(202, { headers: [{ name: 'X-Note', value: 'kept' }] });
      }),
    );
    const client = await openStack();
    const body = Uint8Array.from({ length: 256 }, (_, index) => index);
    const response = await client.stack.request({
      ...base,
      method: 'MESSAGE',
      uri: target(server),
      body,
      contentType: 'application/vnd.wap.sia',
    });
    const { message, flow } = await inbox.next();
    expect(response.status).toBe(202);
    expect(headerValue(response, 'x-note')).toBe('kept');
    expect(Buffer.from(message.body)).toEqual(Buffer.from(body));
    expect(message.uri).toBe(target(server));
    expect(flow.transport).toBe(transport);
  });

  test('a session is set up, both sides see the other body, and the caller ends it', async () => {
    const accepted = new Inbox<SipDialog>();
    const server = await openStack({}, (stack) =>
      stack.onInvite(async (invite) => {
        accepted.push(await invite.accept({ body: ANSWER, contentType: 'application/sdp' }));
      }),
    );
    const client = await openStack();
    const dialog = await client.stack.invite({
      ...base,
      method: 'INVITE',
      uri: target(server),
      body: OFFER,
      contentType: 'application/sdp',
    });
    const remote = await accepted.next();
    expect(Buffer.from(dialog.remoteBody)).toEqual(ANSWER);
    expect(Buffer.from(remote.remoteBody)).toEqual(OFFER);
    expect(remote.callId).toBe(dialog.callId);
    expect(remote.remoteUri).toBe('sip:alice@example.test');
    const ended = new Promise((resolve) => remote.onEnd(resolve));
    await dialog.bye();
    expect(await ended).toBe('the peer ended the session');
  });

  test('the called side can end the session', async () => {
    const accepted = new Inbox<SipDialog>();
    const server = await openStack({}, (stack) =>
      stack.onInvite(async (invite) => {
        accepted.push(await invite.accept({ body: ANSWER, contentType: 'application/sdp' }));
      }),
    );
    const client = await openStack();
    const dialog = await client.stack.invite({ ...base, method: 'INVITE', uri: target(server), body: OFFER });
    const ended = new Promise((resolve) => dialog.onEnd(resolve));
    await (await accepted.next()).bye();
    expect(await ended).toBe('the peer ended the session');
  });

  test('a refused INVITE rejects with the final response', async () => {
    const server = await openStack({}, (stack) =>
      stack.onInvite((invite) => invite.respond(486, { reason: 'Asleep' })),
    );
    const client = await openStack();
    const rejection = await client.stack
      .invite({ ...base, method: 'INVITE', uri: target(server), body: OFFER })
      .catch((error) => error);
    expect(rejection).toBeInstanceOf(SipRejection);
    expect(rejection.response).toMatchObject({ status: 486, reason: 'Asleep' });
  });

  test('aborting an INVITE that rings sends CANCEL, which the callee hears of', async () => {
    const cancelled = new Inbox<string>();
    const abort = new AbortController();
    const server = await openStack({}, (stack) =>
      stack.onInvite((invite) => {
        invite.onCancel(() => cancelled.push('cancelled'));
        invite.respond(180);
        abort.abort();
      }),
    );
    const client = await openStack();
    const rejection = await client.stack
      .invite({ ...base, method: 'INVITE', uri: target(server), body: OFFER, signal: abort.signal })
      .catch((error) => error);
    expect(await cancelled.next()).toBe('cancelled');
    expect(rejection.response.status).toBe(487);
  });

  test('OPTIONS without a handler is answered 200 with what the stack can do', async () => {
    const server = await openStack({ supported: ['path'] }, (stack) => {
      stack.onRequest('MESSAGE', (request) => request.respond(200));
      stack.onInvite(() => {});
    });
    const client = await openStack();
    const response = await client.stack.request({ ...base, method: 'OPTIONS', uri: target(server) });
    expect(response.status).toBe(200);
    expect(headerValue(response, 'allow')).toBe('INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE');
    expect(headerValue(response, 'accept')).toBe('application/sdp');
    expect(headerValue(response, 'supported')).toBe('path');
  });
});

test('a stack that closes holds no transaction', async () => {
  const server = await openStack({}, (stack) => stack.onRequest('MESSAGE', () => {}));
  const client = await openStack();
  const pending = client.stack
    .request({ ...base, method: 'MESSAGE', uri: uriOf(server.tcp, ';transport=tcp') })
    .catch((error) => error);
  await expect.poll(() => server.stack.transactionCount).toBe(1);
  await server.stack.close();
  expect(await pending).toMatchObject({ status: 503 });
  expect(server.stack.transactionCount).toBe(0);
});
