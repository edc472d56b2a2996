/** The SMS bearer over links of the test (SIR-84, SIR-145): what goes out, by which link, and what the lane is told. */
import { describe, expect, it } from 'vitest';
import type { SmsAttempt } from '../../../src/bearers/sms/sms-attempt.js';
import { SmsBearer, type SmsBearerOptions } from '../../../src/bearers/sms/sms-bearer.js';
import type { SmsLink } from '../../../src/bearers/sms/sms-link.js';
import { decodeSia } from '../../../src/protocols/sia/index.js';
import { decodeUserData } from '../../../src/protocols/sms/index.js';
import { decodePush } from '../../../src/protocols/wsp/index.js';
import { namesInReceipt } from '../../../src/push/part-names.js';
import type { CarriedItem } from '../../../src/push/ports.js';
import type { Submission, Submitted } from '../../../src/transports/smpp/link-options.js';
import { BearerStage, SENDER } from '../../support/bearer-stage.js';
import { FakeClock } from '../../support/fake-clock.js';
import { MemoryPartsLedger } from '../../support/memory-parts-ledger.js';

const NUMBER = '+436641234567';
const METHOD = [{ bearer: 'sms', address: NUMBER }] as const;

/** A link that does with each submission what the test says. */
class TestLink implements SmsLink {
  readonly name: string;
  readonly sent: Submission[] = [];
  readonly prefixes: readonly string[] = [];
  readonly operators: readonly string[] = [];
  readonly weight = 1;
  readonly sender;
  readonly hasReceipts: boolean = true;
  readonly centre = 'centre';
  readonly receiptIds = 'auto';
  readonly serviceType = '';
  isUsable = true;
  answer: (count: number) => Submitted;

  constructor(
    name: string,
    answer: (count: number) => Submitted = (count) => ({ kind: 'accepted', messageId: `${name}${count}` }),
    more: Partial<Pick<SmsLink, 'prefixes' | 'operators' | 'hasReceipts'>> & {
      readonly sender?: string;
    } = {},
  ) {
    this.name = name;
    this.answer = answer;
    const { sender = 'carillon', ...rest } = more;
    this.sender = { address: sender, ton: 5, npi: 0 };
    Object.assign(this, rest);
  }

  async submit(submission: Submission): Promise<Submitted> {
    this.sent.push(submission);
    return this.answer(this.sent.length);
  }
}

async function stage(links: readonly TestLink[], options: Partial<SmsBearerOptions> = {}) {
  const { terminal, sir, item } = await setting();
  const clock = new FakeClock();
  const ledger = new MemoryPartsLedger();
  const attempts: SmsAttempt[] = [];
  const bearer = new SmsBearer(
    {
      links,
      ledger,
      observe: (attempt) => attempts.push(attempt),
      clock,
    },
    { sender: SENDER, maxSegments: 16, referenceBits: 16, dataCoding: 4, ...options },
  );
  const carry = (content: string | Uint8Array = 'Hello', more: Partial<CarriedItem> = {}) =>
    bearer.carry(terminal, item(content, { expiresAt: clock.now() + 61_000, ...more }), NUMBER);
  return { bearer, terminal, sir, carry, clock, ledger, attempts };
}

async function setting() {
  await using bearerStage = await BearerStage.set(METHOD);
  const item = (...given: Parameters<BearerStage['item']>) => bearerStage.item(...given);
  return { terminal: bearerStage.terminal, sir: bearerStage.sir, item };
}

const userDataOf = ({ sent }: TestLink) => sent.map(({ message }) => decodeUserData(message.shortMessage));
const wholeOf = (link: TestLink) => Buffer.concat(userDataOf(link).map(({ data }) => data));

const refused = (meaning: 'link' | 'address' | 'message'): Submitted => ({
  kind: 'refused',
  meaning,
  detail: `no: ${meaning}`,
});
const busy: Submitted = { kind: 'notSent', detail: 'busy', retryAt: 9_999_999_999_999 };
const lost: Submitted = { kind: 'unknown', detail: 'no answer' };

describe('a push', () => {
  it('goes out in one short message to the port of WAP push, and its receipt is awaited', async () => {
    const link = new TestLink('a');
    const { carry, attempts } = await stage([link]);
    expect(await carry()).toMatchObject({ kind: 'awaited' });
    expect(link.sent.map(({ message }) => message)).toMatchObject([
      {
        source: 'carillon',
        sourceTon: 5,
        destination: '436641234567',
        destinationTon: 1,
        destinationNpi: 1,
        esmClass: 0x40,
        dataCoding: 4,
        registeredDelivery: 1,
        validityPeriod: '000000000101000R',
      },
    ]);
    const [{ header, data } = decodeUserData(Buffer.of(0))] = userDataOf(link);
    expect(header).toEqual({ ports: { destination: 2948, source: 9200 } });
    const push = decodePush(data);
    expect(push.contentType.mediaType).toBe('text/plain');
    expect(Buffer.from(push.body).toString()).toBe('Hello');
    expect(push.headers).toEqual([{ name: 'X-Wap-Application-Id', value: 'x-wap-application:wml.ua' }]);
    expect(attempts).toMatchObject([
      { bearer: 'sms', link: 'a', segments: 1, accepted: 1, result: 'accepted', address: NUMBER },
    ]);
  });

  it.each([8, 16] as const)(
    'that is longer goes out in parts with a reference of %d bits',
    async (referenceBits) => {
      const link = new TestLink('a');
      const { carry } = await stage([link], { referenceBits });
      const content = Buffer.from(Array.from({ length: 300 }, (_, index) => index & 0xff));
      expect(await carry(content)).toMatchObject({ kind: 'awaited' });
      const parts = userDataOf(link).map(({ header }) => header.part);
      expect(parts.map((part) => part?.number)).toEqual([1, 2, 3]);
      expect(new Set(parts.map((part) => part?.reference)).size).toBe(1);
      expect(parts[0]?.referenceBits).toBe(referenceBits);
      expect(Buffer.from(decodePush(wholeOf(link)).body)).toEqual(content);
    },
  );

  it('that takes too many short messages goes another way', async () => {
    const link = new TestLink('a');
    const { carry } = await stage([link], { maxSegments: 2 });
    expect(await carry(new Uint8Array(300))).toEqual({
      kind: 'unfit',
      detail: 'too large for SMS (3 short messages)',
    });
    expect(link.sent).toEqual([]);
  });

  it('is handed over when nobody wants a receipt, or nobody gives one', async () => {
    const [quiet, mute] = [new TestLink('a'), new TestLink('b', undefined, { hasReceipts: false })];
    expect(await (await stage([quiet])).carry('x', { confirmation: 'unwanted' })).toMatchObject({
      kind: 'handed',
    });
    expect(quiet.sent[0]?.message.registeredDelivery).toBe(0);
    expect(await (await stage([mute])).carry('x')).toMatchObject({ kind: 'handed' });
    expect(await (await stage([mute])).carry('x', { confirmation: 'required' })).toMatchObject({
      kind: 'unfit',
    });
  });

  it('has the same octets at every attempt', async () => {
    const link = new TestLink('a', (count) => (count === 1 ? lost : { kind: 'accepted', messageId: '1' }));
    const { carry } = await stage([link]);
    expect(await carry()).toEqual({ kind: 'lost', detail: 'no answer' });
    expect(await carry()).toMatchObject({ kind: 'awaited' });
    const [first, second] = link.sent.map(({ message }) => Buffer.from(message.shortMessage).toString('hex'));
    expect(second).toBe(first);
  });

  it('of which the network has a part sends only the rest, under the same reference', async () => {
    const link = new TestLink('a', (count) =>
      count === 2 ? lost : { kind: 'accepted', messageId: String(count) },
    );
    const { carry } = await stage([link]);
    const content = new Uint8Array(300);
    expect(await carry(content)).toMatchObject({ kind: 'lost' });
    expect(await carry(content)).toMatchObject({ kind: 'awaited' });
    const parts = userDataOf(link).map(({ header }) => header.part);
    expect(parts.map((part) => part?.number)).toEqual([1, 2, 3, 2]);
    expect(new Set(parts.map((part) => part?.reference)).size).toBe(1);
  });
});

describe('links', () => {
  it('that are away, busy or in trouble are passed over at once', async () => {
    const links = [
      new TestLink('a', () => busy),
      new TestLink('b', () => refused('link')),
      new TestLink('c'),
    ];
    const { carry, attempts } = await stage(links);
    expect(await carry()).toMatchObject({ kind: 'awaited' });
    expect(attempts.at(-1)).toMatchObject({ link: 'c', result: 'accepted' });
    expect(links[2]?.sent).toHaveLength(1);
  });

  it('that would take nothing now come last', async () => {
    const links = [new TestLink('a'), new TestLink('b'), new TestLink('c')];
    for (const link of links) link.isUsable = link.name === 'b';
    await (await stage(links)).carry();
    expect(links.map(({ sent }) => sent.length)).toEqual([0, 1, 0]);
  });

  it('all of them busy: later, when the first has room', async () => {
    const { carry } = await stage([new TestLink('a', () => busy)]);
    expect(await carry()).toEqual({ kind: 'lost', detail: 'busy', retryAt: 9_999_999_999_999 });
  });

  it('get no second copy while nobody knows what became of the first', async () => {
    const links = [new TestLink('a', () => lost), new TestLink('b', () => lost)];
    const { carry } = await stage(links);
    expect(await carry()).toEqual({ kind: 'lost', detail: 'no answer' });
    expect(links.map(({ sent }) => sent.length).sort()).toEqual([0, 1]);
  });

  it('with another sender get no part of a message that began with one', async () => {
    const first = new TestLink('a', (count) => (count === 1 ? { kind: 'accepted', messageId: '1' } : busy), {
      sender: 'one',
    });
    const other = new TestLink('b', undefined, { sender: 'two' });
    const same = new TestLink('c', undefined, { sender: 'one' });
    other.isUsable = false;
    same.isUsable = false;
    const { carry } = await stage([first, other, same]);
    expect(await carry(new Uint8Array(300))).toMatchObject({ kind: 'awaited' });
    expect(other.sent).toEqual([]);
    expect(same.sent).toHaveLength(2);
  });

  it('none of which leads to the number: another way', async () => {
    const { carry, bearer } = await stage([new TestLink('a', undefined, { prefixes: ['+49'] })]);
    expect(await carry()).toEqual({ kind: 'unfit', detail: 'no link leads to numbers that begin with +436' });
    expect(bearer.isDown(NUMBER)).toBe(true);
    expect(bearer.isDown('+4930123456')).toBe(false);
  });
});

describe('a number or a message that the SMSC does not take', () => {
  it.each(['address', 'message'] as const)('(%s) is given up at once', async (meaning) => {
    const links = [new TestLink('a', () => refused(meaning)), new TestLink('b', () => refused(meaning))];
    const { carry, clock } = await stage(links);
    expect(await carry()).toEqual({ kind: 'givenUp', detail: `no: ${meaning}` });
    expect(links.map(({ sent }) => sent.length).sort()).toEqual([0, 1]);
    expect(clock.pending).toBe(0);
  });
});

describe('a receipt that came before the answer to the submission', () => {
  const early = async (state: 'delivered' | 'failed') => {
    const link = new TestLink('a', () => ({ kind: 'accepted', messageId: '1A2B' }));
    const told = await stage([link]);
    // In decimal, as this centre writes them.
    const { names, early } = namesInReceipt('0000006699', '436641234567', link);
    const receipt = { state, detail: 'early' };
    expect(await told.ledger.findOrKeep(names, { name: early, receipt })).toBeUndefined();
    return told;
  };

  it('and says delivered: the terminal has it', async () => {
    const { carry } = await early('delivered');
    expect(await carry()).toEqual({ kind: 'confirmed' });
  });

  it('and says failed: the push is given up', async () => {
    const { carry } = await early('failed');
    expect(await carry()).toEqual({ kind: 'givenUp', detail: 'early' });
  });
});

it('a push whose last part has an early receipt is confirmed when those of the others have been taken meanwhile', async () => {
  const link = new TestLink('a', (count) => ({ kind: 'accepted', messageId: `m${count}` }));
  const { carry, ledger } = await stage([link]);
  const receipt = { state: 'delivered', detail: '' } as const;
  const { names, early } = namesInReceipt('m3', '436641234567', link);
  await ledger.findOrKeep(names, { name: early, receipt });
  const note = ledger.note.bind(ledger);
  // Whoever takes the receipts of the first two does so while the third part is on its way.
  ledger.note = async (part, ...rest) => {
    const found = await note(part, ...rest);
    if (part.number < 3) await ledger.raise(part, 'delivered', {});
    return found;
  };
  expect(await carry(new Uint8Array(300))).toEqual({ kind: 'confirmed' });
});

describe('a SIR', () => {
  it('goes out with the two headers of the specification and the body of every bearer', async () => {
    const link = new TestLink('a');
    const { bearer, terminal, sir, attempts } = await stage([link]);
    expect(await bearer.wake(terminal, sir, NUMBER)).toMatchObject({ kind: 'handed', address: NUMBER });
    const push = decodePush(wholeOf(link));
    expect(push.contentType.mediaType).toBe('application/vnd.wap.sia');
    expect(push.headers).toEqual([{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }]);
    expect(decodeSia(push.body).extension).toMatchObject({ id: sir.id, publicUserIdentity: sir.user });
    expect(link.sent.every(({ message }) => message.registeredDelivery === 1)).toBe(true);
    expect(attempts).toMatchObject([{ sir: sir.id, segments: link.sent.length }]);
  });

  it('asks for no receipt where none is given', async () => {
    const link = new TestLink('a', undefined, { hasReceipts: false });
    const { bearer, terminal, sir } = await stage([link]);
    expect(await bearer.wake(terminal, sir, NUMBER)).toMatchObject({ kind: 'handed' });
    expect(link.sent.some(({ message }) => message.registeredDelivery !== 0)).toBe(false);
  });

  it('is known by every part when its receipts come', async () => {
    const link = new TestLink('a');
    const { bearer, terminal, sir, ledger } = await stage([link]);
    await bearer.wake(terminal, sir, NUMBER);
    const total = link.sent.length;
    for (let number = 1; number <= total; number += 1) {
      const { names } = namesInReceipt(`a${number}`, '436641234567', link);
      const part = { what: 'sir', id: sir.id, terminal: terminal.id, bearer: 'sms', number, total };
      expect(await ledger.find(names)).toEqual(part);
    }
  });

  it.each([
    ['failed', { kind: 'failed', detail: 'early' }],
    ['delivered', { kind: 'handed', receipt: { outcome: 'delivered', detail: 'early' } }],
  ] as const)(
    'whose receipt came before the answer to the submission and says %s',
    async (state, outcome) => {
      const link = new TestLink('a');
      const { bearer, terminal, sir, ledger } = await stage([link]);
      for (let number = 1; number < 9; number += 1) {
        const { names, early } = namesInReceipt(`a${number}`, '436641234567', link);
        await ledger.findOrKeep(names, { name: early, receipt: { state, detail: 'early' } });
      }
      expect(await bearer.wake(terminal, sir, NUMBER)).toMatchObject(outcome);
    },
  );

  it('goes by the next link when the first does not answer: it is known again by its id', async () => {
    const links = [new TestLink('a', () => lost), new TestLink('b', () => busy)];
    const { bearer, terminal, sir } = await stage(links);
    expect(await bearer.wake(terminal, sir, NUMBER)).toMatchObject({ kind: 'failed' });
    expect(links.every(({ sent }) => sent.length > 0)).toBe(true);
  });

  it('without a number, or a link, fails', async () => {
    const { bearer, terminal, sir } = await stage([]);
    expect(await bearer.wake(terminal, sir, undefined)).toMatchObject({ kind: 'failed' });
    expect(await bearer.wake(terminal, sir, NUMBER)).toMatchObject({ kind: 'failed' });
  });
});
