/** What a connection to an SMSC leaves behind when it ends. */
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { SmppConnection } from '../../../src/transports/smpp/smpp-connection.js';
import { atRest, FakeClock } from '../../support/fake-clock.js';

/** The other side reads nothing: what is written never goes out. */
class UnreadSocket extends Socket {
  override _write(): void {}
  override _writev(): void {}
  override _final(): void {}
}

it('to an SMSC that reads nothing is no socket', async () => {
  const clock = new FakeClock();
  const socket = new UnreadSocket();
  const reasons: string[] = [];
  const owner = { delivered: async () => 0, closed: (reason: string) => reasons.push(reason) };
  const connection = new SmppConnection(socket, owner, {
    responseTimeoutMs: 1000,
    enquireLinkMs: 60_000,
    clock,
  });
  const asked = connection.request('enquire_link', {}).catch(() => 'unanswered');
  await atRest();
  connection.close('enough');
  expect(await asked).toBe('unanswered');
  await clock.advance(1999);
  expect([socket.destroyed, reasons]).toEqual([false, ['enough']]);
  await clock.advance(1);
  expect(socket.destroyed).toBe(true);
  await atRest();
  expect(clock.pending).toBe(0);
});
