/** What log lines hold and what they never hold. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLogger, logOf, perTurn } from '../../src/telemetry/logger.js';
import { maskLine } from '../../src/telemetry/masking.js';

function written(act: (log: ReturnType<typeof logOf>, logger: ReturnType<typeof createLogger>) => void) {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', output: { write: (line) => lines.push(line) } });
  act(logOf(logger), logger);
  return lines.map((line) => JSON.parse(line));
}

describe('a log line', () => {
  it('is one JSON object with time, level, message and fields', () => {
    const [line] = written((log) => log({ level: 'warn', message: 'lost', port: 5060 }));
    expect(line).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      port: 5060,
      msg: 'lost',
    });
  });

  it('carries the id that its log was bound to', () => {
    const [line] = written((_, logger) =>
      logOf(logger, { pushId: 'p1' })({ level: 'info', message: 'accepted' }),
    );
    expect(line).toMatchObject({ pushId: 'p1', msg: 'accepted' });
  });

  it('is not written below the level', () => {
    expect(written((log) => log({ level: 'debug', message: 'detail' }))).toEqual([]);
  });

  it.each([
    ['at the top', { authorization: 'Basic abc' }],
    ['among headers', { headers: { authorization: 'Basic abc', Authorization: 'Basic abc', cookie: 'abc' } }],
    ['deeper', { request: { headers: { 'proxy-authorization': 'Digest abc' } } }],
    ['as a password', { user: { password: 'abc' }, token: 'abc' }],
  ])('never holds a secret %s', (_, fields) => {
    const [line] = written((log) => log({ level: 'info', message: 'request', ...fields }));
    expect(JSON.stringify(line)).not.toContain('abc');
    expect(JSON.stringify(line)).toContain('[redacted]');
  });

  it('stars hardware numbers in fields, messages and bound fields alike (SIR-171)', () => {
    const lines = written((_, logger) =>
      logOf(logger, { terminal: 'urn:gsma:imei:90420156-025763-0' })({
        level: 'info',
        message: 'mac 00:24:be:80:4f:f1',
        contact: '<sip:a@b;gr=urn:gsma:imei:90420156-025763-0>',
      }),
    );
    expect(lines).toEqual([
      expect.objectContaining({
        terminal: 'urn:gsma:imei:90420156******',
        msg: 'mac 00:24:be:**',
        contact: '<sip:a@b;gr=urn:gsma:imei:90420156******>',
      }),
    ]);
  });
});

describe('masking', () => {
  it.each([
    ['urn:gsma:imei:904201560257630', 'urn:gsma:imei:90420156******'],
    ['URN:GSMA:IMEISV:90420156-025763-42', 'URN:GSMA:IMEISV:90420156******'],
    ['/device=urn%3Agsma%3Aimei%3A90420156-025763-0/TYPE', '/device=urn%3Agsma%3Aimei%3A90420156******/TYPE'],
    ['urn:device-id:meid:a0000012-345678-0', 'urn:device-id:meid:a0000012******'],
    ['urn:dev:mac:0024befffe804ff1', 'urn:dev:mac:0024be******'],
    ['00-24-BE-80-4F-F1', '00-24-BE-**'],
    ['00:24:be:ff:fe:80:4f:f1', '00:24:be:**'],
  ])('turns %s into %s', (text, masked) => {
    expect(maskLine(text)).toBe(masked);
  });

  it.each([
    'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    '2001:db8:0:0:0:0:0:1',
    '2026-11-20T18:00:00.000Z',
    'tel:+436641234567',
    'sha256 ab:cd:ef:01:23:45:67:89:ab:cd',
  ])('leaves %s as it is', (text) => {
    expect(maskLine(text)).toBe(text);
  });
});

describe('lines of one turn of the event loop', () => {
  it('are written together, in order, and the next ones after them', async () => {
    const writes: string[] = [];
    const output = perTurn({ write: (text) => writes.push(text) });
    output.write('one\n');
    output.write('two\n');
    expect(writes).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    output.write('three\n');
    await new Promise((resolve) => setImmediate(resolve));
    expect(writes).toEqual(['one\ntwo\n', 'three\n']);
  });

  it('go on after a write that failed', () => {
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    onTestFinished(() => void vi.useRealTimers());
    const writes: string[] = [];
    let isBroken = true;
    const output = perTurn({
      write(text) {
        if (isBroken) throw new Error('no space left');
        writes.push(text);
      },
    });
    output.write('lost\n');
    expect(() => vi.runAllTimers()).toThrow('no space left');
    isBroken = false;
    output.write('there\n');
    vi.runAllTimers();
    expect(writes).toEqual(['there\n']);
  });
});
