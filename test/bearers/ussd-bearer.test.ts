/** The USSD bearer: a SIR in one notification, or none (SIR-88). */
import { describe, expect, it } from 'vitest';
import type { SmsLink } from '../../src/bearers/sms/sms-link.js';
import { UssdBearer } from '../../src/bearers/ussd/ussd-bearer.js';
import { decodeSia } from '../../src/protocols/sia/index.js';
import { PARAMETER } from '../../src/protocols/smpp/index.js';
import { decodePush } from '../../src/protocols/wsp/index.js';
import { namesInReceipt } from '../../src/push/part-names.js';
import type { Sir } from '../../src/push/sir.js';
import type { Submission } from '../../src/transports/smpp/link-options.js';
import { BearerStage, SENDER } from '../support/bearer-stage.js';
import { FakeClock } from '../support/fake-clock.js';
import { MemoryPartsLedger } from '../support/memory-parts-ledger.js';

const NUMBER = '+436641234567';

async function wake(more: Partial<Sir> = {}, hasReceipts = false) {
  await using stage = await BearerStage.set([{ bearer: 'ussd', address: NUMBER }]);
  const sent: Submission[] = [];
  const link: SmsLink = {
    name: 'a',
    prefixes: [],
    operators: [],
    weight: 1,
    sender: { address: '100', ton: 3, npi: 0 },
    hasReceipts,
    centre: 'a',
    receiptIds: 'same',
    serviceType: 'USSD',
    isUsable: true,
    async submit(submission) {
      sent.push(submission);
      return { kind: 'accepted', messageId: '1' };
    },
  };
  const ledger = new MemoryPartsLedger();
  const bearer = new UssdBearer({ links: [link], ledger, observe: () => {}, clock: new FakeClock() }, SENDER);
  const sir = { ...stage.sir, ...more };
  return { outcome: await bearer.wake(stage.terminal, sir, NUMBER), sent, sir, ledger, link };
}

describe('a SIR by USSD', () => {
  it('is a notification of at most 160 octets that says what a terminal must know', async () => {
    const { outcome, sent, sir } = await wake();
    expect(outcome).toMatchObject({ kind: 'handed' });
    const [{ message, parameters } = { message: undefined, parameters: undefined }] = sent;
    expect(message).toMatchObject({ serviceType: 'USSD', esmClass: 0, dataCoding: 4, registeredDelivery: 0 });
    expect(parameters?.get(PARAMETER.ussdServiceOp)).toEqual(Uint8Array.of(3));
    expect(message?.shortMessage.length).toBeLessThanOrEqual(160);
    const push = decodePush(message?.shortMessage ?? new Uint8Array());
    expect(push.contentType.mediaType).toBe('application/vnd.wap.sia');
    expect(decodeSia(push.body).extension).toMatchObject({ id: sir.id });
  });

  it('asks for a receipt where there are any, and is known by it', async () => {
    const { sent, sir, ledger, link } = await wake({}, true);
    expect(sent[0]?.message.registeredDelivery).toBe(1);
    const { names } = namesInReceipt('1', NUMBER, link);
    expect(await ledger.find(names)).toMatchObject({ what: 'sir', id: sir.id, bearer: 'ussd' });
  });

  it('that is signed keeps its signature', async () => {
    const { sent } = await wake({ signingKey: 'key' });
    const push = decodePush(sent[0]?.message.shortMessage ?? new Uint8Array());
    expect(decodeSia(push.body).extension?.signature).toHaveLength(43);
  });

  it('that says too much even so is not sent', async () => {
    const { outcome, sent } = await wake({ id: 'x'.repeat(200) });
    expect(outcome).toMatchObject({ kind: 'failed', detail: 'the SIR is too large for USSD' });
    expect(sent).toEqual([]);
  });
});
