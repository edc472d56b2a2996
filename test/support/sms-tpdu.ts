/** TPDUs of 3GPP TS 23.040 as vectors hold them: just enough to get at the user data. */

/** The user data of an SMS-DELIVER or SMS-SUBMIT with the address of the SMSC in front; says whether it has a header. */
export function userDataOf(pdu: Uint8Array): {
  readonly hasHeader: boolean;
  readonly dataCoding: number;
  readonly octets: Buffer;
} {
  const octets = Buffer.from(pdu);
  const start = 1 + (octets[0] ?? 0);
  const first = octets[start] ?? 0;
  const isSubmit = (first & 0x03) === 1;
  const addressAt = start + (isSubmit ? 2 : 1);
  const addressLength = 2 + Math.ceil((octets[addressAt] ?? 0) / 2);
  const codingAt = addressAt + addressLength + 1;
  const validityLength = isSubmit ? [0, 7, 1, 7][(first >> 3) & 0x03] : 7;
  const lengthAt = codingAt + 1 + (validityLength ?? 0);
  const length = octets[lengthAt] ?? 0;
  return {
    hasHeader: (first & 0x40) !== 0,
    dataCoding: octets[codingAt] ?? 0,
    octets: octets.subarray(lengthAt + 1, lengthAt + 1 + length),
  };
}
