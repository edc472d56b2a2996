/**
 * One reader of the live events: a stream of server-sent events (WHATWG HTML §9.2). Never ends by itself; it is ended, with a
 * comment that says why, when the gateway stops and when its reader takes events more slowly than they happen: a reader must
 * not make the gateway keep what it does not read.
 */
import { PassThrough, type Readable } from 'node:stream';
import { KIB, SECOND_MS } from '../../kernel/units.js';
import type { EventType } from '../../telemetry/events.js';
import { maskLine } from '../../telemetry/masking.js';
import type { RecentEvents, RecordedEvent } from '../../telemetry/recent-events.js';
import { formatInstant } from '../http/instant.js';

export interface EventStreamOptions {
  readonly events: Pick<RecentEvents, 'follow' | 'after'>;
  /** Undefined: all. */
  readonly types?: ReadonlySet<EventType>;
  /** The last event that the reader has seen. */
  readonly lastEventId?: string;
  readonly stopping: AbortSignal;
}

export interface EventStreamLimits {
  /** A comment is sent so often, so that both ends notice a dead connection. */
  readonly heartbeatMs: number;
  /** Octets that wait for the reader, beside those in the buffers of its socket. */
  readonly maxWaiting: number;
  /** How long a reader that was cut off has for what waits for it. */
  readonly farewellMs: number;
}

export const EVENT_STREAM_LIMITS: EventStreamLimits = {
  heartbeatMs: 15 * SECOND_MS,
  maxWaiting: 256 * KIB,
  farewellMs: 5 * SECOND_MS,
};

/** How soon a reader that lost its connection should come back, in milliseconds. */
const RETRY_MS = 2000;

/** The stream, in UTF-8. It stops listening when it is ended or destroyed. */
export function openEventStream(
  options: EventStreamOptions,
  limits: EventStreamLimits = EVENT_STREAM_LIMITS,
): Readable {
  const { events, types, lastEventId, stopping } = options;
  const stream = new PassThrough();
  let isOver = false;

  const send = (text: string) => {
    if (isOver) return;
    if (stream.readableLength + stream.writableLength > limits.maxWaiting) {
      return end('cut off: events were taken too slowly');
    }
    stream.write(text);
  };
  const sendEvent = (recorded: RecordedEvent) => {
    if (types === undefined || types.has(recorded.event.type)) send(eventText(recorded));
  };
  const stop = () => {
    isOver = true;
    clearInterval(heartbeat);
    unfollow();
    stopping.removeEventListener('abort', whenStopping);
  };
  const end = (why: string) => {
    if (isOver) return;
    stop();
    stream.end(`: ${why}\n\n`);
    setTimeout(() => stream.destroy(), limits.farewellMs).unref();
  };
  const whenStopping = () => end('the gateway is stopping');

  const heartbeat = setInterval(() => send(':\n\n'), limits.heartbeatMs);
  const unfollow = events.follow(sendEvent);
  stopping.addEventListener('abort', whenStopping);
  stream.once('close', stop);

  send(`retry: ${RETRY_MS}\n\n`);
  if (lastEventId !== undefined) {
    const missed = events.after(lastEventId);
    if (!missed.isComplete) send('event: events.missed\ndata: {}\n\n');
    for (const recorded of missed.events) sendEvent(recorded);
  }
  if (stopping.aborted) whenStopping();
  return stream;
}

/** Level and message are for the log; identities are masked as they are there. JSON has no line breaks of its own. */
function eventText({ id, at, event }: RecordedEvent): string {
  const { type, level: _, message: __, ...fields } = event;
  const line = maskLine(JSON.stringify({ at: formatInstant(at), ...fields })).trimEnd();
  return `id: ${id}\nevent: ${type}\ndata: ${line}\n\n`;
}
