/**
 * Typed reading of the attributes of one element. The DTD has vouched for presence and enumerations; what it cannot say
 * (instants, codes, lengths, URLs) is checked here. A bad value throws `BadAttribute`, which the decoder turns into the
 * refusal of the operation.
 */

import type { XmlElement } from '../xml/index.js';
import { parseTimestamp } from '../xml/index.js';
import type { PapCode } from './document.js';
import { isPapCode } from './pap-status-table.js';

/** Thrown inside the codec only. `papCode` is what the initiator is told. */
export class BadAttribute extends Error {
  override readonly name = 'BadAttribute';
  readonly papCode: PapCode;

  constructor(detail: string, papCode: PapCode = 2000) {
    super(detail);
    this.papCode = papCode;
  }
}

/** Longest push-id, replace-push-id and query-id taken, in characters. */
export const MAX_ID_LENGTH = 255;
/** Longest address-value taken, in characters. */
export const MAX_ADDRESS_LENGTH = 1024;
/** Longest value of any other attribute, in characters. */
const MAX_TEXT_LENGTH = 2048;

export function optionalText(
  element: XmlElement,
  name: string,
  maxLength = MAX_TEXT_LENGTH,
): string | undefined {
  const value = element.attributes.get(name);
  if (value !== undefined && value.length > maxLength)
    throw new BadAttribute(`${name} is longer than ${maxLength} characters`);
  return value;
}

export function requiredText(element: XmlElement, name: string, maxLength = MAX_TEXT_LENGTH): string {
  const value = optionalText(element, name, maxLength);
  if (value === undefined) throw new BadAttribute(`${name} is missing`);
  return value;
}

/** An id that is compared, logged and echoed: not empty, no control characters. */
export function requiredId(element: XmlElement, name: string): string {
  return checkedId(name, requiredText(element, name, MAX_ID_LENGTH));
}

export function optionalId(element: XmlElement, name: string): string | undefined {
  const value = optionalText(element, name, MAX_ID_LENGTH);
  return value === undefined ? undefined : checkedId(name, value);
}

function checkedId(name: string, value: string): string {
  if (value.trim() === '') throw new BadAttribute(`${name} is empty`);
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value)) throw new BadAttribute(`${name} has a control character`);
  return value;
}

export function optionalInstant(element: XmlElement, name: string): number | undefined {
  const value = element.attributes.get(name);
  if (value === undefined) return undefined;
  const instant = parseTimestamp(value);
  if (instant === undefined) throw new BadAttribute(`${name} is not a time of the form YYYY-MM-DDThh:mm:ssZ`);
  return instant;
}

export function requiredCode(element: XmlElement): PapCode {
  const value = requiredText(element, 'code');
  const code = /^\d{4}$/.test(value) ? Number(value) : 0;
  if (!isPapCode(code)) throw new BadAttribute('code is not a PAP status code');
  return code;
}

/** A value out of a closed list; the DTD's default when the attribute is absent. */
export function oneOf<Value extends string>(
  element: XmlElement,
  name: string,
  values: readonly Value[],
  fallback?: Value,
): Value {
  const text = element.attributes.get(name);
  const value = text === undefined ? fallback : values.find((known) => known === text);
  if (value === undefined) throw new BadAttribute(`${name} is none of ${values.join(', ')}`);
  return value;
}

export function flag(element: XmlElement, name: string): boolean {
  return oneOf(element, name, ['true', 'false'], 'false') === 'true';
}

/** The `address` children, in order. An empty address is an address error (2002), not a syntax error. */
export function addressesOf(element: XmlElement): string[] {
  const addresses: string[] = [];
  for (const child of element.children) {
    if (child.name !== 'address') continue;
    const value = requiredText(child, 'address-value');
    if (value.trim() === '') throw new BadAttribute('address-value is empty', 2002);
    if (value.length > MAX_ADDRESS_LENGTH) {
      throw new BadAttribute(`address-value is longer than ${MAX_ADDRESS_LENGTH} characters`, 2002);
    }
    addresses.push(value);
  }
  return addresses;
}
