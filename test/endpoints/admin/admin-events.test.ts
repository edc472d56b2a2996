/** The live events of the admin API: server-sent events over real HTTP, and one reader's stream by itself. */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EVENT_STREAM_LIMITS, openEventStream } from '../../../src/endpoints/admin/event-stream.js';
import { MAX_EVENT_READERS } from '../../../src/endpoints/admin/events.js';
import { EventFeed, type GatewayEvent } from '../../../src/telemetry/events.js';
import { RecentEvents } from '../../../src/telemetry/recent-events.js';
import { AdminRig, TOKEN } from '../../support/admin.js';

const PATH = '/admin/v1/events';
const opened = (session: string): GatewayEvent => ({
  level: 'info',
  message: 'push session opened',
  type: 'session.opened',
  terminal: 't',
  session,
});

let rig: AdminRig;
const hangUp = new Set<AbortController>();
beforeEach(async () => {
  rig = await AdminRig.start();
});
afterEach(async () => {
  for (const reader of hangUp) reader.abort();
  hangUp.clear();
  await rig[Symbol.asyncDispose]();
});

interface Reader {
  readonly response: Response;
  /** Everything so far, as soon as it contains this. */
  until(text: string): Promise<string>;
  /** Everything, once the gateway has ended the stream. */
  ended(): Promise<string>;
  leave(): void;
}

async function follow(query = '', headers: Record<string, string> = {}): Promise<Reader> {
  const leaving = new AbortController();
  hangUp.add(leaving);
  const response = await fetch(`${rig.url}${PATH}${query}`, {
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    signal: leaving.signal,
  });
  const chunks = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const more = async () => {
    const { value = '', done = true } = (await chunks?.read()) ?? {};
    text += value;
    return !done;
  };
  return {
    response,
    async until(wanted) {
      while (!text.includes(wanted)) if (!(await more())) throw new Error(`ended with ${text}`);
      return text;
    },
    async ended() {
      while (await more());
      return text;
    },
    leave: () => leaving.abort(),
  };
}

describe('the live events', () => {
  it('are server-sent events that nobody keeps', async () => {
    const { response } = await follow();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('come as they happen, with id, type and the fields of the log (SIR-170)', async () => {
    const reader = await follow();
    await reader.until('retry: 2000\n\n');
    rig.events.publish(opened('s1'));
    const data = '{"at":"2026-03-01T08:00:00.000Z","terminal":"t","session":"s1"}';
    expect(await reader.until('"s1"')).toContain(`id: gw-1.0\nevent: session.opened\ndata: ${data}\n\n`);
  });

  it('tell of every change through this API', async () => {
    const reader = await follow();
    await reader.until('retry');
    await rig.ask('PUT', '/admin/v1/users/sip%3Aalice%40example.test', { body: {} });
    expect(await reader.until('admin.change')).toMatch(/"what":"user\.put".*"result":"created"/);
  });

  it('can be narrowed to some types', async () => {
    const reader = await follow('?types=session.closed,result.sent');
    await reader.until('retry');
    rig.events.publish(opened('s1'));
    rig.events.publish({
      level: 'info',
      message: '',
      type: 'session.closed',
      terminal: 't',
      session: 's2',
      reason: '',
    });
    expect(await reader.until('"s2"')).not.toContain('"s1"');
  });

  it('know no other types than there are', async () => {
    const answer = await rig.ask('GET', `${PATH}?types=push.accepted,push`);
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toMatch(/^query parameter "types": has to be some of push\.accepted, /);
  });

  it('need the token', async () => {
    expect((await rig.ask('GET', PATH, { headers: { authorization: undefined } })).status).toBe(401);
  });

  it('start with what a reader has missed that comes back', async () => {
    for (const session of ['s0', 's1', 's2']) rig.events.publish(opened(session));
    const reader = await follow('', { 'last-event-id': 'gw-1.0' });
    const text = await reader.until('"s2"');
    expect(text).not.toContain('"s0"');
    expect(text).not.toContain('events.missed');
    expect(text.indexOf('"s1"')).toBeLessThan(text.indexOf('"s2"'));
  });

  it.each(['gw-1.0', 'gw-0.3', 'nonsense'])(
    'say so when not everything after %j can be told',
    async (lastEventId) => {
      for (let count = 0; count < 8; count += 1) rig.events.publish(opened(`s${count}`)); // the rig keeps five
      const text = await (await follow('', { 'last-event-id': lastEventId })).until('"s7"');
      expect(text).toMatch(/^retry: 2000\n\nevent: events\.missed\ndata: \{\}\n\nid: gw-1\.3\n/);
    },
  );

  it('have hardware numbers starred', async () => {
    const reader = await follow();
    await reader.until('retry');
    rig.events.publish(opened('urn:gsma:imei:35209900-176148-1'));
    expect(await reader.until('session.opened\ndata')).not.toContain('176148');
  });

  it('are told to a bounded number of readers; who leaves makes room', async () => {
    const readers = await Promise.all(Array.from({ length: MAX_EVENT_READERS }, () => follow()));
    const refused = await rig.ask('GET', PATH);
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    readers[0]?.leave();
    let status = 503;
    while (status === 503) status = (await follow()).response.status;
    expect(status).toBe(200);
  });

  it('end with a comment when the gateway stops', async () => {
    const reader = await follow();
    rig.stopping.abort();
    expect(await reader.ended()).toMatch(/: the gateway is stopping\n\n$/);
  });
});

describe('the stream of one reader', () => {
  const feed = new EventFeed();
  const events = new RecentEvents(feed, { now: () => 0, process: 'gw', size: 10 });
  const open = (limits = {}): Readable =>
    openEventStream(
      { events, stopping: new AbortController().signal },
      { ...EVENT_STREAM_LIMITS, ...limits },
    ).setEncoding('utf8');

  async function everything(stream: Readable): Promise<string> {
    let text = '';
    for await (const chunk of stream) text += chunk;
    return text;
  }

  it('has a comment from time to time', async () => {
    const stream = open({ heartbeatMs: 1 });
    let text = '';
    for await (const chunk of stream) {
      text += chunk;
      if (text.includes(':\n\n')) break;
    }
    expect(text).toBe('retry: 2000\n\n:\n\n');
  });

  it('is cut off with a comment when it is not read', async () => {
    const stream = open({ maxWaiting: 1000 });
    for (let count = 0; count < 100; count += 1) feed.publish(opened(`s${count}`));
    const text = await everything(stream);
    expect(text).toMatch(/: cut off: events were taken too slowly\n\n$/);
    expect(text.length).toBeLessThan(1300);
  });

  it('is given up when its reader does not even take the farewell', async () => {
    const stream = open({ maxWaiting: 0, farewellMs: 1 });
    feed.publish(opened('s'));
    await once(stream, 'close');
    expect(stream.destroyed).toBe(true);
  });

  it('listens no more once its reader is gone', async () => {
    const stream = open();
    stream.destroy();
    await once(stream, 'close');
    const { readableLength } = stream;
    expect(() => feed.publish(opened('s'))).not.toThrow();
    expect(stream.readableLength).toBe(readableLength);
  });
});
