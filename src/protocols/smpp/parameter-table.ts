/** Optional parameters of SMPP 3.4 (§5.3.2) that we write or read, by tag; all others pass unread. */
export const PARAMETER = {
  receiptedMessageId: 0x001e,
  sarReference: 0x020c,
  sarTotal: 0x020e,
  sarSequence: 0x020f,
  scInterfaceVersion: 0x0210,
  networkErrorCode: 0x0423,
  messagePayload: 0x0424,
  messageState: 0x0427,
  ussdServiceOp: 0x0501,
} as const;

/** `ussd_service_op` (§5.3.2.44). */
export const USSD_OPERATION = {
  pssdIndication: 0,
  pssrIndication: 1,
  ussrRequest: 2,
  ussnRequest: 3,
  pssdResponse: 16,
  pssrResponse: 17,
  ussrConfirm: 18,
  ussnConfirm: 19,
} as const;

/** esm_class (§5.2.12): bits of the message type in what an SMSC delivers, and features of a message either way. */
export const ESM_CLASS = {
  typeMask: 0x3c,
  receipt: 0x04,
  deliveryAcknowledgement: 0x08,
  userAcknowledgement: 0x10,
  conversationAbort: 0x18,
  intermediateNotification: 0x20,
  userDataHeader: 0x40,
} as const;

/** Type of number and numbering plan (§5.2.5, §5.2.6) that we use. */
export const TYPE_OF_NUMBER = {
  unknown: 0,
  international: 1,
  national: 2,
  networkSpecific: 3,
  alphanumeric: 5,
} as const;
export const NUMBERING_PLAN = { unknown: 0, isdn: 1 } as const;
