/** Why WTP itself gives a transaction up (WAP-224 §9.3.4). The reasons of its user are in `wsp/abort-reason-table.ts`. */
export const PROVIDER_ABORT = {
  unknown: 0x00,
  protocolError: 0x01,
  invalidTid: 0x02,
  noClass2: 0x03,
  noSegmentation: 0x04,
  noUserAck: 0x05,
  wrongVersion: 0x06,
  capacity: 0x07,
  noResponse: 0x08,
  messageTooLarge: 0x09,
  noExtendedSegmentation: 0x0a,
} as const;

const NAMES: readonly string[] = [
  'UNKNOWN',
  'PROTOERR',
  'INVALIDTID',
  'NOTIMPLEMENTEDCL2',
  'NOTIMPLEMENTEDSAR',
  'NOTIMPLEMENTEDUACK',
  'WTPVERSIONONE',
  'CAPTEMPEXCEEDED',
  'NORESPONSE',
  'MESSAGETOOLARGE',
  'NOTIMPLEMENTEDESAR',
];

/** For people. */
export function providerAbortName(reason: number): string {
  return NAMES[reason] ?? `0x${reason.toString(16).padStart(2, '0')}`;
}
