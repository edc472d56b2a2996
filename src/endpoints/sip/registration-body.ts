/**
 * What a third-party REGISTER carries in its body (3GPP TS 24.229 §5.4.1.7A): registration information, or the terminal's own REGISTER
 * and the 200 to it as `message/sip`. Either tells which devices are registered, without asking anybody.
 */
import { SECOND_MS } from '../../kernel/units.js';
import { decodeMultipart, parseContentType } from '../../protocols/mime/index.js';
import {
  activeContacts,
  applyRegInfo,
  decodeRegInfo,
  REGINFO_MEDIA_TYPE,
} from '../../protocols/reginfo/index.js';
import {
  contactsOf,
  decodeSipMessage,
  headerValue,
  instanceOf,
  parameter,
  type SipMessage,
  type SipRequest,
  unquote,
} from '../../protocols/sip/index.js';
import { type CoreContact, registeredDevices } from '../../registry/core-registration.js';
import type { DeviceReport } from '../../registry/terminal-source.js';

export interface ToldDevices {
  /** Those that have lapsed, or were taken back, are among them with the moment of their end. */
  readonly devices: readonly DeviceReport[];
  /** All that are registered; otherwise only those that one REGISTER named. */
  readonly isWhole: boolean;
}

interface ToldContacts {
  readonly contacts: readonly CoreContact[];
  readonly isWhole: boolean;
}

const PART_LIMITS = { maxParts: 8, maxHeaderBytes: 16_384, maxHeaders: 100 };

/** The devices that the body names; undefined when it says nothing about them. Throws DecodeError when it cannot be read. */
export function devicesInBody(register: SipRequest, now: number): ToldDevices | undefined {
  const contentType = headerValue(register, 'content-type');
  if (register.body.length === 0 || contentType === undefined) return undefined;
  const told = contactsIn(contentType, register.body, now);
  return told && { devices: registeredDevices(told.contacts), isWhole: told.isWhole };
}

function contactsIn(contentType: string, octets: Uint8Array, now: number): ToldContacts | undefined {
  const { mediaType, parameters } = parseContentType(contentType);
  if (mediaType === REGINFO_MEDIA_TYPE) return contactsOfRegInfo(octets, parameters.get('charset'), now);
  if (mediaType === 'message/sip') return contactsOfMessages([decodeSipMessage(octets)], now);
  if (!mediaType.startsWith('multipart/')) return undefined;
  const limits = { maxBytes: octets.length, ...PART_LIMITS };
  const { parts } = decodeMultipart(octets, parameters.get('boundary') ?? '', limits);
  const typed = parts.map(({ headers, content }) => ({
    type: headers.find(({ name }) => name.toLowerCase() === 'content-type')?.value ?? 'text/plain',
    content,
  }));
  const isMessage = ({ type }: { readonly type: string }) => /^\s*message\/sip\s*(?:;|$)/i.test(type);
  const messages = typed.filter(isMessage).map(({ content }) => decodeSipMessage(content));
  if (messages.length > 0) return contactsOfMessages(messages, now);
  const info = typed.find(({ type }) => parseContentType(type).mediaType === REGINFO_MEDIA_TYPE);
  return info && contactsOfRegInfo(info.content, undefined, now);
}

function contactsOfRegInfo(
  octets: Uint8Array,
  charset: string | undefined,
  now: number,
): ToldContacts | undefined {
  const applied = applyRegInfo(undefined, decodeRegInfo(octets, charset === undefined ? {} : { charset }));
  if (applied === undefined) return undefined; // a partial one changes what we do not have
  const contacts = activeContacts(applied.view).map(({ expiresSeconds, ...contact }) => ({
    ...contact,
    since: now,
    ...(expiresSeconds === undefined ? {} : { expiresAt: now + expiresSeconds * SECOND_MS }),
  }));
  return { contacts, isWhole: true };
}

/** The 200 has every contact, with the time that was granted and the GRUUs; the REGISTER only what this terminal asked for. */
function contactsOfMessages(messages: readonly SipMessage[], now: number): ToldContacts | undefined {
  const isAccepted = (message: SipMessage) => message.kind === 'response' && message.status < 300;
  const said = messages.find(isAccepted) ?? messages.find(({ kind }) => kind === 'request');
  if (said === undefined) return undefined;
  const given = contactsOf(said);
  if (given === '*') return { contacts: [], isWhole: true };
  const fallback = seconds(headerValue(said, 'expires')) ?? 0;
  const contacts = given.map(({ uri, parameters }): CoreContact => {
    const expires = seconds(parameter(parameters, 'expires')) ?? fallback;
    const [publicGruu, temporaryGruu] = ['pub-gruu', 'temp-gruu'].map((name) => {
      const value = parameter(parameters, name);
      return value === undefined ? undefined : unquote(value);
    });
    const instance = instanceOf(parameters);
    return {
      uri,
      parameters,
      since: now,
      expiresAt: now + expires * SECOND_MS,
      ...(instance === undefined ? {} : { instance }),
      ...(publicGruu === undefined ? {} : { publicGruu }),
      ...(temporaryGruu === undefined ? {} : { temporaryGruu }),
    };
  });
  return { contacts, isWhole: said.kind === 'response' };
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}
