/**
 * The application id list of a SIA body. The standard leaves open whether an item is a header field (`AF 82`, `B2 82`) or a
 * bare value (`82`); both occur, so both are read, also mixed. A first octet of AF or B2 is taken for a field number: no
 * application has those numbers.
 */
import { DecodeError } from '../../kernel/errors.js';
import { type OctetReader, OctetWriter, readApplicationId, writeApplicationId } from '../wsp/index.js';
import type { SiaLimits } from './limits.js';

/** How each item is written. Accept-Application fields are what deployed gateways send; dissectors expect a field. */
export type ApplicationIdForm = 'accept-application' | 'x-wap-application-id' | 'bare';

const FIELD_NUMBER = { 'accept-application': 0xb2, 'x-wap-application-id': 0xaf } as const;

export function readApplicationIds(reader: OctetReader, limits: SiaLimits): readonly string[] {
  const ids: string[] = [];
  while (reader.remaining > 0) {
    if (ids.length >= limits.maxEntries) {
      throw new DecodeError('too many application ids', { offset: reader.offset, code: 'limitExceeded' });
    }
    const first = reader.peek();
    if (first === FIELD_NUMBER['accept-application'] || first === FIELD_NUMBER['x-wap-application-id'])
      reader.octet();
    const id = readApplicationId(reader);
    // A field whose name is spelt out: the value follows.
    ids.push(Object.hasOwn(FIELD_NUMBER, id.toLowerCase()) ? readApplicationId(reader) : id);
  }
  return ids;
}

export function writeApplicationIds(
  ids: readonly string[],
  form: ApplicationIdForm = 'accept-application',
): Uint8Array {
  const writer = new OctetWriter();
  for (const id of ids) {
    if (form !== 'bare') writer.octet(FIELD_NUMBER[form]);
    writeApplicationId(writer, id);
  }
  return writer.written();
}
