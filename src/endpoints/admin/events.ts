/**
 * `GET /admin/v1/events`: what happens in this gateway process, as it happens. Other processes on the same Redis have streams of
 * their own; nothing is passed between them for this.
 */
import { setMaxListeners } from 'node:events';
import type { Router } from '@koa/router';
import { DecodeError, RefusedError } from '../../kernel/errors.js';
import { EVENT_TYPES, type EventType } from '../../telemetry/events.js';
import { query } from '../http/query.js';
import { openEventStream } from './event-stream.js';
import type { AdminPorts } from './ports.js';

/** Readers at a time. */
export const MAX_EVENT_READERS = 16;
const MAX_ID_LENGTH = 128;

export function eventRoutes(router: Router, ports: AdminPorts): void {
  let readers = 0;

  router.get('/admin/v1/events', async (ctx) => {
    const { types } = query(ctx, ['types']);
    const wanted = types === undefined ? undefined : eventTypes(types);
    const lastEventId = ctx.get('Last-Event-ID').slice(0, MAX_ID_LENGTH);
    if (readers >= MAX_EVENT_READERS) {
      throw new RefusedError(
        'busy',
        `no more than ${MAX_EVENT_READERS} readers of events at a time`,
        'later',
      );
    }
    setMaxListeners(MAX_EVENT_READERS + 1, ports.stopping); // each reader waits for it
    const stream = openEventStream({
      events: ports.events,
      stopping: ports.stopping,
      ...(wanted === undefined ? {} : { types: wanted }),
      ...(lastEventId === '' ? {} : { lastEventId }),
    });
    readers += 1;
    stream.once('close', () => {
      readers -= 1;
    });
    ctx.set('Content-Type', 'text/event-stream; charset=utf-8');
    ctx.set('X-Accel-Buffering', 'no'); // proxies that know it pass every event on at once
    ctx.body = stream;
  });
}

function eventTypes(text: string): ReadonlySet<EventType> {
  return new Set(
    text.split(',').map((name) => {
      const type = EVENT_TYPES.find((known) => known === name);
      if (type === undefined) {
        throw new DecodeError(`query parameter "types": has to be some of ${EVENT_TYPES.join(', ')}`);
      }
      return type;
    }),
  );
}
