/**
 * Message ids (SMPP 3.4 §5.2.23): text that an SMSC makes up. The same number may stand in the response to a submission in hexadecimal and
 * in the receipt in decimal, or the other way round, with zeros in front or without.
 */

/** How the ids of receipts relate to those of responses. */
export const ID_RELATIONS = ['auto', 'same', 'hex-to-decimal', 'decimal-to-hex'] as const;
/** `hex-to-decimal`: hexadecimal in the response, decimal in the receipt. `auto`: whichever is found, the same id first. */
export type IdRelation = (typeof ID_RELATIONS)[number];

/** Without zeros in front and in lower case, so that two spellings of one id are equal. */
export function canonicalId(id: string): string {
  const trimmed = id.trim().toLowerCase();
  return trimmed.replace(/^0+(?=.)/, '');
}

/** The ids of responses, canonical, that a receipt with this id may mean; the likeliest first. */
export function submittedIds(receiptId: string, relation: IdRelation): readonly string[] {
  const id = canonicalId(receiptId);
  const hex = /^[0-9]{1,20}$/.test(id) ? BigInt(id).toString(16) : undefined;
  const decimal = /^[0-9a-f]{1,16}$/.test(id) ? BigInt(`0x${id}`).toString(10) : undefined;
  return unique(pick(relation, id, hex, decimal));
}

/** The ids of receipts, canonical, that may mean the message with this id. */
export function receiptIds(submittedId: string, relation: IdRelation): readonly string[] {
  const opposite = { 'hex-to-decimal': 'decimal-to-hex', 'decimal-to-hex': 'hex-to-decimal' } as const;
  const turned = relation === 'auto' || relation === 'same' ? relation : opposite[relation];
  return submittedIds(submittedId, turned);
}

function pick(
  relation: IdRelation,
  id: string,
  hex: string | undefined,
  decimal: string | undefined,
): readonly (string | undefined)[] {
  switch (relation) {
    case 'same':
      return [id];
    case 'hex-to-decimal':
      return [hex ?? id];
    case 'decimal-to-hex':
      return [decimal ?? id];
    case 'auto':
      return [id, hex, decimal];
  }
}

function unique(ids: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(ids.filter((id) => id !== undefined))];
}
