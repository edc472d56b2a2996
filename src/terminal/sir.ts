/**
 * A SIR as the terminal understands it: what stood in the header fields, in values and in the SIA body, put together
 * (SIR-49 … SIR-61, SIR-67 … SIR-70). Every place is read, whichever the sender chose; places that name different devices
 * are found in `identity-comparing.ts`. Pure; octets of the body by the `sia` codec.
 */
import { createHash } from 'node:crypto';
import { DecodeError } from '../kernel/errors.js';
import { present } from '../kernel/present.js';
import {
  decodeSia,
  type ReturnFlag,
  type SendFlag,
  type SiaExtension,
  signedOctets,
} from '../protocols/sia/index.js';
import {
  addressesOf,
  headerValue,
  headerValues,
  instanceOf,
  parameter,
  parseContactPredicate,
  parseNameAddr,
  parseUri,
  type SipRequest,
} from '../protocols/sip/index.js';
import { type DeviceIdentity, parseDeviceIdentity } from '../registry/device-identity.js';
import { publicUserIdentity } from '../registry/public-user-identity.js';
import { type Offers, offersOf } from './session-offer.js';

export interface PushApplication {
  readonly id: string;
  readonly name?: string;
}

export const SIA_MEDIA_TYPE = 'application/vnd.wap.sia';

/** How a SIR reached the terminal; `http`: by OTA-HTTP; `other`: handed in by whoever runs the terminal. */
export type SirCarrier = 'sip' | 'sms' | 'ussd' | 'wsp' | 'http' | 'http-callback' | 'web-push' | 'other';

export interface ReceivedSir {
  readonly carrier: SirCarrier;
  /** Tells duplicates apart: the `id` line, else the Call-ID, else a digest of the body (SIR-60). */
  readonly id: string;
  /** The `id` line, when it can be cited in In-Reply-To. */
  readonly citableId?: string;
  /** Canonical public user identity: the `impu` line, else the To header. */
  readonly user?: string;
  readonly devices: readonly DeviceIdentity[];
  /** An identity is there that no rule of ours can read: the SIR is for some device, and not for us by that name. */
  readonly hasUnreadableDevice: boolean;
  readonly application?: PushApplication;
  /** Applications of the base fields that will get content. */
  readonly applicationIds: readonly string[];
  /** SIP URI of whoever sent it: P-Asserted-Identity, else From. Absent on carriers that name no sender. */
  readonly sender?: string;
  /** SIP URI to open the session to: the `ppg` line, else the sender, else a contact point. */
  readonly gateway?: string;
  /** Contact point that takes connections by OTA-HTTP. */
  readonly otaHttp?: NonNullable<Offers['otaHttp']>;
  /** Where to open a WSP session to. */
  readonly wsp?: NonNullable<Offers['wsp']>;
  /** What waits, as far as the SIR says. */
  readonly content?: NonNullable<SiaExtension['content']>;
  readonly expiresAt?: number;
  readonly return: readonly ReturnFlag[];
  readonly send: readonly SendFlag[];
  readonly signature?: { readonly value: string; readonly signed: Uint8Array };
  /** Transport address that it came from, over SIP. */
  readonly peer?: { readonly address: string; readonly port: number };
}

/** Reads a SIR out of a MESSAGE. Throws DecodeError when its body is no SIA. */
export function sirOfRequest(request: SipRequest, peer: { address: string; port: number }): ReceivedSir {
  const body = readBody(request.body);
  const to = uriOf(headerValue(request, 'to'));
  const sender = assertedIdentity(request) ?? uriOf(headerValue(request, 'from'));
  const placed = [...deviceTexts(request, to), ...body.devices];
  return {
    carrier: 'sip',
    ...body.rest,
    ...devicesOf(placed),
    ...present('user', body.user ?? userOf(to)),
    ...present('sender', sender),
    ...offersOf(body.sia, body.ppg, sender),
    id: body.id ?? headerValue(request, 'call-id') ?? digestOf(request.body),
    peer: { address: peer.address, port: peer.port },
  };
}

/** Reads a SIR whose SIA body came by another carrier. Throws DecodeError when the octets are no SIA. */
export function sirOfBody(octets: Uint8Array, carrier: Exclude<SirCarrier, 'sip'>): ReceivedSir {
  const body = readBody(octets);
  return {
    carrier,
    ...body.rest,
    ...devicesOf(body.devices),
    ...present('user', body.user),
    ...offersOf(body.sia, body.ppg, undefined),
    id: body.id ?? digestOf(octets),
  };
}

/** `id` lines that RFC 3261 §20.21 lets stand in In-Reply-To. */
export function isCitable(id: string): boolean {
  return /^[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+(?:@[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+)?$/.test(id);
}

function readBody(octets: Uint8Array) {
  // Table 1: the SIA content may be empty, the header fields say it all.
  const sia = octets.length === 0 ? undefined : decodeSia(octets);
  const extension = sia?.extension;
  const { id, signature } = extension ?? {};
  return {
    sia,
    devices: extension?.identities ?? [],
    user: extension?.publicUserIdentity === undefined ? undefined : userOf(extension.publicUserIdentity),
    ppg: extension?.ppg === undefined ? undefined : sipUriOf(extension.ppg),
    id,
    rest: {
      applicationIds: sia?.applicationIds ?? [],
      return: extension?.return ?? [],
      send: extension?.send ?? [],
      ...present('application', extension?.application),
      ...present('content', extension?.content),
      ...present('citableId', id !== undefined && isCitable(id) ? id : undefined),
      ...present(
        'expiresAt',
        extension?.expiresAtSeconds === undefined ? undefined : extension.expiresAtSeconds * 1000,
      ),
      ...present(
        'signature',
        signature === undefined ? undefined : { value: signature, signed: signedOctets(octets) },
      ),
    },
  };
}

/**
 * Identities of the header fields: `gr` of To and of the Request-URI (Table 1), and the two value places,
 * `+sip.instance` of Accept-Contact and X-Push-Device-Identity (C-6).
 */
function deviceTexts(request: SipRequest, to: string | undefined): readonly string[] {
  const gruus = [to, sipUriOf(request.uri)].filter((uri) => uri !== undefined && hasGr(uri));
  const instances = headerValues(request, 'accept-contact').map((value) =>
    instanceOf(parseContactPredicate(value).features),
  );
  const stated = headerValue(request, 'x-push-device-identity');
  return [...gruus, ...instances, stated].filter((text) => text !== undefined);
}

function devicesOf(texts: readonly string[]): Pick<ReceivedSir, 'devices' | 'hasUnreadableDevice'> {
  const devices: DeviceIdentity[] = [];
  let hasUnreadableDevice = false;
  for (const text of texts) {
    try {
      devices.push(parseDeviceIdentity(text));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      hasUnreadableDevice = true;
    }
  }
  return { devices, hasUnreadableDevice };
}

function assertedIdentity(request: SipRequest): string | undefined {
  return addressesOf(request, 'p-asserted-identity')
    .map(({ uri }) => sipUriOf(uri))
    .find((uri) => uri !== undefined);
}

function uriOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : parseNameAddr(header).uri;
}

/** The text when it is a well-formed SIP URI: nothing else can be connected to. */
function sipUriOf(text: string): string | undefined {
  const uri = parseUri(text);
  return uri.kind === 'sip' ? text : undefined;
}

function hasGr(uri: string): boolean {
  const parsed = parseUri(uri);
  return parsed.kind === 'sip' && parameter(parsed.parameters, 'gr') !== undefined;
}

function userOf(uri: string | undefined): string | undefined {
  try {
    return uri === undefined ? undefined : publicUserIdentity(uri);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function digestOf(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('base64url');
}
