/**
 * The operations of SMPP 3.4 that an ESME of ours takes part in (§4), and the mandatory fields of each in their order on the wire. An
 * octet, a C-octet string with its greatest size (the closing zero counted), or octets behind one that counts them.
 */

/** `size` of a text counts its closing zero (§3.1); `octets` have one octet in front that counts them. */
export type FieldForm = 'octet' | 'text' | 'octets';
export type Field = readonly [name: string, form: FieldForm, size: number];

const BIND = [
  ['systemId', 'text', 16],
  ['password', 'text', 9],
  ['systemType', 'text', 13],
  ['interfaceVersion', 'octet', 1],
  ['addressTon', 'octet', 1],
  ['addressNpi', 'octet', 1],
  ['addressRange', 'text', 41],
] as const;

const BIND_RESP = [['systemId', 'text', 16]] as const;

/** submit_sm and deliver_sm (§4.4.1, §4.6.1). */
const SHORT_MESSAGE = [
  ['serviceType', 'text', 6],
  ['sourceTon', 'octet', 1],
  ['sourceNpi', 'octet', 1],
  ['source', 'text', 21],
  ['destinationTon', 'octet', 1],
  ['destinationNpi', 'octet', 1],
  ['destination', 'text', 21],
  ['esmClass', 'octet', 1],
  ['protocolId', 'octet', 1],
  ['priority', 'octet', 1],
  ['scheduleDeliveryTime', 'text', 17],
  ['validityPeriod', 'text', 17],
  ['registeredDelivery', 'octet', 1],
  ['replaceIfPresent', 'octet', 1],
  ['dataCoding', 'octet', 1],
  ['defaultMessageId', 'octet', 1],
  ['shortMessage', 'octets', 254],
] as const;

const DATA = [
  ['serviceType', 'text', 6],
  ['sourceTon', 'octet', 1],
  ['sourceNpi', 'octet', 1],
  ['source', 'text', 65],
  ['destinationTon', 'octet', 1],
  ['destinationNpi', 'octet', 1],
  ['destination', 'text', 65],
  ['esmClass', 'octet', 1],
  ['registeredDelivery', 'octet', 1],
  ['dataCoding', 'octet', 1],
] as const;

const MESSAGE_ID = [['messageId', 'text', 65]] as const;
const NOTHING = [] as const;

export const COMMANDS = {
  generic_nack: { id: 0x8000_0000, fields: NOTHING },
  bind_receiver: { id: 0x0000_0001, fields: BIND },
  bind_receiver_resp: { id: 0x8000_0001, fields: BIND_RESP },
  bind_transmitter: { id: 0x0000_0002, fields: BIND },
  bind_transmitter_resp: { id: 0x8000_0002, fields: BIND_RESP },
  submit_sm: { id: 0x0000_0004, fields: SHORT_MESSAGE },
  submit_sm_resp: { id: 0x8000_0004, fields: MESSAGE_ID },
  deliver_sm: { id: 0x0000_0005, fields: SHORT_MESSAGE },
  deliver_sm_resp: { id: 0x8000_0005, fields: MESSAGE_ID },
  unbind: { id: 0x0000_0006, fields: NOTHING },
  unbind_resp: { id: 0x8000_0006, fields: NOTHING },
  bind_transceiver: { id: 0x0000_0009, fields: BIND },
  bind_transceiver_resp: { id: 0x8000_0009, fields: BIND_RESP },
  enquire_link: { id: 0x0000_0015, fields: NOTHING },
  enquire_link_resp: { id: 0x8000_0015, fields: NOTHING },
  alert_notification: {
    id: 0x0000_0102,
    fields: [
      ['sourceTon', 'octet', 1],
      ['sourceNpi', 'octet', 1],
      ['source', 'text', 65],
      ['esmeTon', 'octet', 1],
      ['esmeNpi', 'octet', 1],
      ['esme', 'text', 65],
    ],
  },
  data_sm: { id: 0x0000_0103, fields: DATA },
  data_sm_resp: { id: 0x8000_0103, fields: MESSAGE_ID },
} as const satisfies Readonly<Record<string, { readonly id: number; readonly fields: readonly Field[] }>>;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_BY_ID: ReadonlyMap<number, CommandName> = new Map(
  Object.entries(COMMANDS).map(([name, { id }]) => [id, name as CommandName]),
);

/** Requests have a zero, responses a one in front (§5.1.2.1). */
export const RESPONSE_BIT = 0x8000_0000;
