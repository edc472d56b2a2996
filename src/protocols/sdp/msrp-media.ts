/**
 * MSRP in offer and answer (RFC 4975 §8, RFC 3264, RFC 6135 for `setup`, RFC 6714 for CEMA): reading the first usable
 * `m=message` section, and writing an offer or an answer. An answer has as many `m=` lines as the offer, in its order;
 * all but the one taken are declined with port 0 (RFC 3264 §6).
 */
import { InvariantError } from '../../kernel/errors.js';
import { type CertificateFingerprint, fingerprintsOf, formatFingerprint } from './fingerprint.js';
import {
  connectionAddress,
  encodeSdp,
  networkAddress,
  type Sdp,
  type SdpLine,
  type SdpMedia,
  sdpAttribute,
} from './sdp.js';

export type MsrpSetup = 'active' | 'passive' | 'actpass' | 'holdconn';
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface MsrpMedia {
  /** Position among the `m=` lines. */
  readonly index: number;
  readonly isSecure: boolean;
  /** See `fingerprintsOf`. */
  readonly fingerprints: readonly CertificateFingerprint[] | undefined;
  /** From `c=`; under CEMA where to connect, otherwise the path says that. */
  readonly address: string | undefined;
  readonly port: number;
  /** MSRP URIs, the peer's own last; empty when there is no `a=path`. */
  readonly path: readonly string[];
  /** `*`, `type/*` and `type/subtype` as written; empty when missing. */
  readonly acceptTypes: readonly string[];
  /** Types taken inside containers only. */
  readonly acceptWrappedTypes: readonly string[];
  readonly setup: MsrpSetup | undefined;
  /** `a=max-size`: octets of the largest message that the peer takes. */
  readonly maxSize: number | undefined;
  readonly direction: MediaDirection;
  /** `a=msrp-cema` is present. */
  readonly isCema: boolean;
  /** All lines of the section, for attributes that others define (file-selector …). */
  readonly lines: readonly SdpLine[];
}

export interface MsrpMediaOptions {
  /** Address for `o=` and `c=`: an IP literal or a host name. */
  readonly host: string;
  /** Our path; its first URI's port goes into the `m=` line (RFC 4975 §8.1). */
  readonly path: readonly string[];
  readonly acceptTypes: readonly string[];
  readonly acceptWrappedTypes?: readonly string[];
  readonly setup?: MsrpSetup;
  /** Octets. */
  readonly maxSize?: number;
  readonly direction?: MediaDirection;
  /** Adds `a=msrp-cema` (RFC 6714 §4.1). */
  readonly isCema?: boolean;
  /** An offer of MSRP over TLS; an answer is what the offer is. */
  readonly isSecure?: boolean;
  /** Of our certificate, for a session over TLS. */
  readonly fingerprint?: CertificateFingerprint;
  /** Further attributes, e.g. `file-selector:name:"a.jpg"`. */
  readonly attributes?: readonly string[];
}

const DIRECTIONS: readonly MediaDirection[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const SETUPS: readonly string[] = ['active', 'passive', 'actpass', 'holdconn'];

/** The first MSRP media that is not declined, or undefined. */
export function msrpMedia(sdp: Sdp): MsrpMedia | undefined {
  const index = sdp.media.findIndex(isUsableMsrp);
  const media = sdp.media[index];
  return media === undefined ? undefined : readMsrpMedia(sdp, media, index);
}

/** An offer of one MSRP session. */
export function offerMsrp(options: MsrpMediaOptions): Uint8Array {
  return encodeSdp({
    lines: sessionLines(options),
    media: [mediaSection(options.isSecure === true ? 'TCP/TLS/MSRP' : 'TCP/MSRP', options)],
  });
}

/**
 * The answer to an offer: its first usable MSRP media is taken, every other one declined. Throws InvariantError when the
 * offer has none, which `msrpMedia` tells beforehand.
 */
export function answerOffer(offer: Sdp, options: MsrpMediaOptions): Uint8Array {
  const taken = msrpMedia(offer);
  if (taken === undefined) throw new InvariantError('the offer has no MSRP media to answer');
  const media = offer.media.map((offered, index) =>
    index === taken.index ? mediaSection(offered.protocol, options) : { ...offered, port: 0, lines: [] },
  );
  return encodeSdp({ lines: sessionLines(options, timingOf(offer)), media });
}

function isUsableMsrp(media: SdpMedia): boolean {
  return media.media === 'message' && media.port !== 0 && /^TCP\/(?:TLS\/)?MSRP$/i.test(media.protocol);
}

function readMsrpMedia(sdp: Sdp, media: SdpMedia, index: number): MsrpMedia {
  const attribute = (name: string) => sdpAttribute(media.lines, name) ?? sdpAttribute(sdp.lines, name);
  const setup = attribute('setup')?.toLowerCase();
  const maxSize = attribute('max-size');
  return {
    index,
    isSecure: /TLS/i.test(media.protocol),
    fingerprints: fingerprintsOf(sdp.lines, media.lines),
    address: connectionAddress(sdp, media),
    port: media.port,
    path: wordsOf(attribute('path')),
    acceptTypes: wordsOf(attribute('accept-types')),
    acceptWrappedTypes: wordsOf(attribute('accept-wrapped-types')),
    setup: isSetup(setup) ? setup : undefined,
    maxSize: maxSize !== undefined && /^\d{1,15}$/.test(maxSize) ? Number(maxSize) : undefined,
    direction: DIRECTIONS.find((direction) => attribute(direction) !== undefined) ?? 'sendrecv',
    isCema: attribute('msrp-cema') !== undefined,
    lines: media.lines,
  };
}

function isSetup(value: string | undefined): value is MsrpSetup {
  return value !== undefined && SETUPS.includes(value);
}

function wordsOf(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(/\s+/).filter((word) => word !== '');
}

function sessionLines(options: MsrpMediaOptions, timing: readonly SdpLine[] = NO_TIMING): SdpLine[] {
  const address = networkAddress(options.host);
  const session = sessionNumber(options.path);
  return [
    { type: 'v', value: '0' },
    { type: 'o', value: `- ${session} ${session} ${address}` },
    { type: 's', value: '-' },
    { type: 'c', value: address },
    ...timing,
  ];
}

const NO_TIMING: readonly SdpLine[] = [{ type: 't', value: '0 0' }];

/** [RFC 3264 §6] the answer's `t=` equals the offer's. */
function timingOf(offer: Sdp): readonly SdpLine[] {
  const timing = offer.lines.filter(({ type }) => type === 't');
  return timing.length > 0 ? timing : NO_TIMING;
}

function mediaSection(protocol: string, options: MsrpMediaOptions): SdpMedia {
  const wrapped = options.acceptWrappedTypes ?? [];
  const attributes = [
    `accept-types:${options.acceptTypes.join(' ')}`,
    ...(wrapped.length > 0 ? [`accept-wrapped-types:${wrapped.join(' ')}`] : []),
    ...(options.maxSize === undefined ? [] : [`max-size:${options.maxSize}`]),
    ...(options.direction === undefined ? [] : [options.direction]),
    ...(options.setup === undefined ? [] : [`setup:${options.setup}`]),
    ...(options.isCema === true ? ['msrp-cema'] : []),
    ...(options.fingerprint === undefined ? [] : [`fingerprint:${formatFingerprint(options.fingerprint)}`]),
    `path:${options.path.join(' ')}`,
    ...(options.attributes ?? []),
  ];
  return {
    media: 'message',
    port: portOf(options.path),
    protocol,
    formats: '*',
    lines: attributes.map((value) => ({ type: 'a', value })),
  };
}

function portOf(path: readonly string[]): number {
  const port = /^msrps?:\/\/(?:[^@/]*@)?(?:\[[^\]]*\]|[^:/;]+):(\d{1,5})(?:[/;]|$)/i.exec(path[0] ?? '');
  if (port?.[1] === undefined) throw new InvariantError(`no port in the MSRP path "${path[0] ?? ''}"`);
  return Number(port[1]);
}

/**
 * A session id for `o=` (RFC 8866 §5.2: decimal, unique with our address). The path holds 128 random bits; 52 bits
 * mixed from it keep the codec free of clock and chance.
 */
function sessionNumber(path: readonly string[]): number {
  let high = 0x811c9dc5;
  let low = 0x01000193;
  for (const character of path.join(' ')) {
    const code = character.codePointAt(0) ?? 0;
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b);
  }
  return ((high >>> 12) * 2 ** 32 + (low >>> 0)) % Number.MAX_SAFE_INTEGER;
}
