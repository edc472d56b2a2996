/** What a network says later of a SIR that it took (SIR-137). */
import { beforeEach, expect, it } from 'vitest';
import type { WakeReceipt } from '../../src/lane/lane.js';
import type { SirRecord } from '../../src/push/sir.js';
import { type SirReceipt, takeSirReceipt } from '../../src/push/sir-receipt.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import { ALICE, PC, PHONE } from '../support/pushes.js';

const SIR: SirRecord = {
  id: 'sir',
  user: ALICE,
  mode: 'routed',
  bearer: 'sms',
  terminal: PHONE,
  mayOpen: [PHONE],
  applicationId: 'x-wap-application:mms.ua',
  return: [],
  send: [],
  createdAt: 0,
  expiresAt: 60_000,
};

let noted: { readonly terminal: TerminalId; readonly sirId: string; readonly receipt: WakeReceipt }[];
let woken: unknown[];
beforeEach(() => {
  noted = [];
  woken = [];
});

const take = (more: Partial<SirReceipt> = {}, follows?: { readonly dueAt?: number }) =>
  takeSirReceipt(
    { sir: 'sir', terminal: PHONE, outcome: 'failed', detail: 'no coverage', ...more },
    {
      sirs: { find: async (id) => (id === SIR.id ? SIR : undefined) },
      lanes: {
        noteReceipt: async (terminal, sirId, receipt) => {
          noted.push({ terminal, sirId, receipt });
          return follows;
        },
      },
      clock: { now: () => 7 },
      wakeLane: (...lane) => woken.push(lane),
    },
  );

it('is kept with the lane that sent it', async () => {
  await take();
  const receipt = { outcome: 'failed', at: 7, detail: 'no coverage' };
  expect(noted).toEqual([{ terminal: PHONE, sirId: 'sir', receipt }]);
  expect(woken).toEqual([]);
});

it('runs the lane, and brings forward its alarm, when the next method is due', async () => {
  await take({}, { dueAt: 99 });
  expect(woken).toEqual([[PHONE, 99]]);
});

it('says nothing when it went to another terminal of the user, or nobody knows the SIR', async () => {
  await take({ terminal: PC });
  await take({ sir: 'other' });
  expect(noted).toEqual([]);
});
