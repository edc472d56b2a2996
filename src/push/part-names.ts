/**
 * The names under which a message centre has a part: its id, in each spelling that a receipt may have, with the end of the number that it went
 * to. Receipts write numbers with or without the country, and some with sender and recipient the other way round.
 */
import { canonicalId, type IdRelation, receiptIds, submittedIds } from '../protocols/smpp/index.js';
import type { PartName } from './parts.js';

/** Digits that every spelling of a number ends in. */
const TAIL = 7;

export interface Centre {
  readonly centre: string;
  readonly receiptIds: IdRelation;
}

/** Under which a part is noted, and under which its receipt may have come before. */
export function namesOfPart(
  messageId: string,
  address: string,
  { centre, receiptIds: relation }: Centre,
): { readonly name: PartName; readonly aliases: readonly PartName[] } {
  const tail = tailOf(address);
  const name = { centre, id: canonicalId(messageId), address: tail };
  return { name, aliases: receiptIds(messageId, relation).map((id) => ({ centre, id, address: tail })) };
}

/** Which parts a receipt may be about, the likeliest first, and under which name it is kept when it is early. */
export function namesInReceipt(
  messageId: string,
  address: string,
  { centre, receiptIds: relation }: Centre,
): { readonly names: readonly PartName[]; readonly early: PartName } {
  const tail = tailOf(address);
  return {
    names: submittedIds(messageId, relation).map((id) => ({ centre, id, address: tail })),
    early: { centre, id: canonicalId(messageId), address: tail },
  };
}

function tailOf(address: string): string {
  return address.replace(/[^0-9]/g, '').slice(-TAIL);
}
