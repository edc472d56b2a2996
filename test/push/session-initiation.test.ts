/** What a lane that wakes its terminal sends, to whom, and what it keeps and tells of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { WakeRecord } from '../../src/lane/lane.js';
import type { Bearer, BearerOutcome } from '../../src/push/ports.js';
import type { PushUid } from '../../src/push/push-message.js';
import { RecentPushes } from '../../src/push/recent-pushes.js';
import type { Refusal } from '../../src/push/refusal.js';
import { SessionInitiation } from '../../src/push/session-initiation.js';
import type { Sir, SirRecord } from '../../src/push/sir.js';
import type { SipPresence } from '../../src/push/sir-plan.js';
import type { BearerName } from '../../src/registry/bearer-name.js';
import { deviceIdentity } from '../../src/registry/device-identity.js';
import { type TargetingRule, targetingRules } from '../../src/registry/targeting-rule.js';
import type { TerminalId } from '../../src/registry/terminal-id.js';
import type { ActivationMethod, Terminal, User } from '../../src/registry/user.js';
import { PushStage, TO_ALICE } from '../support/push-stage.js';
import { ALICE, PC, PHONE } from '../support/pushes.js';

const SIP: ActivationMethod = { bearer: 'sip' };
const INSTANCES: Readonly<Record<string, string>> = {
  phone: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  pc: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf7',
};

let stage: PushStage;
let sent: { readonly terminal: string; readonly sir: Sir; readonly address: string | undefined }[];
let kept: SirRecord[];
let observed: WakeRecord[];
let refused: Refusal[];
let answer: BearerOutcome | Promise<BearerOutcome>;
let presence: SipPresence;
let rules: readonly TargetingRule[];
let waiting: readonly TerminalId[];
let uid: PushUid;
let terminal: Partial<Terminal>;
let pc: Partial<Terminal>;

const recording: Bearer = {
  wake: async ({ name }, sir, address) => {
    sent.push({ terminal: name, sir, address });
    return answer;
  },
  presence: async () => presence,
};
const watched = ({ send, presence: place }: Steps): Bearer => ({
  async wake(_terminal, sir) {
    send(sir);
    return answer;
  },
  presence: place,
});
const bearers = new Map<BearerName, Bearer>([
  ['sip', recording],
  ['sms', { wake: recording.wake }],
]);

beforeEach(async () => {
  stage = new PushStage();
  [sent, kept, observed, refused] = [[], [], [], []];
  answer = { kind: 'handed', detail: '200 OK', address: 'sip:there' };
  presence = 'alone';
  rules = [];
  waiting = [PHONE, PC];
  terminal = { activation: [SIP] };
  pc = {};
  uid = (await stage.submit({ addresses: [TO_ALICE], contentType: 'image/png' })).uid;
});

function alice(): User {
  const user = stage.users.get(ALICE);
  if (!user) throw new Error('the stage has no Alice');
  const equipped = (one: Terminal): Terminal => ({
    ...one,
    identities: [deviceIdentity('uuid', INSTANCES[one.name] ?? '')],
    ...terminal,
    ...(one.name === 'pc' && terminal.activation?.[0]?.bearer === 'sms'
      ? { activation: [{ bearer: 'sms', address: '+431111' } as const] }
      : {}),
    ...(one.name === 'pc' ? pc : {}),
  });
  return { ...user, terminals: user.terminals.map(equipped) };
}

interface Steps {
  readonly isMulti: () => Promise<boolean>;
  readonly presence: () => Promise<SipPresence>;
  readonly keep: () => void;
  readonly send: (sir: Sir) => void;
}

async function wake(who: TerminalId = PHONE, method = 0, steps?: Steps) {
  const initiation = new SessionInitiation(
    {
      findOwner: async (id) => [alice()].find(({ terminals }) => terminals.some((one) => one.id === id)),
      pushes: new RecentPushes(stage.store),
      bearers: steps === undefined ? bearers : new Map<BearerName, Bearer>([['sip', watched(steps)]]),
      rules,
      costs: {},
      sirs: {
        keep: async (record) => {
          expect(sent.map(({ sir }) => sir.id)).not.toContain(record.id); // kept before it is sent
          kept.push(record);
          steps?.keep();
        },
        find: async () => undefined,
      },
      isMulti: steps?.isMulti ?? (async ({ terminals }) => terminals.length > 1),
      waiting: async () => waiting,
      refused: async (_terminal, refusal) => {
        refused.push(refusal);
      },
      clock: stage.clock,
      randomBytes: stage.randomBytes,
      observe: (_terminal, record) => observed.push(record),
    },
    { alwaysIncludeIdentity: false, sirLifeMs: 60_000, answerMs: 8000 },
  );
  return initiation.wake(who, { method, entries: [{ id: uid, rank: 1 }], now: stage.clock.now() });
}

const setRules = (...list: readonly unknown[]) => {
  rules = targetingRules(list, 'rules');
};

describe('a SIR', () => {
  it('says for whom, for what application, and what waits', async () => {
    await wake();
    expect(sent).toMatchObject([
      {
        terminal: 'phone',
        sir: {
          user: ALICE,
          mode: 'routed',
          device: { value: INSTANCES['phone'] },
          describes: { contentType: 'image/png', size: 5, priority: 'medium' },
          expiresAt: stage.clock.now() + 60_000,
        },
      },
    ]);
  });

  it('is kept with who may cite it, before it is sent', async () => {
    await wake();
    expect(kept).toMatchObject([{ id: sent[0]?.sir.id, terminal: PHONE, mayOpen: [PHONE], bearer: 'sip' }]);
  });

  it('asks for what the rules want (SIR-54 … SIR-56, SIR-59)', async () => {
    setRules({
      activate: { id: 'urn:acme:app', name: 'DCD' },
      return: ['preference'],
      send: ['capability'],
      ppg: 'sip:other@example.test',
    });
    await wake();
    expect(sent[0]?.sir).toMatchObject({
      activate: { id: 'urn:acme:app', name: 'DCD' },
      return: ['preference'],
      send: ['capability'],
      ppg: 'sip:other@example.test',
    });
  });

  it('is recorded with its mode and the reasons', async () => {
    setRules({ mode: 'filtered' });
    const { record } = await wake();
    expect(record).toMatchObject({
      sirId: sent[0]?.sir.id,
      outcome: 'handed',
      address: 'sip:there',
      mode: 'filtered',
      reasons: ["filtered (B): the operator's rule 1 wants it"],
    });
    expect(observed).toEqual([record]);
  });

  it('passes the units in their order: check, obtain, add, keep, encapsulate and send (SIR-42, SIR-91, SIR-141, SIR-144 … SIR-147)', async () => {
    const steps: string[] = [];
    const step = <T>(name: string, value: T): T => {
      steps.push(name);
      return value;
    };
    await wake(PHONE, 0, {
      isMulti: async () => step('13: is the user one with several terminals?', true),
      presence: async () => step('10: where is the terminal?', 'alone'),
      keep: () => step('kept', undefined),
      send: ({ device, user }) =>
        step(`14, 12: a bearer gets it with ${device?.value} (11) and ${user} (15)`, undefined),
    });
    expect([...steps.slice(0, 2)].sort()).toEqual([
      '10: where is the terminal?',
      '13: is the user one with several terminals?',
    ]);
    expect(steps.slice(2)).toEqual([
      'kept',
      `14, 12: a bearer gets it with ${INSTANCES['phone']} (11) and ${ALICE} (15)`,
    ]);
  });

  it('is never the same twice', async () => {
    const { record: first } = await wake();
    const { record: second } = await wake();
    expect(second.sirId).not.toBe(first.sirId);
  });
});

describe('an open SIR', () => {
  beforeEach(() => setRules({ mode: 'open' }));

  it('goes out once, for the first of the terminals that wait', async () => {
    expect((await wake(PHONE)).record.outcome).toBe('handed');
    const { record } = await wake(PC);
    expect(record).toMatchObject({ sirId: '', outcome: 'handed', mode: 'open' });
    expect(record.detail).toContain('covered by the SIR for phone');
    expect(sent).toHaveLength(1);
  });

  it('goes out for the next one when the first has the push', async () => {
    waiting = [PC];
    expect((await wake(PC)).record.sirId).not.toBe('');
  });

  it('may be cited by every terminal of the user', async () => {
    await wake();
    expect(kept[0]?.mayOpen).toEqual([PHONE, PC]);
  });

  it('goes by SMS to every number that the user has (SIR-120)', async () => {
    terminal = { activation: [{ bearer: 'sms', address: '+430000' }] };
    const { record } = await wake();
    expect(sent.map(({ address }) => address)).toEqual(['+430000', '+431111']);
    expect(record.detail).toBe('phone: 200 OK; pc: 200 OK');
  });

  describe('goes to those whom its bearer does not reach by their own (SIR-114, SIR-120)', () => {
    const copies = () => sent.map(({ terminal: name, address, sir }) => [name, address, sir.audience]);
    const SMS = { activation: [{ bearer: 'sms', address: '+431111' }] } satisfies Partial<Terminal>;

    it('by SMS, when it is not registered', async () => {
      [pc, presence] = [SMS, 'absent'];
      const { record } = await wake();
      expect(copies()).toEqual([
        ['phone', undefined, 'user'],
        ['pc', '+431111', 'terminal'],
      ]);
      expect(new Set(sent.map(({ sir }) => sir.id))).toEqual(new Set([record.sirId]));
      expect(record).toMatchObject({ bearer: 'sip', outcome: 'handed', detail: 'phone: 200 OK; pc: 200 OK' });
    });

    it('but not once more to one that is registered', async () => {
      pc = SMS;
      await wake();
      expect(copies()).toEqual([['phone', undefined, 'user']]);
    });

    it('by SIP to its contact alone', async () => {
      [terminal, pc] = [{ activation: [{ bearer: 'sms', address: '+430000' }] }, { activation: [SIP] }];
      await wake();
      expect(copies()).toEqual([
        ['phone', '+430000', 'user'],
        ['pc', undefined, 'terminal'],
      ]);
    });

    it('by SIP to every contact when nobody can tell which is its own', async () => {
      [terminal, pc] = [{ activation: [{ bearer: 'sms', address: '+430000' }] }, { activation: [SIP] }];
      presence = 'hidden';
      await wake();
      expect(copies()).toEqual([
        ['phone', '+430000', 'user'],
        ['pc', undefined, 'user'],
      ]);
    });

    it('with the ways to connect that each knows', async () => {
      terminal = { activation: [{ bearer: 'sms', address: '+430000' }] };
      pc = {
        activation: [
          { bearer: 'sms', address: '+431111' },
          { bearer: 'wsp', address: '192.0.2.1' },
        ],
      };
      await wake();
      expect(sent.map(({ sir }) => sir.wsp)).toEqual([undefined, true]);
    });

    it('but not when it names a terminal that is to be found among others', async () => {
      setRules({ mode: 'filtered' });
      [pc, presence] = [SMS, 'absent'];
      await wake();
      expect(copies()).toEqual([['phone', undefined, 'user']]);
    });

    it('and everybody who says no gives up what it holds', async () => {
      terminal = { activation: [{ bearer: 'sms', address: '+430000' }] };
      answer = { kind: 'refused', detail: 'not interested' };
      expect((await wake()).record).toMatchObject({ outcome: 'refused', detail: 'not interested' });
      expect(refused).toHaveLength(2);
    });
  });
});

it('a SIR with a filter is sent by each lane, for it names one terminal only', async () => {
  presence = 'hidden';
  await wake(PHONE);
  await wake(PC);
  expect(sent.map(({ sir }) => [sir.mode, sir.device?.value])).toEqual([
    ['filtered', INSTANCES['phone']],
    ['filtered', INSTANCES['pc']],
  ]);
  expect(kept.map(({ mayOpen }) => mayOpen)).toEqual([[PHONE], [PC]]);
});

describe('no SIR is sent', () => {
  it('during quiet hours; the lane waits for their end', async () => {
    terminal = { activation: [SIP], preferences: { quietHours: { from: '00:00', to: '23:59' } } };
    const { record, retryAt } = await wake();
    expect([record.outcome, sent]).toEqual(['deferred', []]);
    expect(retryAt).toBeGreaterThan(stage.clock.now());
    expect(observed).toEqual([record]);
  });

  it('to a terminal without an activation method', async () => {
    terminal = { activation: [] };
    expect(await wake()).toMatchObject({ methods: 0, record: { outcome: 'failed' } });
  });

  it('by a bearer that the gateway does not have', async () => {
    terminal = { activation: [{ bearer: 'wsp', address: '192.0.2.1' }] };
    expect((await wake()).record).toMatchObject({
      outcome: 'failed',
      detail: 'the gateway has no wsp bearer',
    });
  });

  it('by bearers that the rules leave out', async () => {
    terminal = { activation: [SIP, { bearer: 'sms', address: '+430000' }] };
    setRules({ bearers: ['sms'] });
    expect(await wake()).toMatchObject({ methods: 1, record: { bearer: 'sms' } });
  });
});

it('quiet hours do not hold what is urgent', async () => {
  terminal = { activation: [SIP], preferences: { quietHours: { from: '00:00', to: '23:59' } } };
  const quality = {
    priority: 'high',
    deliveryMethod: 'notspecified',
    networkRequired: false,
    bearerRequired: false,
  } as const;
  uid = (await stage.submit({ pushId: 'urgent@pi', addresses: [TO_ALICE], quality })).uid;
  expect((await wake()).record.outcome).toBe('handed');
});

it('of an open SIR each terminal that said no gives up what it holds', async () => {
  setRules({ mode: 'open' });
  answer = { kind: 'handed', detail: 'some did', refusals: [{ terminal: PC, detail: '603 Decline' }] };
  expect((await wake()).record.outcome).toBe('handed');
  expect(refused).toMatchObject([{ entries: [{ id: uid }], detail: '603 Decline' }]);
});

it('that is not answered in time has failed; a refusal counts when it comes', async () => {
  let tell: (outcome: BearerOutcome) => void = () => {};
  answer = new Promise((resolve) => {
    tell = resolve;
  });
  const woken = wake();
  await stage.clock.advance(8000);
  expect(await woken).toMatchObject({ record: { outcome: 'failed', detail: 'no answer within 8 s' } });
  tell({ kind: 'refused', detail: '603 Decline' });
  await stage.clock.advance(0);
  expect(refused).toMatchObject([{ detail: '603 Decline' }]);
});

it('a terminal that refuses for good gives up what its lane holds for the application', async () => {
  answer = { kind: 'refused', detail: '603 Decline: not now' };
  await wake();
  expect(refused).toEqual([
    {
      entries: [{ id: uid, rank: 1 }],
      applicationId: sent[0]?.sir.applicationId,
      detail: '603 Decline: not now',
    },
  ]);
});
