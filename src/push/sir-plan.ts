/**
 * How a SIR finds its terminal: the mode, and where the device identity stands (targeting specification §8.0, SIR-22, SIR-23,
 * SIR-46, SIR-74 … SIR-81). A pure function that reads like a table: what a rule wants counts where it is possible, else routed where
 * the terminal can be reached by itself, else to all with the device as filter, else to all. A terminal that is known to be away disturbs
 * nobody else. Every step leaves its reason.
 */
import { parseCpiTag } from '../protocols/ota-http/index.js';
import type { BearerName } from '../registry/bearer-name.js';
import { type DeviceIdentity, REGISTERED_KINDS } from '../registry/device-identity.js';
import { type IdentityPlace, MODE_LETTER, type TargetingSettings } from '../registry/targeting-rule.js';
import type { Terminal } from '../registry/user.js';
import type { Sir } from './sir.js';
import type { Targeting } from './targeting.js';

/**
 * What the SIP side knows of a terminal. `alone`: a registration or an address leads to it and to no other. `hidden`: it may be among
 * contacts that nobody can tell apart. `absent`: it is not there now.
 */
export type SipPresence = 'alone' | 'hidden' | 'absent';

export interface SirSubject {
  readonly terminal: Pick<Terminal, 'identities'>;
  readonly bearer: BearerName;
  readonly presence: SipPresence;
  /** Has the user several terminals (SIR-41)? */
  readonly isMulti: boolean;
  /** The push names this terminal. */
  readonly isNamed: boolean;
  /** The operator wants the identity in every SIR. */
  readonly alwaysIncludeIdentity: boolean;
  readonly targeting: Targeting;
}

export interface SirPlan extends Pick<Sir, 'mode' | 'audience' | 'device' | 'identityIn'> {
  readonly reasons: readonly string[];
}

/** Where the identity stands when no rule says it: Table 1 and Table 2 of the specification at once, or what a proxy can act on. */
const USUAL_PLACES: Readonly<Record<Sir['mode'], readonly IdentityPlace[]>> = {
  routed: ['header', 'body'],
  'proxy-routed': ['value', 'body'],
  filtered: ['header', 'body'],
  open: [],
  plain: [],
};

export function planSir(subject: SirSubject): SirPlan {
  const device = identityToCarry(subject.terminal);
  const reasons: string[] = [];
  const mode = modeFor(subject, device, reasons);
  const named = USUAL_PLACES[mode].length > 0 && device !== undefined;
  const identityIn = named ? placesFor(subject, mode, reasons) : [];
  const isForAll = mode === 'filtered' || mode === 'open' || (mode === 'plain' && subject.isMulti);
  return {
    mode,
    audience: isForAll ? 'user' : 'terminal',
    ...(named ? { device } : {}),
    identityIn,
    reasons,
  };
}

function modeFor(subject: SirSubject, device: DeviceIdentity | undefined, reasons: string[]): Sir['mode'] {
  const { bearer, presence, isMulti, isNamed, alwaysIncludeIdentity, targeting } = subject;
  const wanted = targeting.settings.mode;
  if (wanted !== undefined && wanted !== 'delegated') {
    const obstacle = obstacleTo(wanted, subject, device);
    if (obstacle === undefined) return chosen(wanted, `${targeting.from.mode} wants it`, reasons);
    reasons.push(`${wanted} (${MODE_LETTER[wanted]}) is wanted by ${targeting.from.mode}, but ${obstacle}`);
  }
  if (!isMulti && !isNamed && !alwaysIncludeIdentity) {
    return chosen('plain', 'the only terminal of the user', reasons);
  }
  if (bearer !== 'sip') return chosen('routed', `the ${bearer} address is the terminal's own`, reasons);
  if (presence === 'alone') return chosen('routed', 'the terminal can be reached by itself', reasons);
  if (presence === 'absent')
    return chosen('routed', 'the terminal is not there, and nobody else is asked', reasons);
  if (device)
    return chosen('filtered', 'no way leads to the terminal alone, and its identity tells it apart', reasons);
  return chosen('open', 'nothing is known that would tell the terminal apart', reasons);
}

/** By any other bearer than SIP a SIR is its body and nothing else. */
function placesFor(
  { bearer, targeting }: SirSubject,
  mode: Sir['mode'],
  reasons: string[],
): readonly IdentityPlace[] {
  const { identityIn: wanted } = targeting.settings;
  if (bearer === 'sip') return wanted ?? USUAL_PLACES[mode];
  if (wanted?.includes('body') === false)
    reasons.push(`the identity stands in the body, which is all that comes by ${bearer}`);
  return ['body'];
}

function chosen(mode: Sir['mode'], why: string, reasons: string[]): Sir['mode'] {
  reasons.push(`${mode} (${MODE_LETTER[mode]}): ${why}`);
  return mode;
}

/** Why a mode cannot be had; undefined when it can. */
function obstacleTo(
  mode: Sir['mode'],
  subject: SirSubject,
  device: DeviceIdentity | undefined,
): string | undefined {
  switch (mode) {
    case 'routed':
      return subject.bearer === 'sip' && subject.presence === 'hidden'
        ? 'no way leads to the terminal alone'
        : undefined;
    case 'proxy-routed':
      if (subject.bearer !== 'sip') return `no proxy looks at what goes by ${subject.bearer}`;
      return device && instanceUrn(device) !== undefined ? undefined : 'the terminal has no instance URN';
    case 'filtered':
      return device ? undefined : 'the terminal has no identity';
    case 'open':
    case 'plain':
      return undefined;
  }
}

/** A GRUU, else what can be the instance of one, else whatever tells the terminal apart. */
export function identityToCarry(terminal: Pick<Terminal, 'identities'>): DeviceIdentity | undefined {
  for (const kind of REGISTERED_KINDS) {
    const found = terminal.identities.find((identity) => identity.kind === kind);
    if (found) return found;
  }
  return terminal.identities[0];
}

/** The identity as the value of a `gr` parameter or of `+sip.instance`, when it is a URN (RFC 5627 §3.1). */
export function instanceUrn(identity: DeviceIdentity): string | undefined {
  return /^urn:/i.test(identity.value) ? identity.value : undefined;
}

/** What the rules ask of the terminal besides connecting. */
export function askedOf({
  activate,
  ppg,
  return: back = [],
  send = [],
}: TargetingSettings): Pick<Sir, 'activate' | 'ppg' | 'return' | 'send'> {
  return {
    return: back,
    send,
    ...(activate === undefined ? {} : { activate }),
    ...(ppg === undefined ? {} : { ppg }),
  };
}

/** Ways to connect, besides SIP, that the terminal knows: it listens for OTA-HTTP or has told its capabilities by it; it listens for WSP. */
export function offeredTo({
  activation,
  reported,
}: Pick<Terminal, 'activation' | 'reported'>): Pick<Sir, 'otaHttp' | 'wsp'> {
  const listensFor = (name: BearerName) => activation.some(({ bearer }) => bearer === name);
  const cpiTag = parseCpiTag(reported?.cpi?.tag ?? '');
  const knowsOtaHttp = reported?.cpi !== undefined || listensFor('ota-http');
  return {
    ...(knowsOtaHttp ? { otaHttp: cpiTag === undefined ? {} : { cpiTag } } : {}),
    ...(listensFor('wsp') ? { wsp: true } : {}),
  };
}
