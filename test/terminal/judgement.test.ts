/** The judgement of a SIR, factor by factor (SIR-96, SIR-105, SIR-115, SIR-119, SIR-127 … SIR-131, SIR-148 … SIR-157). */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeSia, type SiaExtension, signedOctets } from '../../src/protocols/sia/index.js';
import { parseDeviceIdentity } from '../../src/registry/device-identity.js';
import {
  type Judgement,
  judgeAnswer,
  judgement,
  judgeSir,
  type OwnSituation,
} from '../../src/terminal/judgement.js';
import { JUDGEMENT_REASONS, type JudgementReason } from '../../src/terminal/judgement-reasons.js';
import { type ReceivedSir, sirOfBody } from '../../src/terminal/sir.js';
import { answerToSir, otaAnswerToSir } from '../../src/terminal/sir-answer.js';
import { signWith, verifierWith } from '../../src/terminal/sir-key.js';
import {
  DEFAULT_POLICY,
  type SafetyCheck,
  type TerminalPolicy,
} from '../../src/terminal/terminal-options.js';
import { fullSia } from '../support/scripted-gateway.js';

const NOW = 1_800_000_000_000;
const PPG = 'sip:ppg@operator.test';
const PHONE = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
const PC = 'urn:uuid:00000000-0000-4000-8000-0000000000bb';
const MMS = 'x-wap-application:mms.ua';

function sir(fields: Partial<ReceivedSir> = {}): ReceivedSir {
  return {
    carrier: 'sip',
    id: 't1.abc',
    citableId: 't1.abc',
    user: 'sip:alice@operator.test',
    devices: [parseDeviceIdentity(PHONE)],
    hasUnreadableDevice: false,
    applicationIds: [],
    sender: PPG,
    gateway: PPG,
    return: [],
    send: [],
    peer: { address: '10.0.0.5', port: 5060 },
    ...fields,
  };
}

function own(
  fields: Partial<Omit<OwnSituation, 'policy'>> & { readonly policy?: Partial<TerminalPolicy> } = {},
): OwnSituation {
  return {
    now: NOW,
    hasSeen: () => false,
    isConnectedTo: () => false,
    identities: [parseDeviceIdentity(PHONE), parseDeviceIdentity('urn:gsma:imei:90420156-025763-0')],
    users: ['sip:alice@operator.test'],
    isRegistrar: ({ address }) => address === '10.0.0.5',
    ...fields,
    policy: { ...DEFAULT_POLICY, ...fields.policy },
  };
}

const identities = (...texts: string[]) => texts.map(parseDeviceIdentity);
const safety = (fields: Partial<SafetyCheck> = {}): { policy: Partial<TerminalPolicy> } => ({
  policy: { safety: { allowedGateways: [PPG], ...fields } },
});
const impuOnly = { devices: [] };

const MATRIX: readonly [string, ReceivedSir, OwnSituation, JudgementReason][] = [
  // SIR-127, SIR-151: identities
  ['names this terminal by UUID', sir(), own(), 'matched'],
  ['names it in other case', sir({ devices: identities(PHONE.toUpperCase()) }), own(), 'matched'],
  ['names it by IMEI', sir({ devices: identities('90420156025763 9') }), own(), 'matched'],
  ['names it by GRUU', sir({ devices: identities(`sip:alice@operator.test;gr=${PHONE}`) }), own(), 'matched'],
  ['names another device (SIR-129)', sir({ devices: identities(PC) }), own(), 'otherDevice'],
  [
    'names another device of the same user by GRUU',
    sir({ devices: identities(`sip:alice@operator.test;gr=${PC}`) }),
    own(),
    'otherDevice',
  ],
  ['names a device in an unknown way', sir({ devices: [], hasUnreadableDevice: true }), own(), 'otherDevice'],
  ['names two devices (SIR-52)', sir({ devices: identities(PHONE, PC) }), own(), 'contradictoryIdentities'],
  [
    'names us twice by different kinds (SIR-22)',
    sir({ devices: identities('urn:gsma:imei:90420156-025763-0', PHONE) }),
    own(),
    'matched',
  ],
  [
    'names us and adds an identity of a kind that we lack',
    sir({ devices: identities(PHONE, '00:24:BE:80:4F:F1') }),
    own(),
    'matched',
  ],
  // SIR-60: duplicates, replays, old ones
  ['was had before', sir(), own({ hasSeen: (id) => id === 't1.abc' }), 'duplicate'],
  ['has lapsed', sir({ expiresAt: NOW }), own(), 'expired'],
  ['has not lapsed yet', sir({ expiresAt: NOW + 1 }), own(), 'matched'],
  // SIR-96, SIR-105, SIR-150: safety, on and off
  ['comes from a foreign gateway, check off', sir({ gateway: 'sip:evil@foreign.test' }), own(), 'matched'],
  ['comes from the gateway of the subscription', sir(), own(safety()), 'matched'],
  ['is sent by a foreign gateway', sir({ sender: 'sip:evil@foreign.test' }), own(safety()), 'foreignGateway'],
  [
    'sends us to a foreign gateway (C-11)',
    sir({ gateway: 'sip:ppg@foreign.test' }),
    own(safety()),
    'foreignGateway',
  ],
  [
    'sends us to an allowed second gateway (SIR-59)',
    sir({ gateway: 'sip:ppg2@operator.test;transport=tcp' }),
    own(safety({ allowedGateways: ['operator.test'] })),
    'matched',
  ],
  [
    'is handed in past the registrar',
    sir({ peer: { address: '10.0.0.66', port: 5060 } }),
    own(safety()),
    'unvouchedSender',
  ],
  [
    'is handed in past the registrar where that is allowed',
    sir({ peer: { address: '10.0.0.66', port: 5060 } }),
    own(safety({ onlyFromRegistrar: false })),
    'matched',
  ],
  ['lacks the signature', sir(), own(safety({ verifySignature: () => true })), 'badSignature'],
  [
    'has a bad signature',
    sir({ signature: { value: 'x', signed: Buffer.from('y') } }),
    own(safety({ verifySignature: () => false })),
    'badSignature',
  ],
  // SIR-130, SIR-155: already connected
  [
    'finds us connected',
    sir(),
    own({ isConnectedTo: (key) => key === 'ppg@operator.test' }),
    'alreadyConnected',
  ],
  [
    'finds us connected to another gateway',
    sir(),
    own({ isConnectedTo: (key) => key === 'ppg2@operator.test' }),
    'matched',
  ],
  [
    'names no gateway at all',
    sir({ gateway: undefined as never, sender: undefined as never }),
    own(),
    'nowhereToConnect',
  ],
  // SIR-115, SIR-149: the user only
  ['names our user', sir(impuOnly), own(), 'accepted'],
  ['names another user', sir({ devices: [], user: 'sip:bob@operator.test' }), own(), 'otherUser'],
  [
    'is for an application that is installed',
    sir({ ...impuOnly, application: { id: MMS } }),
    own({ policy: { installedApplications: ['mms.ua'] } }),
    'accepted',
  ],
  [
    'is for an application that is not',
    sir({ ...impuOnly, application: { id: MMS } }),
    own({ policy: { installedApplications: ['ulp.ua'] } }),
    'notInstalled',
  ],
  [
    'is for an application without subscription',
    sir({ ...impuOnly, applicationIds: [MMS] }),
    own({ policy: { subscribedApplications: [] } }),
    'notSubscribed',
  ],
  [
    'is for an application that the user switched off',
    sir({ ...impuOnly, application: { id: MMS } }),
    own({ policy: { acceptedApplications: ['wml.ua'] } }),
    'applicationDeclined',
  ],
  [
    'names us for an application that the user switched off (SIR-176)',
    sir({ application: { id: MMS } }),
    own({ policy: { acceptedApplications: [] } }),
    'applicationDeclined',
  ],
  // the order of the steps
  [
    'was had before and has a bad signature',
    sir(),
    own({ hasSeen: () => true, ...safety({ verifySignature: () => false }) }),
    'duplicate',
  ],
  [
    'is unsafe while connected',
    sir({ gateway: 'sip:evil@foreign.test' }),
    own({ isConnectedTo: () => true, ...safety() }),
    'foreignGateway',
  ],
  [
    'names another device while connected (SIR-130)',
    sir({ devices: identities(PC) }),
    own({ isConnectedTo: () => true }),
    'alreadyConnected',
  ],
  [
    'names another device, and preferences are not looked at (SIR-131)',
    sir({ devices: identities(PC), application: { id: MMS } }),
    own({ policy: { acceptedApplications: [] } }),
    'otherDevice',
  ],
];

describe('a SIR that', () => {
  it.each(MATRIX)('%s', (_, received, situation, reason) => {
    expect(judgeSir(received, situation)).toEqual(judgement(reason));
  });
});

describe('a signature', () => {
  const key = 'shared with the gateway';
  const mac = (octets: Uint8Array) => createHmac('sha256', key).update(octets).digest('base64url');
  const verifySignature: SafetyCheck['verifySignature'] = (signed, value) => mac(signed) === value;
  const extension: SiaExtension = {
    identities: [PHONE],
    ppg: PPG,
    id: 't1.abc',
    return: [],
    send: [],
    unknown: [],
  };
  const signature = mac(signedOctets(encodeSia(fullSia({ extension }))));
  const judge = (body: SiaExtension) =>
    judgeSir(sirOfBody(encodeSia(fullSia({ extension: body })), 'sms'), own(safety({ verifySignature })))
      .reason;

  it('of the gateway over what it sent makes the SIR safe', () => {
    expect(judge({ ...extension, signature })).toBe('matched');
  });

  it('does not stand for anything else', () => {
    expect(judge({ ...extension, id: 't1.other', signature })).toBe('badSignature');
  });
});

describe('the answer to a SIR', () => {
  const answer = (reason: JudgementReason, fields: Partial<ReceivedSir> = {}) =>
    answerToSir(sir(fields), judgement(reason), { withheld: [] });
  const wantsRejection: Partial<ReceivedSir> = { return: ['rejection'] };

  it.each(Object.keys(JUDGEMENT_REASONS) as JudgementReason[])(
    'is 200 for "%s" when no rejection was asked for',
    (reason) => {
      expect(answer(reason)).toEqual({ status: 200, options: {} });
    },
  );

  it.each([
    ['userDeclined', 603],
    ['userAway', 480],
    ['userPostponed', 480],
    ['quietHours', 480],
    ['tooLarge', 603],
    ['applicationDeclined', 603],
    ['notSubscribed', 603],
    ['contradictoryIdentities', 603],
    ['otherDevice', 200],
    ['duplicate', 200],
    ['foreignGateway', 200],
    ['unvouchedSender', 200],
  ] as const)('is for "%s" %i when it was', (reason, status) => {
    expect(answer(reason, wantsRejection).status).toBe(status);
  });

  it('says why in Reason', () => {
    expect(answer('userDeclined', wantsRejection).options.headers).toEqual([
      { name: 'Reason', value: 'SIP;cause=603;text="The user declined"' },
    ]);
  });

  it('says of what holds for a while how long', () => {
    expect(answer('userPostponed', wantsRejection).options.headers).toContainEqual({
      name: 'Retry-After',
      value: '300',
    });
  });

  it('is 200 when the terminal withholds refusals', () => {
    const wanting = sir(wantsRejection);
    expect(answerToSir(wanting, judgement('userDeclined'), { withheld: ['rejection'] }).status).toBe(200);
  });

  it('is by OTA-HTTP a push status with the reason in words', () => {
    const ota = (reason: JudgementReason) =>
      otaAnswerToSir(sir(wantsRejection), judgement(reason), { withheld: [] });
    expect(ota('userDeclined')).toEqual({ status: 235, reason: 'The user declined' });
    expect(ota('userPostponed')).toEqual({
      status: 236,
      reason: 'The user wants it later',
      retryAfterSeconds: 300,
    });
    expect(ota('tooLarge')).toEqual({ status: 237, reason: 'The content is too large' });
    expect(ota('notInstalled')).toEqual({ status: 237, reason: 'The application is not installed' });
    expect(ota('otherDevice')).toEqual({ status: 400 });
    expect(otaAnswerToSir(sir(), judgement('userDeclined'), { withheld: [] })).toEqual({ status: 400 });
  });
});

/**
 * A SIR for which everything speaks, and a terminal for which everything speaks; then one thing at a time that speaks against it, and
 * nothing else (SIR-115: "each factor alone flips the decision"; SIR-149, SIR-150).
 */
describe('one factor alone', () => {
  const KEY = 'shared with the gateway';
  const NOON = Date.UTC(2027, 0, 15, 12, 0);
  const wanted = sir({
    application: { id: MMS },
    content: { contentType: 'image/png', size: 5_000, priority: 'medium' },
    expiresAt: NOON + 60_000,
    signature: { value: signWith(KEY, Buffer.from('signed')), signed: Buffer.from('signed') },
  });
  const willing = own({
    now: NOON,
    policy: {
      safety: { allowedGateways: [PPG], verifySignature: verifierWith(KEY) },
      installedApplications: ['mms.ua'],
      acceptedTypes: ['image/*', 'text/plain'],
      maxMessageSize: 10_000,
      subscribedApplications: ['mms.ua'],
      acceptedApplications: ['mms.ua'],
      refusedTypes: ['video/*'],
      quietHours: { from: '22:00', to: '06:00' },
    },
  });
  const policy = (change: Partial<TerminalPolicy>): OwnSituation => ({
    ...willing,
    policy: { ...willing.policy, ...change },
  });
  const trusting = (change: Partial<SafetyCheck>) =>
    policy({ safety: { allowedGateways: [PPG], verifySignature: verifierWith(KEY), ...change } });

  const FLIPS: readonly [string, Partial<ReceivedSir>, OwnSituation, JudgementReason][] = [
    ['nothing', {}, willing, 'matched'],
    ['novelty: it was had before (SIR-60)', {}, { ...willing, hasSeen: () => true }, 'duplicate'],
    ['novelty: it has lapsed (SIR-60)', {}, { ...willing, now: NOON + 60_000 }, 'expired'],
    ['safety: trusted gateways', {}, trusting({ allowedGateways: ['sip:ppg@other.test'] }), 'foreignGateway'],
    ['safety: the key', {}, trusting({ verifySignature: verifierWith('another key') }), 'badSignature'],
    ['safety: the registrar', {}, { ...willing, isRegistrar: () => false }, 'unvouchedSender'],
    ['connection (SIR-155)', {}, { ...willing, isConnectedTo: () => true }, 'alreadyConnected'],
    ['connection: ways', {}, policy({ sessionWays: ['ota-http'] }), 'nowhereToConnect'],
    ['identity: its own names', {}, { ...willing, identities: identities(PC) }, 'otherDevice'],
    ['identity: its users', { devices: [] }, { ...willing, users: ['sip:bob@operator.test'] }, 'otherUser'],
    ['capability: applications', {}, policy({ installedApplications: ['wml.ua'] }), 'notInstalled'],
    ['capability: media types', {}, policy({ acceptedTypes: ['text/*'] }), 'typeNotTaken'],
    ['capability: size', {}, policy({ maxMessageSize: 4_999 }), 'tooLarge'],
    ['subscription', {}, policy({ subscribedApplications: ['wml.ua'] }), 'notSubscribed'],
    ['preference: applications', {}, policy({ acceptedApplications: ['wml.ua'] }), 'applicationDeclined'],
    ['preference: media types', {}, policy({ refusedTypes: ['image/png'] }), 'typeDeclined'],
    ['preference: the time of day', {}, policy({ quietHours: { from: '11:00', to: '13:00' } }), 'quietHours'],
    [
      'preference: the time of day, for urgent pushes',
      { content: { contentType: 'image/png', size: 5_000, priority: 'high' } },
      policy({ quietHours: { from: '11:00', to: '13:00' } }),
      'matched',
    ],
  ];

  it.each(FLIPS)('flips the decision: %s', (_, change, situation, reason) => {
    expect(judgeSir({ ...wanted, ...change }, situation)).toEqual(judgement(reason));
  });

  it.each(FLIPS.filter(([, , , reason]) => reason !== 'matched'))(
    'is named beside the reason: %s',
    (what, _change, _situation, reason) => {
      expect(what.startsWith(JUDGEMENT_REASONS[reason].factor)).toBe(true);
    },
  );

  const first: Judgement = judgement('matched');
  it.each([
    ['accept', 'matched'],
    ['reject', 'userDeclined'],
    ['later', 'userPostponed'],
    [undefined, 'userAway'],
  ] as const)('flips the decision: the user, who says %s (SIR-156)', (answer, reason) => {
    expect(judgeAnswer(first, answer, { isConnected: false })).toEqual(judgement(reason));
  });

  it('the user says yes to what is connected meanwhile (SIR-155)', () => {
    expect(judgeAnswer(first, 'accept', { isConnected: true })).toEqual(judgement('alreadyConnected'));
  });
});
