/**
 * Capabilities and preferences (RFC 3840 §9, RFC 3841 §9.2): feature parameters of a Contact, and Accept-Contact /
 * Reject-Contact values `*;audio;+g.oma.pusheventapp="push.sia";require;explicit`. Values keep their quotes; matching
 * a terminal against them is the registry's business.
 */
import { DecodeError } from '../../kernel/errors.js';
import { unquote } from './grammar.js';
import { parseParameters, type SipParameter } from './parameters.js';

export interface ContactPredicate {
  /** Feature parameters, quotes kept, without `require` and `explicit`. */
  readonly features: readonly SipParameter[];
  readonly require: boolean;
  readonly explicit: boolean;
}

/** Base feature tags that need no `+` (RFC 3840 §9). */
const BASE_TAGS = new Set(
  'audio automata class duplex data control mobility description events priority methods schemes application video language type isfocus actor text extensions'.split(
    ' ',
  ),
);

/** Parses one value of Accept-Contact or Reject-Contact. */
export function parseContactPredicate(value: string): ContactPredicate {
  const text = value.trim();
  if (!/^\*[ \t]*(?:;|$)/.test(text)) throw new DecodeError('no "*" in front', { clause: 'RFC 3841 §10' });
  const parameters = parseParameters(text.slice(1));
  const isMark = (candidate: SipParameter, mark: string) => candidate.name.toLowerCase() === mark;
  return {
    features: parameters.filter(
      (candidate) => !isMark(candidate, 'require') && !isMark(candidate, 'explicit'),
    ),
    require: parameters.some((candidate) => isMark(candidate, 'require')),
    explicit: parameters.some((candidate) => isMark(candidate, 'explicit')),
  };
}

/** Of a Contact's parameters those that state capabilities. */
export function featureParameters(parameters: readonly SipParameter[]): readonly SipParameter[] {
  return parameters.filter(({ name }) => name.startsWith('+') || BASE_TAGS.has(name.toLowerCase()));
}

/** The instance of a Contact, `urn:uuid:…` without quotes and angle brackets (RFC 5626 §4.1); undefined when absent. */
export function instanceOf(parameters: readonly SipParameter[]): string | undefined {
  const value = parameters.find(({ name }) => name.toLowerCase() === '+sip.instance')?.value;
  if (value === undefined) return undefined;
  const bare = unquote(value);
  return bare.startsWith('<') && bare.endsWith('>') && bare.length > 2 ? bare.slice(1, -1) : undefined;
}
