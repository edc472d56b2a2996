/**
 * Unit 22: judges a SIR. The steps stand in the order in which a terminal must take them: recognise, safety, already
 * connected, device identity, own information; the first one that has an opinion decides, and later ones are not looked at
 * (SIR-115, SIR-119, SIR-131, SIR-149 … SIR-155). The user comes last (SIR-156). Pure; asking and acting happen elsewhere.
 */
import type { DeviceIdentity } from '../registry/device-identity.js';
import { isAllowedGateway } from './gateway-address.js';
import { compareIdentities } from './identity-comparing.js';
import { type JudgementReason, reasonRow, type Verdict } from './judgement-reasons.js';
import { ownObjection } from './own-information.js';
import { chosenOffer, offerAddress, offerKey, SESSION_WAYS } from './session-offer.js';
import type { ReceivedSir } from './sir.js';
import type { TerminalPolicy, UserAnswer } from './terminal-options.js';

export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: JudgementReason;
}

/** What the terminal knows of itself at this moment. */
export interface OwnSituation {
  readonly now: number;
  readonly hasSeen: (sirId: string) => boolean;
  /** Connected or connecting to the place with this `offerKey`. */
  readonly isConnectedTo: (place: string) => boolean;
  readonly identities: readonly DeviceIdentity[];
  /** Canonical public user identities. */
  readonly users: readonly string[];
  /** Whether a transport address is the registrar's. */
  readonly isRegistrar: (peer: { readonly address: string; readonly port: number }) => boolean;
  readonly policy: TerminalPolicy;
}

type JudgingStep = (sir: ReceivedSir, own: OwnSituation) => JudgementReason | undefined;

const STEPS: readonly JudgingStep[] = [
  recognise,
  checkSafety,
  findConnection,
  compareDevice,
  weighOwnInformation,
];

export function judgeSir(sir: ReceivedSir, own: OwnSituation): Judgement {
  for (const step of STEPS) {
    const reason = step(sir, own);
    if (reason !== undefined) return judgement(reason);
  }
  return judgement(isAddressedToDevice(sir) ? 'matched' : 'accepted');
}

/**
 * What becomes of a SIR that would be followed once the user has been asked about it; undefined is no answer. `isConnected`: while the
 * user thought it over, another SIR connected the terminal.
 */
export function judgeAnswer(
  first: Judgement,
  answer: UserAnswer | undefined,
  { isConnected }: { readonly isConnected: boolean },
): Judgement {
  switch (answer) {
    case undefined:
      return judgement('userAway');
    case 'reject':
      return judgement('userDeclined');
    case 'later':
      return judgement('userPostponed');
    case 'accept':
      return isConnected ? judgement('alreadyConnected') : first;
  }
}

export function judgement(reason: JudgementReason): Judgement {
  return { verdict: reasonRow(reason).verdict, reason };
}

function recognise(sir: ReceivedSir, own: OwnSituation): JudgementReason | undefined {
  if (own.hasSeen(sir.id)) return 'duplicate';
  return sir.expiresAt !== undefined && sir.expiresAt <= own.now ? 'expired' : undefined;
}

function checkSafety(sir: ReceivedSir, own: OwnSituation): JudgementReason | undefined {
  const { safety } = own.policy;
  if (safety === undefined) return undefined;
  const { sender, peer, signature } = sir;
  if (peer !== undefined && safety.onlyFromRegistrar !== false && !own.isRegistrar(peer)) {
    return 'unvouchedSender';
  }
  const offer = chosenOffer(sir, own.policy);
  for (const address of [sender, offer && offerAddress(offer)]) {
    if (address !== undefined && !isAllowedGateway(address, safety.allowedGateways)) return 'foreignGateway';
  }
  if (safety.verifySignature === undefined) return undefined;
  const isSigned = signature !== undefined && safety.verifySignature(signature.signed, signature.value);
  return isSigned ? undefined : 'badSignature';
}

function findConnection(sir: ReceivedSir, own: OwnSituation): JudgementReason | undefined {
  if (isConnectedByAnyOffer(sir, own)) return 'alreadyConnected';
  return chosenOffer(sir, own.policy) === undefined ? 'nowhereToConnect' : undefined;
}

/** Whichever way the terminal would take now, one connection to the gateway is enough (SIR-130, SIR-155). */
export function isConnectedByAnyOffer(
  sir: ReceivedSir,
  { isConnectedTo, policy }: Pick<OwnSituation, 'isConnectedTo' | 'policy'>,
): boolean {
  return SESSION_WAYS.some((way) => {
    const offer = chosenOffer(sir, { ...policy, sessionWays: [way] });
    return offer !== undefined && isConnectedTo(offerKey(offer));
  });
}

function compareDevice(sir: ReceivedSir, own: OwnSituation): JudgementReason | undefined {
  if (!isAddressedToDevice(sir)) return undefined;
  switch (compareIdentities(sir.devices, own.identities)) {
    case 'ours':
      return undefined;
    case 'other':
      return 'otherDevice';
    case 'contradictory':
      return 'contradictoryIdentities';
  }
}

/** Also for a SIR that names this terminal: what the user does not want must not disturb (SIR-176). */
function weighOwnInformation(sir: ReceivedSir, own: OwnSituation): JudgementReason | undefined {
  if (!isAddressedToDevice(sir) && sir.user !== undefined && !own.users.includes(sir.user))
    return 'otherUser';
  return ownObjection(sir, own.policy, own.now);
}

/** True when the SIR names a device, readable to us or not. */
export function isAddressedToDevice(sir: ReceivedSir): boolean {
  return sir.devices.length > 0 || sir.hasUnreadableDevice;
}
