/**
 * The PAP versions that we speak, how a document declares one (DOCTYPE identifiers, `wap-pap-ver` instruction), and which one
 * both sides know. Nothing is ever fetched from an identifier.
 */
import { DecodeError } from '../../kernel/errors.js';
import { PAP_VERSIONS, type PapVersion } from './document.js';

/**
 * Assumed for a document that declares nothing, and for answers to what cannot be read at all: WAP-247, which every
 * initiator since 2001 understands.
 */
export const DEFAULT_PAP_VERSION: PapVersion = '2.0';

export interface DoctypeIds {
  readonly publicId: string;
  readonly systemId: string;
}

/** The identifiers that we write. */
export const DOCTYPE = {
  '1.0': {
    publicId: '-//WAPFORUM//DTD PAP 1.0//EN',
    systemId: 'http://www.wapforum.org/DTD/pap_1.0.dtd',
  },
  '2.0': {
    publicId: '-//WAPFORUM//DTD PAP 2.0//EN',
    systemId: 'http://www.wapforum.org/DTD/pap_2.0.dtd',
  },
  '2.1': {
    publicId: '-//OMA//DTD PAP 2.1//EN',
    systemId: 'http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd',
  },
  '2.2': {
    publicId: '-//OMA//DTD PAP 2.2//EN',
    systemId: 'http://www.openmobilealliance.org/tech/DTD/pap_2.2.dtd',
  },
} as const satisfies Record<PapVersion, DoctypeIds>;

/** What the prologue of a document says about its version. */
export interface VersionClaim {
  readonly publicId?: string;
  readonly systemId?: string;
  readonly supportedVersions?: readonly string[];
}

/**
 * The version of a document. Throws DecodeError (`versionNotSupported`) when it declares one that we do not speak; such an
 * error is answered by `badmessage-response` 3002.
 */
export function negotiateVersion(claim: VersionClaim): PapVersion {
  const declared = declaredVersion(claim);
  if (declared === undefined) return highestCommonVersion(claim.supportedVersions) ?? DEFAULT_PAP_VERSION;
  const version = PAP_VERSIONS.find((known) => known === declared);
  if (version === undefined) {
    throw new DecodeError(`PAP version ${declared} is not supported`, { code: 'versionNotSupported' });
  }
  return version;
}

/** The newest version of ours that a `supported-versions` list names; `1.*` names every minor version. */
function highestCommonVersion(supported: readonly string[] | undefined): PapVersion | undefined {
  if (supported === undefined) return undefined;
  return PAP_VERSIONS.findLast((version) => {
    const anyMinor = `${version.slice(0, version.indexOf('.'))}.*`;
    return supported.some((entry) => entry === version || entry === anyMinor || entry === '*');
  });
}

/** BlackBerry writes WAPFORUM where OMA has its own name for 2.1, so the owner is not compared. */
const PUBLIC_ID = /^-\/\/(?:WAPFORUM|OMA)\/\/DTD PAP(?: ([0-9.]{1,8}))?\/\/EN$/i;
const SYSTEM_ID = /(?:^|\/)pap[_-]?([0-9]{1,3}\.[0-9]{1,3})\.dtd$/i;

function declaredVersion({ publicId, systemId }: VersionClaim): string | undefined {
  if (publicId === undefined && systemId === undefined) return undefined;
  const fromPublicId = publicId === undefined ? null : PUBLIC_ID.exec(publicId.replace(/\s+/g, ' ').trim());
  if (fromPublicId !== null) {
    // Leniency: no number at all means 1.0. The documents of early WAP initiators look like this.
    return fromPublicId[1] ?? '1.0';
  }
  const fromSystemId = systemId === undefined ? null : SYSTEM_ID.exec(systemId);
  return fromSystemId?.[1] ?? 'unknown';
}
