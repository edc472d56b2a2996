/**
 * command_status (SMPP 3.4 §5.1.3): the code, its name, and what a refused submission means for the one who submitted. `later`: the SMSC or
 * its queue is busy, and what was refused may be sent again; `link`: something is wrong between the SMSC and us, other links may do;
 * `address`: this number cannot be reached; `message`: these octets are not wanted, on no link that is like this one.
 */
export type Refusal = 'later' | 'link' | 'address' | 'message';

const STATUSES: readonly (readonly [code: number, name: string, meaning: Refusal])[] = [
  [0x01, 'ESME_RINVMSGLEN', 'message'],
  [0x02, 'ESME_RINVCMDLEN', 'message'],
  [0x03, 'ESME_RINVCMDID', 'link'],
  [0x04, 'ESME_RINVBNDSTS', 'link'],
  [0x05, 'ESME_RALYBND', 'link'],
  [0x06, 'ESME_RINVPRTFLG', 'message'],
  [0x07, 'ESME_RINVREGDLVFLG', 'message'],
  [0x08, 'ESME_RSYSERR', 'link'],
  [0x0a, 'ESME_RINVSRCADR', 'link'],
  [0x0b, 'ESME_RINVDSTADR', 'address'],
  [0x0c, 'ESME_RINVMSGID', 'message'],
  [0x0d, 'ESME_RBINDFAIL', 'link'],
  [0x0e, 'ESME_RINVPASWD', 'link'],
  [0x0f, 'ESME_RINVSYSID', 'link'],
  [0x11, 'ESME_RCANCELFAIL', 'message'],
  [0x13, 'ESME_RREPLACEFAIL', 'message'],
  [0x14, 'ESME_RMSGQFUL', 'later'],
  [0x15, 'ESME_RINVSERTYP', 'link'],
  [0x33, 'ESME_RINVNUMDESTS', 'message'],
  [0x34, 'ESME_RINVDLNAME', 'message'],
  [0x40, 'ESME_RINVDESTFLAG', 'message'],
  [0x42, 'ESME_RINVSUBREP', 'message'],
  [0x43, 'ESME_RINVESMCLASS', 'message'],
  [0x44, 'ESME_RCNTSUBDL', 'message'],
  [0x45, 'ESME_RSUBMITFAIL', 'link'],
  [0x48, 'ESME_RINVSRCTON', 'link'],
  [0x49, 'ESME_RINVSRCNPI', 'link'],
  [0x50, 'ESME_RINVDSTTON', 'address'],
  [0x51, 'ESME_RINVDSTNPI', 'address'],
  [0x53, 'ESME_RINVSYSTYP', 'link'],
  [0x54, 'ESME_RINVREPFLAG', 'message'],
  [0x55, 'ESME_RINVNUMMSGS', 'message'],
  [0x58, 'ESME_RTHROTTLED', 'later'],
  [0x61, 'ESME_RINVSCHED', 'message'],
  [0x62, 'ESME_RINVEXPIRY', 'message'],
  [0x63, 'ESME_RINVDFTMSGID', 'message'],
  [0x64, 'ESME_RX_T_APPN', 'later'],
  [0x65, 'ESME_RX_P_APPN', 'message'],
  [0x66, 'ESME_RX_R_APPN', 'message'],
  [0x67, 'ESME_RQUERYFAIL', 'message'],
  [0xc0, 'ESME_RINVOPTPARSTREAM', 'message'],
  [0xc1, 'ESME_ROPTPARNOTALLWD', 'message'],
  [0xc2, 'ESME_RINVPARLEN', 'message'],
  [0xc3, 'ESME_RMISSINGOPTPARAM', 'message'],
  [0xc4, 'ESME_RINVOPTPARAMVAL', 'message'],
  [0xfe, 'ESME_RDELIVERYFAILURE', 'address'],
  [0xff, 'ESME_RUNKNOWNERR', 'link'],
];

/** The statuses that we ourselves answer with. */
export const STATUS = {
  ok: 0x00,
  invalidLength: 0x02,
  invalidCommand: 0x03,
  temporary: 0x64,
  permanent: 0x65,
  queueFull: 0x14,
} as const;

const BY_CODE = new Map(STATUSES.map(([code, name, meaning]) => [code, { name, meaning }]));

/** The name of the specification, or the number of a status of the vendor's own. */
export function statusText(status: number): string {
  return BY_CODE.get(status)?.name ?? `status 0x${status.toString(16).padStart(8, '0')}`;
}

/** What a status other than 0 means. One that nobody has specified is taken as trouble of the link. */
export function refusalOf(status: number): Refusal {
  return BY_CODE.get(status)?.meaning ?? 'link';
}
