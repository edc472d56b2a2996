/** What makes the process stop, and that it always does. */
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ProcessEdge, watchProcess } from '../../src/app/process-edge.js';
import type { LogEvent } from '../../src/telemetry/log.js';

let source: EventEmitter;
let exits: number[];
let events: LogEvent[];
let edge: ProcessEdge;

beforeEach(() => {
  vi.useFakeTimers();
  source = new EventEmitter();
  exits = [];
  events = [];
  edge = watchProcess({
    log: (event) => events.push(event),
    deadlineMs: 10_000,
    exit: (status) => exits.push(status),
    source,
  });
});

afterEach(() => {
  edge[Symbol.dispose]();
  vi.useRealTimers();
});

describe('the edge of the process', () => {
  it.each(['SIGTERM', 'SIGINT'])('is asked to stop by %s, and ends with 0', async (signal) => {
    source.emit(signal, signal);
    expect(await edge.stop).toBe(signal);
    expect([edge.exitStatus, exits]).toEqual([0, []]);
  });

  it('takes a signal that npm repeats for the same one', () => {
    source.emit('SIGINT', 'SIGINT');
    vi.advanceTimersByTime(100);
    source.emit('SIGINT', 'SIGINT');
    expect(exits).toEqual([]);
  });

  it('ends at once on a second signal', () => {
    source.emit('SIGINT', 'SIGINT');
    vi.advanceTimersByTime(1000);
    source.emit('SIGINT', 'SIGINT');
    expect(exits).toEqual([1]);
  });

  it('ends when the deadline has passed', () => {
    source.emit('SIGTERM', 'SIGTERM');
    vi.advanceTimersByTime(9999);
    expect(exits).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(exits).toEqual([1]);
  });

  it('stops in order on an error that nobody caught, logs it in one line, and ends with 70', async () => {
    source.emit('uncaughtException', new Error('broken'));
    expect(await edge.stop).toBe('uncaught error');
    expect(edge.exitStatus).toBe(70);
    expect(events).toEqual([
      expect.objectContaining({ level: 'fatal', message: 'uncaught error', reason: 'broken' }),
    ]);
  });

  it('keeps the status of an error that comes while it stops', () => {
    source.emit('SIGTERM', 'SIGTERM');
    source.emit('uncaughtException', new Error('broken'));
    expect(edge.exitStatus).toBe(70);
  });

  it('leaves nothing behind', () => {
    edge[Symbol.dispose]();
    expect(source.eventNames()).toEqual([]);
  });
});
