/**
 * Parameters behind a semicolon: `;tag=a;lr;+sip.instance="<urn:uuid:…>"` (RFC 3261 §7.3.1, RFC 3840 §9).
 * Order, spelling and quotes are kept, because feature parameters and GRUUs are compared and copied as they stand.
 * Names compare without case.
 */
import { DecodeError } from '../../kernel/errors.js';
import { isBlank, quotedStringEnd, skipBlanks } from './grammar.js';

export interface SipParameter {
  readonly name: string;
  /** As on the wire, quotes included; undefined for a flag such as `lr`. */
  readonly value: string | undefined;
}

/** More parameters than any honest header carries. */
const MAX_PARAMETERS = 64;

/** Parses `;a=b;c` (blanks allowed around every mark). Throws DecodeError on anything else but parameters. */
export function parseParameters(text: string): readonly SipParameter[] {
  const parameters: SipParameter[] = [];
  let index = skipBlanks(text, 0);
  while (index < text.length) {
    if (text.charCodeAt(index) !== 0x3b) {
      throw new DecodeError('expected ";" before a parameter', { offset: index, clause: 'RFC 3261 §25.1' });
    }
    index = skipBlanks(text, index + 1);
    const end = parameterEnd(text, index);
    if (end > index) parameters.push(parseParameter(text.slice(index, end)));
    if (parameters.length > MAX_PARAMETERS) {
      throw new DecodeError('too many parameters', { offset: index, code: 'limitExceeded' });
    }
    index = end;
  }
  return parameters;
}

/** The raw value of a parameter: undefined when it is absent, the empty string when it is a flag. */
export function parameter(parameters: readonly SipParameter[], name: string): string | undefined {
  for (const candidate of parameters) {
    if (isParameterNamed(candidate, name)) return candidate.value ?? '';
  }
  return undefined;
}

/** The parameters with `name` set to `value` (a flag when undefined): replaced in place, or added at the end. */
export function withParameter(
  parameters: readonly SipParameter[],
  name: string,
  value: string | undefined,
): readonly SipParameter[] {
  const at = parameters.findIndex((candidate) => isParameterNamed(candidate, name));
  if (at < 0) return [...parameters, { name, value }];
  return parameters.map((candidate, index) => (index === at ? { name: candidate.name, value } : candidate));
}

/** `;a=b;c`, or the empty string. */
export function formatParameters(parameters: readonly SipParameter[]): string {
  let text = '';
  for (const { name, value } of parameters) text += value === undefined ? `;${name}` : `;${name}=${value}`;
  return text;
}

function isParameterNamed(candidate: SipParameter, name: string): boolean {
  return (
    candidate.name === name ||
    (candidate.name.length === name.length && candidate.name.toLowerCase() === name.toLowerCase())
  );
}

/** The index of the `;` that ends the parameter starting at `start`, or the end of the text. */
function parameterEnd(text: string, start: number): number {
  let index = start;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === 0x3b) return index;
    index = code === 0x22 ? quotedStringEnd(text, index) : index + 1;
  }
  return index;
}

function parseParameter(text: string): SipParameter {
  const equals = text.indexOf('=');
  const name = (equals < 0 ? text : text.slice(0, equals)).trimEnd();
  if (name === '' || /[\s",<>]/.test(name)) {
    throw new DecodeError(`"${name}" is no parameter name`, { clause: 'RFC 3261 §25.1' });
  }
  if (equals < 0) return { name, value: undefined };
  const value = text.slice(equals + 1).trim();
  if (!value.startsWith('"') && hasBlank(value)) {
    throw new DecodeError(`the value of parameter ${name} holds blanks`, { clause: 'RFC 3261 §25.1' });
  }
  return { name, value };
}

function hasBlank(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (isBlank(text.charCodeAt(index))) return true;
  return false;
}
