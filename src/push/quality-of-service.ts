/**
 * Quality of service (PAP §9.2.1): which terminals can have a push in the way that its initiator requires, and what is said
 * afterwards of the way it went. A wish that is not required never keeps a terminal out.
 */
import type { ErrorCode } from '../kernel/errors.js';
import type { Confirmation } from '../lane/ports.js';
import type { QualityOfService } from '../protocols/pap/index.js';
import type { BearerName } from '../registry/bearer-name.js';
import type { Terminal } from '../registry/user.js';
import type { DeliveryRecord } from './push-message.js';

/** Why a terminal cannot have the push; the code is the initiator's when it is true of all of them. */
export interface UnmetQuality {
  readonly code: Extract<ErrorCode, 'methodNotPossible' | 'networkNotAvailable' | 'bearerNotAvailable'>;
  readonly reason: string;
}

/** Bearers that carry IP: what PAP calls packet data in its several names (WDP appendix C). */
const OVER_IP: readonly BearerName[] = ['sip', 'wsp', 'ota-http', 'http-callback', 'web-push'];

/** PAP's bearer names, in lower case, and the bearers of ours that are meant. */
const BEARERS: Readonly<Record<string, readonly BearerName[]>> = {
  sms: ['sms'],
  ussd: ['ussd'],
  gprs: OVER_IP,
  'packet data': OVER_IP,
  csd: OVER_IP,
  cdpd: OVER_IP,
};

/** PAP's network names that our bearers can be part of. The gateway sees bearers, not networks: GSM has them all. */
const NETWORKS: Readonly<Record<string, readonly BearerName[]>> = {
  gsm: ['sms', 'ussd', ...OVER_IP],
};

const ANY = 'any';

/** The bearers of ours that PAP's name means; undefined for no name and for any bearer. An unknown name means none of them. */
export function bearersMeant(name: string | undefined): readonly BearerName[] | undefined {
  const wanted = name?.toLowerCase() ?? ANY;
  return wanted === ANY ? undefined : (BEARERS[wanted] ?? []);
}

/**
 * What of the required quality a terminal cannot meet; undefined when it can have the push. `available` are the bearers
 * that this gateway has.
 */
export function unmetQuality(
  terminal: Pick<Terminal, 'activation'>,
  quality: QualityOfService | undefined,
  available: ReadonlySet<BearerName>,
): UnmetQuality | undefined {
  if (!quality) return undefined;
  const own = terminal.activation.map(({ bearer }) => bearer).filter((bearer) => available.has(bearer));
  const reaches = (wanted: readonly BearerName[] | undefined) =>
    own.some((bearer) => wanted?.includes(bearer));
  const network = (quality.network ?? ANY).toLowerCase();
  if (quality.networkRequired && network !== ANY && !reaches(NETWORKS[network])) {
    return { code: 'networkNotAvailable', reason: `not reached over ${quality.network}` };
  }
  const bearers = bearersMeant(quality.bearer);
  if (quality.bearerRequired && bearers !== undefined && !reaches(bearers)) {
    return { code: 'bearerNotAvailable', reason: `not reached by ${quality.bearer}` };
  }
  // Content goes out by MSRP with a success report, or by MESSAGE with its response: every way confirms.
  return undefined;
}

/**
 * Whether the terminal has to confirm. An initiator that leaves the choice to us gets what is had without asking more of the
 * terminal: a receipt where the network gives one.
 */
export function confirmationFor(quality: QualityOfService | undefined): Confirmation {
  switch (quality?.deliveryMethod) {
    case 'confirmed':
      return 'required';
    case 'unconfirmed':
      return 'unwanted';
    default:
      return 'wanted';
  }
}

/** The quality as the initiator is told it in a result: what it asked for, with the method that was used for what arrived. */
export function usedQuality(
  asked: QualityOfService,
  deliveries: readonly Pick<DeliveryRecord, 'state' | 'isUnconfirmed'>[],
): QualityOfService {
  const arrived = deliveries.filter(({ state }) => state === 'delivered');
  if (arrived.length === 0) return asked;
  const isConfirmed = arrived.some(({ isUnconfirmed }) => !isUnconfirmed);
  return { ...asked, deliveryMethod: isConfirmed ? 'confirmed' : 'unconfirmed' };
}
