/**
 * Every way in which the judgement of a SIR can end: what the terminal does then, which factor decided, what it says about it, and how a
 * refusal is told by each carrier that has an answer of its own (SIR-66, SIR-115, SIR-136, C-10).
 */

/** `ignore`: nobody is told. `unsafe`: neither, unless its sender is allowed. `refuse`: whoever asked to hear about it is told. */
export type Verdict = 'connect' | 'ignore' | 'unsafe' | 'refuse';

/** What was weighed when the decision fell. */
export type JudgementFactor =
  | 'novelty'
  | 'safety'
  | 'connection'
  | 'identity'
  | 'capability'
  | 'subscription'
  | 'preference'
  | 'user'
  | 'all';

interface ReasonRow {
  readonly verdict: Verdict;
  readonly factor: JudgementFactor;
  /** For people: on JSON lines, in the Reason header field and in rejections. */
  readonly text: string;
  /** Status of SIP: 603, no and do not try elsewhere; 480, not now. Absent: receiving it is acknowledged, and that is all. */
  readonly sip?: 603 | 480;
  /** Push status of OTA-HTTP (WAP-235): 235 refused, 236 pending, 237 lack of resources. */
  readonly otaHttp?: 235 | 236 | 237;
  /** Of what does not hold for long: when asking again makes sense. */
  readonly retryAfterSeconds?: number;
}

const REFUSED = { verdict: 'refuse', sip: 603 } as const;
const NOT_NOW = { verdict: 'refuse', sip: 480, otaHttp: 236 } as const;

export const JUDGEMENT_REASONS = {
  matched: { verdict: 'connect', factor: 'identity', text: 'The SIR names this terminal' },
  accepted: { verdict: 'connect', factor: 'all', text: 'It names the user, and nothing speaks against it' },
  leftToCaller: { verdict: 'ignore', factor: 'user', text: 'Sessions are opened by hand' },

  duplicate: { verdict: 'ignore', factor: 'novelty', text: 'The SIR was had before' },
  expired: { verdict: 'ignore', factor: 'novelty', text: 'The SIR has lapsed' },
  alreadyConnected: { verdict: 'ignore', factor: 'connection', text: 'Connected to the gateway already' },
  nowhereToConnect: { verdict: 'ignore', factor: 'connection', text: 'The SIR offers no way to connect' },
  otherDevice: { verdict: 'ignore', factor: 'identity', text: 'The SIR names another device' },
  otherUser: { verdict: 'ignore', factor: 'identity', text: 'The SIR names another user' },

  unvouchedSender: { verdict: 'unsafe', factor: 'safety', text: 'The registrar did not hand it in' },
  foreignGateway: { verdict: 'unsafe', factor: 'safety', text: 'The gateway is not a trusted one' },
  badSignature: {
    verdict: 'unsafe',
    factor: 'safety',
    text: 'The SIR is not safe',
    sip: 603,
    otaHttp: 235,
  },

  contradictoryIdentities: {
    ...REFUSED,
    factor: 'identity',
    text: 'The SIR names several devices',
    otaHttp: 235,
  },
  notInstalled: {
    ...REFUSED,
    factor: 'capability',
    text: 'The application is not installed',
    otaHttp: 237,
  },
  typeNotTaken: {
    ...REFUSED,
    factor: 'capability',
    text: 'The terminal takes no such content',
    otaHttp: 237,
  },
  tooLarge: { ...REFUSED, factor: 'capability', text: 'The content is too large', otaHttp: 237 },
  notSubscribed: {
    ...REFUSED,
    factor: 'subscription',
    text: 'Not subscribed to the application',
    otaHttp: 235,
  },
  applicationDeclined: {
    ...REFUSED,
    factor: 'preference',
    text: 'The application is switched off',
    otaHttp: 235,
  },
  typeDeclined: { ...REFUSED, factor: 'preference', text: 'Such content is not wanted', otaHttp: 235 },
  quietHours: { ...NOT_NOW, factor: 'preference', text: 'Quiet hours', retryAfterSeconds: 1800 },
  userDeclined: { ...REFUSED, factor: 'user', text: 'The user declined', otaHttp: 235 },
  userPostponed: { ...NOT_NOW, factor: 'user', text: 'The user wants it later', retryAfterSeconds: 300 },
  userAway: { ...NOT_NOW, factor: 'user', text: 'The user did not answer' },
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type JudgementReason = keyof typeof JUDGEMENT_REASONS;

/** The row of a reason, with what it may lack. */
export function reasonRow(reason: JudgementReason): ReasonRow {
  return JUDGEMENT_REASONS[reason];
}
