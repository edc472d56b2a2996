/** Ports that were free when they were looked for and are not when they are bound. */
import { expect, it } from 'vitest';
import { atFreePorts } from '../../src/app/listening.js';

const refused = (code: string) => Object.assign(new Error(`listen ${code}`), { code });

it('looks for other ports while those that it found are taken', async () => {
  const ports = [5070, 5071, 5072];
  const opened = await atFreePorts(async () => {
    const port = ports.shift();
    if (port !== 5072) throw refused('EADDRINUSE');
    return port;
  });
  expect(opened).toBe(5072);
});

it('gives up after ten', async () => {
  let tries = 0;
  const opening = atFreePorts(async () => {
    tries += 1;
    throw refused('EADDRINUSE');
  });
  await expect(opening).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(tries).toBe(10);
});

it('does not try again for any other reason', async () => {
  let tries = 0;
  const opening = atFreePorts(async () => {
    tries += 1;
    throw refused('EACCES');
  });
  await expect(opening).rejects.toMatchObject({ code: 'EACCES' });
  expect(tries).toBe(1);
});
