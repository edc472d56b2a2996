/** The SIR as an `application/vnd.wap.sia` body of version 1 with the extension block: the same octets on every bearer. */
import { createHmac } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type ContactPoint,
  encodeSia,
  ipContactPoint,
  OTA_HTTP,
  OTA_HTTP_CPITAG,
  OTA_SIP,
  type Sia,
  signedOctets,
} from '../protocols/sia/index.js';
import type { Sir } from '../push/sir.js';

export interface SirSender {
  /** The gateway's SIP address, where the session is to be opened. */
  readonly ppgUri: string;
  /** Where its SIP listens. */
  readonly contactPoint: Listener;
  /** Where it takes connections of terminals by OTA-HTTP, when it does. */
  readonly otaHttp?: Listener;
  /** Where it takes WSP sessions, when it does. */
  readonly wsp?: Listener;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
}

export function siaFor(sir: Sir, sender: SirSender): Sia {
  const { user, device, identityIn, applicationId, activate, describes } = sir;
  const otaHttp = sir.otaHttp === undefined ? undefined : sender.otaHttp;
  const { cpiTag } = sir.otaHttp ?? {};
  return {
    version: 1,
    applicationIds: [applicationId],
    wspContactPoints: sir.wsp && sender.wsp ? contactPoints(sender.wsp) : [],
    // OTA-HTTP first: a terminal that knows nothing else takes the first point that there is.
    contactPoints: [
      ...(otaHttp === undefined ? [] : contactPoints(otaHttp)),
      ...contactPoints(sender.contactPoint),
    ],
    protocolOptions: [
      ...(otaHttp === undefined ? [] : [cpiTag === undefined ? OTA_HTTP : OTA_HTTP_CPITAG]),
      OTA_SIP,
    ],
    provisioningUrl: '',
    cpiTags: otaHttp === undefined || cpiTag === undefined ? [] : [cpiTag],
    extension: {
      identities: device && identityIn.includes('body') ? [device.value] : [],
      publicUserIdentity: user,
      application: activate ?? { id: applicationId },
      return: sir.return,
      send: sir.send,
      ppg: sir.ppg ?? sender.ppgUri,
      id: sir.id,
      expiresAtSeconds: Math.ceil(sir.expiresAt / 1000),
      ...(describes === undefined ? {} : { content: describes }),
      unknown: [],
    },
  };
}

/** The same with the `sig` line when the SIR is to be signed (SIR-150, C-17): HMAC-SHA-256, base64url, over what stands in front of it. */
export function signedSia(sir: Sir, sender: SirSender): Sia {
  return signed(siaFor(sir, sender), sir);
}

/**
 * The same for a bearer that has little room: what a terminal can do without goes first, line by line, until the body fits. Undefined when the
 * least of it, which is whom it is for, its id, when it lapses and its signature, does not.
 */
export function signedSiaWithin(sir: Sir, sender: SirSender, maxOctets: number): Sia | undefined {
  let sia = siaFor(sir, sender);
  for (const line of [undefined, ...DISPENSABLE]) {
    if (line !== undefined) sia = without(line, sia);
    const body = signed(sia, sir);
    if (encodeSia(body).length <= maxOctets) return body;
  }
  return undefined;
}

/** Lines of the extension block, what helps least first. A terminal without `ppg` contacts the gateway that it is provisioned with. */
const DISPENSABLE = ['content', 'application', 'publicUserIdentity', 'ppg'] as const;

/** Contact points say once more what the lines say. */
function without(line: (typeof DISPENSABLE)[number], sia: Sia): Sia {
  if (sia.extension === undefined) return sia;
  const { [line]: _, ...extension } = sia.extension;
  return { ...sia, contactPoints: [], extension };
}

function signed(sia: Sia, { signingKey }: Pick<Sir, 'signingKey'>): Sia {
  if (signingKey === undefined || sia.extension === undefined) return sia;
  const signature = createHmac('sha256', signingKey)
    .update(signedOctets(encodeSia(sia)))
    .digest('base64url');
  return { ...sia, extension: { ...sia.extension, signature } };
}

/** Only an address can be a contact point; behind a name or a wildcard the `ppg` line says all. */
function contactPoints({ address, port }: Listener): readonly ContactPoint[] {
  if (isIP(address) === 0 || address === '0.0.0.0' || address === '::') return [];
  const point = ipContactPoint(address, port);
  return point ? [point] : [];
}
