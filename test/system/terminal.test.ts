/** The reference terminal over real sockets, against a gateway that does what the test says. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomBytes, systemClock } from '../../src/app/system-clock.js';
import type { SiaExtension } from '../../src/protocols/sia/index.js';
import { contactsOf, headerValue, instanceOf } from '../../src/protocols/sip/index.js';
import { ReferenceTerminal } from '../../src/terminal/reference-terminal.js';
import type { TerminalEvent } from '../../src/terminal/terminal-events.js';
import type { TerminalOptions } from '../../src/terminal/terminal-options.js';
import { PPG_URI, ScriptedGateway } from '../support/scripted-gateway.js';

const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const PC = 'urn:uuid:00000000-0000-4000-8000-0000000000bb';
const SOON = { timeoutMs: 45_000 };

let gateway: ScriptedGateway;
let directory: string;
const started: ReferenceTerminal[] = [];

beforeEach(async () => {
  gateway = await ScriptedGateway.start();
  directory = await mkdtemp(join(tmpdir(), 'carillon-terminal-'));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((terminal) => terminal.abandon()));
  await gateway.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Partial<TerminalOptions> = {}, events: TerminalEvent[] = []) {
  const terminal = await ReferenceTerminal.start(
    { user: 'sip:alice@carillon.test', instance: PHONE, registrar: gateway.registrar, ...options },
    { clock: systemClock, randomBytes, log: () => undefined, product: 'terminal test' },
    (event) => events.push(event),
  );
  started.push(terminal);
  return terminal;
}

function extension(fields: Partial<SiaExtension> = {}): { extension: SiaExtension } {
  return {
    extension: {
      identities: [PHONE],
      publicUserIdentity: 'sip:alice@carillon.test',
      return: [],
      send: [],
      unknown: [],
      ...fields,
    },
  };
}

describe('registration', () => {
  it('carries the instance, the feature tags and the supported extensions', async () => {
    await start({ features: ['+g.oma.pusheventapp="push.sia"'], regId: 1 });
    const [register] = gateway.registers;
    if (register === undefined) throw new Error('no REGISTER');
    const contacts = contactsOf(register);
    const parameters = contacts === '*' ? [] : (contacts[0]?.parameters ?? []);
    expect(instanceOf(parameters)).toBe(PHONE);
    expect(parameters).toContainEqual({ name: '+g.oma.pusheventapp', value: '"push.sia"' });
    expect(parameters).toContainEqual({ name: 'reg-id', value: '1' });
    expect(headerValue(register, 'supported')).toBe('path, gruu, outbound');
    expect(register.uri).toBe('sip:carillon.test');
  });

  it('asks for longer when the registrar finds the time too brief', async () => {
    gateway.onRegister = (request) => {
      if (headerValue(request.message, 'expires') !== '30') return false;
      request.respond(423, { headers: [{ name: 'Min-Expires', value: '60' }] });
      return true;
    };
    await start({ expiresSeconds: 30 });
    expect(gateway.registers.map((register) => headerValue(register, 'expires'))).toEqual(['30', '60']);
  });

  it('is refreshed before it lapses, with the same Call-ID and a higher CSeq', async () => {
    const terminal = await start({ expiresSeconds: 1 });
    await terminal.next('registered', SOON);
    const [first, second] = gateway.registers;
    expect(second && headerValue(second, 'call-id')).toBe(first && headerValue(first, 'call-id'));
    expect(Number.parseInt((second && headerValue(second, 'cseq')) ?? '', 10)).toBeGreaterThan(
      Number.parseInt((first && headerValue(first, 'cseq')) ?? '', 10),
    );
  });

  it('is taken back when the terminal closes, and not when it vanishes', async () => {
    const [polite, crashed] = [await start(), await start()];
    await crashed.abandon();
    await polite.close();
    expect(gateway.registers.map((register) => headerValue(register, 'expires'))).toEqual([
      '3600',
      '3600',
      '0',
    ]);
  });

  it('says what is wrong when the registrar does not know the user', async () => {
    gateway.onRegister = (request) => {
      request.respond(404);
      return true;
    };
    await expect(start()).rejects.toThrow(/sip:alice@carillon.test is not known there/);
  });

  it('is made again when its connection closes', async () => {
    await gateway.close();
    gateway = await ScriptedGateway.start('tcp');
    const { port } = gateway.registrar;
    const terminal = await start();
    const again = terminal.next('registered', SOON);
    await gateway.close();
    gateway = await ScriptedGateway.start('tcp', port);
    await again;
    expect(gateway.registers).toHaveLength(1);
  });
});

describe('push session', () => {
  it('follows a SIR that names this terminal: INVITE with instance, cited SIR and MSRP offer (SIR-152)', async () => {
    await start();
    const response = await gateway.sendSir(extension({ id: 't1.abc', ppg: PPG_URI }));
    const session = await gateway.session();
    expect(response.status).toBe(200);
    expect(session.invite.uri).toBe(PPG_URI);
    expect(headerValue(session.invite, 'from')).toMatch(/^<sip:alice@carillon\.test>;tag=/);
    expect(headerValue(session.invite, 'in-reply-to')).toBe('t1.abc');
    const contacts = contactsOf(session.invite);
    expect(contacts === '*' ? '' : instanceOf(contacts[0]?.parameters ?? [])).toBe(PHONE);
    expect(session.media).toMatchObject({ setup: 'active', acceptTypes: ['*'], isSecure: false });
    expect(session.media.path).toHaveLength(1);
  });

  it('connects to the sender when the SIR has no address of its own (SIR-58)', async () => {
    await start();
    await gateway.sendSir(extension(), { from: '<sip:other-ppg@operator.test>' });
    expect((await gateway.session()).invite.uri).toBe('sip:other-ppg@operator.test');
  });

  it('receives content byte for byte, in many chunks, with its headers', async () => {
    const terminal = await start();
    await gateway.sendSir(extension());
    const session = await gateway.session();
    const bytes = Buffer.alloc(700_000, 'carillon\r\n\0');
    const arrived = terminal.next('content', SOON);
    const outcome = await session.send({
      messageId: 'push-1',
      contentType: 'application/vnd.wap.mms-message',
      headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }],
      content: bytes,
    });
    const { content, isDuplicate } = await arrived;
    expect(outcome.kind).toBe('confirmed');
    expect(isDuplicate).toBe(false);
    expect(content.contentType).toBe('application/vnd.wap.mms-message');
    expect(content.headers).toContainEqual({
      name: 'X-Wap-Application-Id',
      value: 'x-wap-application:mms.ua',
    });
    expect(content.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(Buffer.compare(content.bytes, bytes)).toBe(0);
  });

  it('acknowledges a repetition and reports it as one', async () => {
    const events: TerminalEvent[] = [];
    await start({}, events);
    await gateway.sendSir(extension());
    const session = await gateway.session();
    for (let time = 0; time < 2; time += 1) {
      expect((await session.send({ messageId: 'push-1', content: Buffer.from('x') })).kind).toBe('confirmed');
    }
    expect(events.flatMap((event) => (event.kind === 'content' ? [event.isDuplicate] : []))).toEqual([
      false,
      true,
    ]);
  });

  it('recognises content and SIRs from before a restart', async () => {
    const statePath = join(directory, 'state');
    const first = await start({ statePath });
    await gateway.sendSir(extension({ id: 't1.abc' }));
    await (await gateway.session()).send({ messageId: 'push-1', content: Buffer.from('x') });
    await first.abandon();
    gateway.sessions.length = 0;

    const events: TerminalEvent[] = [];
    const second = await start({ statePath }, events);
    await gateway.sendSir(extension({ id: 't1.abc' }));
    await gateway.sendSir(extension({ id: 't1.def' }));
    const content = second.next('content', SOON);
    await (await gateway.session()).send({ messageId: 'push-1', content: Buffer.from('x') });
    expect((await content).isDuplicate).toBe(true);
    expect(events.flatMap((event) => (event.kind === 'sir' ? [event.judgement.reason] : []))).toEqual([
      'duplicate',
      'matched',
    ]);
  });

  it('leaves content unacknowledged that the application could not keep', async () => {
    await start({ take: () => Promise.reject(new Error('disk full')) });
    await gateway.sendSir(extension());
    const outcome = await (await gateway.session()).send({ messageId: 'push-1', content: Buffer.from('x') });
    expect(outcome).toMatchObject({ kind: 'refused', status: 408 });
  });

  it('does not open a second session for a second SIR (SIR-130)', async () => {
    const events: TerminalEvent[] = [];
    await start({}, events);
    await gateway.sendSir(extension({ id: 't1.a' }));
    await gateway.session();
    expect((await gateway.sendSir(extension({ id: 't1.b' }))).status).toBe(200);
    expect(events.flatMap((event) => (event.kind === 'sir' ? [event.judgement.reason] : []))).toEqual([
      'matched',
      'alreadyConnected',
    ]);
    expect(gateway.invites).toHaveLength(1);
  });

  it('ends by BYE of the gateway', async () => {
    const terminal = await start();
    await gateway.sendSir(extension());
    const { dialog } = await gateway.session();
    const closed = terminal.next('closed', SOON);
    await dialog.bye();
    await closed;
    expect(terminal.isConnected).toBe(false);
  });

  it('ends by BYE of the terminal', async () => {
    const terminal = await start();
    await gateway.sendSir(extension());
    const { dialog } = await gateway.session();
    const ended = new Promise((resolve) => dialog.onEnd(resolve));
    await terminal.close();
    await ended;
  });

  it('opens a broken session again when it is told to', async () => {
    const terminal = await start({ policy: { reconnectDelayMs: 1 } });
    const first = terminal.next('connected', SOON);
    await gateway.sendSir(extension({ id: 't1.abc' }));
    await first;
    const again = terminal.next('connected', SOON);
    await gateway.breakSessions();
    expect((await again).sirId).toBe('t1.abc');
    expect(gateway.invites).toHaveLength(2);
  });

  it('stays away after a broken session when it is not', async () => {
    const terminal = await start();
    const connected = terminal.next('connected', SOON);
    await gateway.sendSir(extension());
    await connected;
    const closed = terminal.next('closed', SOON);
    await gateway.breakSessions();
    await closed;
    expect(terminal.isConnected).toBe(false);
    expect(gateway.invites).toHaveLength(1);
  });

  it('keeps trying while the gateway that broke the session is not back', async () => {
    const terminal = await start({ policy: { reconnectDelayMs: 1 } });
    const first = terminal.next('connected', SOON);
    await gateway.sendSir(extension());
    await first;
    gateway.inviteStatus = 503;
    const failed = terminal.next('error', SOON);
    await gateway.breakSessions();
    await failed;
    const again = terminal.next('connected', SOON);
    gateway.inviteStatus = undefined;
    await again;
  });

  it('reports a gateway that refuses', async () => {
    const terminal = await start();
    gateway.inviteStatus = 403;
    const failed = terminal.next('error', SOON);
    await gateway.sendSir(extension());
    expect((await failed).reason).toBe('the INVITE was answered 403 Forbidden');
    expect(terminal.isConnected).toBe(false);
  });

  it('waits for its caller when sessions are opened by hand', async () => {
    const terminal = await start({ policy: { connect: 'manually' } });
    const sir = terminal.next('sir', SOON);
    await gateway.sendSir(extension({ ppg: PPG_URI }));
    expect((await sir).judgement.reason).toBe('leftToCaller');
    expect(gateway.invites).toHaveLength(0);
    await terminal.connect();
    expect(gateway.invites.map(({ uri }) => uri)).toEqual([PPG_URI]);
  });

  it('follows a SIR that came by short message', async () => {
    const { encodeSia } = await import('../../src/protocols/sia/index.js');
    const { fullSia } = await import('../support/scripted-gateway.js');
    const terminal = await start();
    const judged = await terminal.receiveSia(
      encodeSia(fullSia(extension({ ppg: PPG_URI, id: 't1.sms' }))),
      'sms',
    );
    expect(judged.reason).toBe('matched');
    expect(headerValue((await gateway.session()).invite, 'in-reply-to')).toBe('t1.sms');
  });
});

describe('judgement on the wire', () => {
  it('acknowledges a SIR for another device and stays silent (SIR-129)', async () => {
    const events: TerminalEvent[] = [];
    await start({ instance: PC }, events);
    expect((await gateway.sendSir(extension())).status).toBe(200);
    expect(events.at(-1)).toMatchObject({ kind: 'sir', judgement: { reason: 'otherDevice' } });
    expect(gateway.invites).toHaveLength(0);
  });

  it('recognises itself by the identity in To, without a body (Table 1)', async () => {
    const terminal = await start();
    const sir = terminal.next('sir', SOON);
    await gateway.sendMessage('application/vnd.wap.sia', new Uint8Array(), {
      to: `<sip:alice@carillon.test;gr=${PHONE}>`,
    });
    expect((await sir).judgement.reason).toBe('matched');
  });

  it('recognises the GRUU that the registrar gave it', async () => {
    gateway.onRegister = (request) => {
      const contact = headerValue(request.message, 'contact');
      const value = `${contact};expires=60;temp-gruu="sip:tgruu.7hatz6cn@carillon.test;gr"`;
      request.respond(200, { headers: [{ name: 'Contact', value }] });
      return true;
    };
    const terminal = await start();
    const sir = terminal.next('sir', SOON);
    await gateway.sendSir(extension({ identities: [] }), { to: '<sip:tgruu.7hatz6cn@carillon.test;gr>' });
    expect((await sir).judgement.reason).toBe('matched');
  });

  it('takes a SIR for an identity that the registrar registered along', async () => {
    gateway.onRegister = (request) => {
      const contact = `${headerValue(request.message, 'contact')};expires=60`;
      const associated = '<sip:alice@carillon.test>, <tel:+43664>, <urn:service:sos>';
      request.respond(200, {
        headers: [
          { name: 'Contact', value: contact },
          { name: 'P-Associated-URI', value: associated },
        ],
      });
      return true;
    };
    const terminal = await start();
    const sir = terminal.next('sir', SOON);
    await gateway.sendSir(extension({ identities: [], publicUserIdentity: 'tel:+43-664' }));
    expect((await sir).judgement.reason).toBe('accepted');
  });

  it('answers 603 with a reason when the user says no and the sender wants to know (SIR-136, SIR-156)', async () => {
    await start({ policy: { askUser: () => Promise.resolve('reject') } });
    const response = await gateway.sendSir(extension({ return: ['rejection'] }));
    expect(response.status).toBe(603);
    expect(headerValue(response, 'reason')).toBe('SIP;cause=603;text="The user declined"');
  });

  it('answers 480 when the user does not answer', async () => {
    await start({ policy: { askUser: () => new Promise(() => undefined), askUserTimeoutMs: 1 } });
    expect((await gateway.sendSir(extension({ return: ['rejection'] }))).status).toBe(480);
  });

  it('answers 400 to a SIR that cannot be read', async () => {
    await start();
    expect((await gateway.sendMessage('application/vnd.wap.sia', Buffer.from([9, 9]))).status).toBe(400);
  });

  it('takes a SIR from its registrar alone when safety is on', async () => {
    const stranger = await ScriptedGateway.start();
    try {
      const events: TerminalEvent[] = [];
      await start({ policy: { safety: { allowedGateways: [PPG_URI] } } }, events);
      stranger.flow = gateway.flow;
      expect((await stranger.sendSir(extension({ id: 't1.forged' }))).status).toBe(200);
      expect(events.at(-1)).toMatchObject({ kind: 'sir', judgement: { reason: 'unvouchedSender' } });
    } finally {
      await stranger.close();
    }
  });
});

describe('returns', () => {
  it('come after the session, once for each kind (SIR-56, SIR-132, SIR-153, C-19)', async () => {
    const terminal = await start({ policy: { information: { capability: { maxSize: 100 } } } });
    const registered = terminal.next('returned', {
      ...SOON,
      matches: (event) => event.information === 'registration',
    });
    await gateway.sendSir(
      extension({ id: 't1.r', return: ['capability', 'security'], send: ['capability', 'registration'] }),
    );
    await registered;
    expect(gateway.sessions).toHaveLength(1);
    const bodies = gateway.messages.map(({ body }) => JSON.parse(Buffer.from(body).toString()) as unknown);
    expect(bodies).toEqual([
      { kind: 'capability', sir: 't1.r', device: PHONE, information: { maxSize: 100 } },
      { kind: 'security', sir: 't1.r', device: PHONE, information: null },
    ]);
    expect(gateway.messages.map((message) => headerValue(message, 'in-reply-to'))).toEqual(['t1.r', 't1.r']);
    expect(gateway.registers).toHaveLength(2);
  });

  it('hold what the activated application says (SIR-98)', async () => {
    const activated: string[] = [];
    const terminal = await start({
      policy: {
        activate: (application) => {
          activated.push(`${application.id} ${application.name}`);
          return Promise.resolve({ subscription: ['news'] });
        },
      },
    });
    const returned = terminal.next('returned', SOON);
    await gateway.sendSir(
      extension({ application: { id: 'x-oma-application:dcd.ua', name: 'DCD' }, return: ['subscription'] }),
    );
    await returned;
    expect(activated).toEqual(['x-oma-application:dcd.ua DCD']);
    expect(JSON.parse(Buffer.from(gateway.messages[0]?.body ?? []).toString())).toEqual({
      kind: 'subscription',
      device: PHONE,
      information: ['news'],
    });
  });
});

describe('content by MESSAGE', () => {
  it('is taken, and a repetition is told by its Call-ID', async () => {
    const events: TerminalEvent[] = [];
    await start({}, events);
    const options = { callId: 'push-7', headers: [{ name: 'X-Wap-Application-Id', value: 'wml.ua' }] };
    for (let time = 0; time < 2; time += 1) {
      const response = await gateway.sendMessage('text/plain', Buffer.from('hello'), options);
      expect(response.status).toBe(200);
    }
    const content = events.flatMap((event) => (event.kind === 'content' ? [event] : []));
    expect(content.map(({ isDuplicate }) => isDuplicate)).toEqual([false, true]);
    expect(content[0]?.content).toMatchObject({
      id: 'push-7',
      via: 'message',
      contentType: 'text/plain',
      headers: [{ name: 'X-Wap-Application-Id', value: 'wml.ua' }],
      size: 5,
    });
  });

  it('is a repetition of what came in a session under the same id', async () => {
    const events: TerminalEvent[] = [];
    await start({}, events);
    await gateway.sendSir(extension());
    await (await gateway.session()).send({ messageId: 'push-7', content: Buffer.from('hello') });
    await gateway.sendMessage('text/plain', Buffer.from('hello'), { callId: 'push-7' });
    expect(events.at(-1)).toMatchObject({ kind: 'content', isDuplicate: true });
  });

  it('is refused in profile S1 with the types that are taken', async () => {
    await start({ profile: 'S1' });
    const response = await gateway.sendMessage('text/plain', Buffer.from('hello'));
    expect(response.status).toBe(415);
    expect(headerValue(response, 'accept')).toBe('application/vnd.wap.sia');
  });

  it('is asked for in profile S2 by registering again, not by a session (SIR-159)', async () => {
    const terminal = await start({ profile: 'S2' });
    const again = terminal.next('registered', SOON);
    await gateway.sendSir(extension());
    await again;
    expect(gateway.registers).toHaveLength(2);
    expect(gateway.invites).toHaveLength(0);
  });
});
