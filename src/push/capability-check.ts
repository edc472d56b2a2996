/**
 * Capabilities of one terminal against a push (PAP §8.4, §11): against what the initiator assumes of it (the RDF part of a submission)
 * and against what the content needs. Pure. Only knowledge speaks against a terminal: what is not known of it is let pass, and a terminal
 * that offers more than is assumed is not contradicted. Media types are compared without their parameters.
 */
import { DecodeError, type ErrorCode, RefusedError, unlessBroken } from '../kernel/errors.js';
import { parseContentType } from '../protocols/mime/index.js';
import {
  decodeUaProf,
  UAPROF_VOCABULARY,
  type UaProfile,
  type UaProfTerm,
  type UaProfValue,
} from '../protocols/uaprof/index.js';
import { type Capabilities, profileOf } from '../registry/capabilities.js';
import { binaryTypeOf } from './content-conversion.js';

/** Why a terminal cannot have the push; the code is the initiator's when nothing is left to send to. */
export interface UnmetCapability {
  readonly code: Extract<ErrorCode, 'capabilitiesMismatch' | 'capabilitiesExceeded'>;
  readonly reason: string;
}

export interface CapabilityDemand {
  readonly contentType: string;
  readonly size: number;
  /** The profiles that the initiator assumes; a terminal has to be like one of them. */
  readonly assumed?: readonly UaProfile[];
}

/** What speaks against the terminal, the assumptions first; undefined when nothing does. */
export function unmetCapability(
  capabilities: Capabilities,
  demand: CapabilityDemand,
): UnmetCapability | undefined {
  const contradiction = contradicted(capabilities, demand.assumed ?? []);
  if (contradiction !== undefined) return { code: 'capabilitiesMismatch', reason: contradiction };
  const lack = lacking(capabilities, demand);
  return lack === undefined ? undefined : { code: 'capabilitiesExceeded', reason: lack };
}

const PROFILE_TYPES = ['application/xml', 'text/xml', 'application/rdf+xml'];

/**
 * The profiles of the capabilities part of a submission. Throws RefusedError `capabilitiesUnreadable` (PAP 3004) for any part that cannot be
 * compared: the initiator relies on the comparison, so a push whose assumptions nobody checked must not go out.
 */
export function assumedProfiles(part: {
  readonly contentType: string;
  readonly content: Uint8Array;
}): readonly UaProfile[] {
  try {
    const { mediaType, parameters } = parseContentType(part.contentType);
    if (!PROFILE_TYPES.includes(mediaType)) throw new DecodeError(`${mediaType} is no form that is read`);
    const charset = parameters.get('charset');
    return decodeUaProf(part.content, charset === undefined ? {} : { charset });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw RefusedError.telling('capabilitiesUnreadable', `assumed capabilities: ${error.detail}`);
  }
}

/** The contradiction to the assumed profile that was written first, when none of them fits. */
function contradicted(capabilities: Capabilities, assumed: readonly UaProfile[]): string | undefined {
  if (assumed.length === 0) return undefined;
  const known = profileOf(capabilities).attributes;
  let first: string | undefined;
  for (const { attributes } of assumed) {
    const difference = [...attributes].map(([name, value]) => differs(name, value, known)).find(Boolean);
    if (difference === undefined) return undefined;
    first ??= difference;
  }
  return first;
}

function differs(
  name: string,
  assumed: UaProfValue,
  known: ReadonlyMap<string, UaProfValue>,
): string | undefined {
  // What is stated of pushes stands for pages too, when of those nothing is known.
  const actual = known.get(name) ?? known.get(name.replace(/^CcppAccept/, 'Push-Accept'));
  if (actual === undefined) return undefined;
  const covers = COVERS[UAPROF_VOCABULARY.get(name)?.form ?? 'literal'];
  const missing = listOf(assumed).find((value) => !listOf(actual).some((own) => covers(own, value, name)));
  return missing === undefined
    ? undefined
    : `${name}: assumed ${quoted(missing)}, has ${quoted(listOf(actual).join(', '))}`;
}

type Covers = (own: string, assumed: string, name: string) => boolean;

const isSame: Covers = (own, assumed) => own.toLowerCase() === assumed.toLowerCase();

/** When a value of the terminal is at least what is assumed, by the kind of the attribute. */
const COVERS: Readonly<Record<UaProfTerm['form'], Covers>> = {
  literal: isSame,
  boolean: (own, assumed) => isSame(own, assumed, '') || !isYes(assumed),
  number: (own, assumed) => atLeast([own], [assumed]) ?? isSame(own, assumed, ''),
  dimension: (own, assumed, name) =>
    name === 'PixelAspectRatio'
      ? isSame(own, assumed, '')
      : (atLeast(own.split('x'), assumed.split('x')) ?? isSame(own, assumed, '')),
  bag: isMember,
  seq: isMember,
};

function isYes(value: string): boolean {
  return /^(?:yes|true|1)$/i.test(value);
}

/** Undefined when these are no numbers of the same kind. */
function atLeast(own: readonly string[], assumed: readonly string[]): boolean | undefined {
  if (own.length !== assumed.length || ![...own, ...assumed].every((text) => /^\s*\d{1,12}\s*$/.test(text)))
    return undefined;
  return own.every((text, index) => Number(text) >= Number(assumed[index]));
}

function isMember(own: string, assumed: string, name: string): boolean {
  if (own === '*') return true;
  if (/Accept-?Language$/.test(name)) return sharesLanguage(own.toLowerCase(), assumed.toLowerCase());
  if (name === 'Push-Accept-AppID') return lastPart(own) === lastPart(assumed);
  if (/Accept$/.test(name)) return accepts([own], bare(assumed));
  return isSame(own, assumed, name);
}

/** `en` covers `en-GB`, and who has `en-GB` reads what is written in `en`. */
function sharesLanguage(own: string, assumed: string): boolean {
  return own === assumed || own.startsWith(`${assumed}-`) || assumed.startsWith(`${own}-`);
}

/** `x-wap-application:mms.ua` and `mms.ua` are one application. */
function lastPart(applicationId: string): string {
  return applicationId.toLowerCase().slice(applicationId.indexOf(':') + 1);
}

function lacking({ accept, maxMessageSize }: Capabilities, demand: CapabilityDemand): string | undefined {
  if (maxMessageSize !== undefined && demand.size > maxMessageSize) {
    return `content of ${demand.size} octets, takes ${maxMessageSize}`;
  }
  const mediaType = mediaTypeOf(demand.contentType);
  if (accept === undefined || mediaType === undefined) return undefined;
  const forms = [mediaType, binaryTypeOf(mediaType)].filter((form) => form !== undefined);
  return forms.some((form) => accepts(accept, form)) ? undefined : `does not accept ${mediaType}`;
}

function accepts(accepted: readonly string[], mediaType: string): boolean {
  return accepted.some((range) => {
    const own = bare(range);
    if (own === '*' || own === '*/*' || own === mediaType) return true;
    return own.endsWith('/*') && mediaType.startsWith(own.slice(0, -1));
  });
}

/** A media type or range without its parameters. */
function bare(range: string): string {
  return (range.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** Content whose type cannot be read is no reason to refuse it here. */
function mediaTypeOf(contentType: string): string | undefined {
  return unlessBroken(() => parseContentType(contentType))?.mediaType;
}

function listOf(value: UaProfValue): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

/** Values come from others and go into decisions and answers. */
function quoted(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
