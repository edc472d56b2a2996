/** SMPP PDUs (SMPP 3.4 §4): ours as an independent stack reads them, its as we read them, and what no PDU may be. */
import { describe, expect, it } from 'vitest';
import { DecodeError, RefusedError } from '../../../src/kernel/errors.js';
import {
  COMMANDS,
  decodePdu,
  ESM_CLASS,
  encodePdu,
  NO_PARAMETERS,
  PARAMETER,
  type PduOf,
  type ShortMessage,
  STATUS,
  USSD_OPERATION,
} from '../../../src/protocols/smpp/index.js';
import { refusalOf, statusText } from '../../../src/protocols/smpp/status-table.js';
import { nodeSmpp } from '../../support/node-smpp.js';

const MESSAGE: ShortMessage = {
  serviceType: 'WAP',
  sourceTon: 5,
  sourceNpi: 0,
  source: 'carillon',
  destinationTon: 1,
  destinationNpi: 1,
  destination: '436641234567',
  esmClass: ESM_CLASS.userDataHeader,
  protocolId: 0,
  priority: 1,
  scheduleDeliveryTime: '',
  validityPeriod: '000001020304000R',
  registeredDelivery: 1,
  replaceIfPresent: 0,
  dataCoding: 4,
  defaultMessageId: 0,
  shortMessage: Buffer.from('0605040b8423f00106', 'hex'),
};

const submit = (more: Partial<PduOf<'submit_sm'>> = {}): PduOf<'submit_sm'> => ({
  command: 'submit_sm',
  status: 0,
  sequence: 7,
  body: MESSAGE,
  parameters: NO_PARAMETERS,
  ...more,
});

describe('a PDU of ours', () => {
  it('is read by an independent stack field by field', () => {
    const parameters = new Map([[PARAMETER.ussdServiceOp, Buffer.of(USSD_OPERATION.ussnRequest)]]);
    const seen = new nodeSmpp.PDU(encodePdu(submit({ parameters })));
    expect(seen).toMatchObject({
      command: 'submit_sm',
      command_status: 0,
      sequence_number: 7,
      service_type: 'WAP',
      source_addr_ton: 5,
      source_addr_npi: 0,
      source_addr: 'carillon',
      dest_addr_ton: 1,
      dest_addr_npi: 1,
      destination_addr: '436641234567',
      esm_class: 0x40,
      protocol_id: 0,
      priority_flag: 1,
      registered_delivery: 1,
      replace_if_present_flag: 0,
      data_coding: 4,
      sm_default_msg_id: 0,
      ussd_service_op: 3,
    });
    const { udh, message } = seen['short_message'] as { udh: readonly Buffer[]; message: Buffer };
    expect(Buffer.concat([...udh]).toString('hex')).toBe('05040b8423f0');
    expect(Buffer.from(message).toString('hex')).toBe('0106');
  });

  it.each(Object.entries(COMMANDS))(
    '%s has the command id that the independent stack knows',
    (name, { id }) => {
      expect(nodeSmpp.commands[name]?.id).toBe(id);
    },
  );

  it('names parameters by the tags that the independent stack knows', () => {
    const names = {
      receiptedMessageId: 'receipted_message_id',
      sarReference: 'sar_msg_ref_num',
      sarTotal: 'sar_total_segments',
      sarSequence: 'sar_segment_seqnum',
      scInterfaceVersion: 'sc_interface_version',
      networkErrorCode: 'network_error_code',
      messagePayload: 'message_payload',
      messageState: 'message_state',
      ussdServiceOp: 'ussd_service_op',
    } as const;
    for (const [ours, theirs] of Object.entries(names)) {
      expect(PARAMETER[ours as keyof typeof names], theirs).toBe(nodeSmpp.tlvs[theirs]?.id);
    }
  });

  it('comes back from its octets as it was, parameters and all', () => {
    const parameters = new Map([[PARAMETER.messagePayload, Buffer.alloc(300, 9)]]);
    const before = submit({ parameters });
    expect(decodePdu(encodePdu(before))).toEqual(before);
  });

  it.each<readonly [what: string, body: Partial<ShortMessage>]>([
    ['a text longer than its field', { destination: '1'.repeat(21) }],
    ['a text with a zero in it', { source: 'a\0b' }],
    ['a text that is not ASCII', { source: 'é' }],
    ['more octets than a short message has', { shortMessage: Buffer.alloc(255) }],
    ['a number that is no octet', { dataCoding: 256 }],
  ])('is not made with %s', (_, body) => {
    expect(() => encodePdu(submit({ body: { ...MESSAGE, ...body } }))).toThrow(RefusedError);
  });

  it('leaves its body out when it says no', () => {
    const response: PduOf<'submit_sm_resp'> = {
      command: 'submit_sm_resp',
      status: STATUS.temporary,
      sequence: 9,
      body: { messageId: '' },
      parameters: NO_PARAMETERS,
    };
    expect(encodePdu(response).toString('hex')).toBe('00000010800000040000006400000009');
  });
});

describe('a PDU of an independent stack', () => {
  it('is read field by field', () => {
    const theirs = new nodeSmpp.PDU('deliver_sm', {
      sequence_number: 3,
      source_addr_ton: 1,
      source_addr_npi: 1,
      source_addr: '436641234567',
      destination_addr: '2948',
      data_coding: 8,
      short_message: 'Grüß',
      sar_msg_ref_num: 515,
      sar_total_segments: 2,
      sar_segment_seqnum: 1,
    });
    const { command, sequence, body, parameters } = decodePdu(theirs.toBuffer());
    expect({ command, sequence }).toEqual({ command: 'deliver_sm', sequence: 3 });
    expect(body).toMatchObject({ source: '436641234567', destination: '2948', dataCoding: 8 });
    expect((body as ShortMessage).shortMessage).toEqual(
      Buffer.from('00470072007c00df'.replace('007c', '00fc'), 'hex'),
    );
    expect(parameters.get(PARAMETER.sarReference)).toEqual(Buffer.from('0203', 'hex'));
    expect(parameters.get(PARAMETER.sarTotal)).toEqual(Buffer.of(2));
  });

  it('of every command that both know is read', () => {
    for (const name of Object.keys(COMMANDS)) {
      const theirs = new nodeSmpp.PDU(name, { sequence_number: 1 });
      expect(decodePdu(theirs.toBuffer()).command).toBe(name);
    }
  });
});

describe('octets that are no PDU', () => {
  const octets = encodePdu(submit({ parameters: new Map([[PARAMETER.messagePayload, Buffer.alloc(9)]]) }));

  it('are refused wherever they are cut, or lack nothing that is mandatory', () => {
    const whole = encodePdu(submit()).length;
    for (let length = 0; length < octets.length; length += 1) {
      const cut = octets.subarray(0, length);
      // Up to three octets behind the last field are padding.
      if (length >= whole && length < whole + 4) expect(decodePdu(cut).parameters.size).toBe(0);
      else expect(() => decodePdu(cut), `cut at ${length}`).toThrow(DecodeError);
    }
  });

  it('are refused when they have too many parameters, or too long a text', () => {
    const parameters = new Map(Array.from({ length: 65 }, (_, tag) => [0x1400 + tag, Buffer.of(1)] as const));
    expect(() => decodePdu(encodePdu(submit({ parameters })))).toThrow(/too many/);
    const long = Buffer.concat([encodePdu(submit()).subarray(0, 16), Buffer.alloc(300, 0x31), Buffer.of(0)]);
    expect(() => decodePdu(long)).toThrow(/too long/);
  });

  it('are refused by the code that the sender is told of an unknown command', () => {
    const unknown = Buffer.from('00000010000000ff0000000000000001', 'hex');
    expect(() => decodePdu(unknown)).toThrow(expect.objectContaining({ code: 'versionNotSupported' }));
  });
});

describe('responses of SMSCs that leave things out', () => {
  it('may have no body at all', () => {
    const octets = Buffer.from('00000010800000040000000000000005', 'hex');
    expect(decodePdu(octets)).toMatchObject({ command: 'submit_sm_resp', body: { messageId: '' } });
  });

  it('may lack the zero behind the message id', () => {
    const octets = Buffer.from(`0000001380000004${'00000000'}00000005616263`, 'hex');
    expect(decodePdu(octets)).toMatchObject({ body: { messageId: 'abc' } });
  });
});

describe('a status', () => {
  it('has the name and number of the independent stack, which has later names for those of parameters', () => {
    const unnamed = Object.entries(nodeSmpp.errors).filter(
      ([name, code]) => code < 0xc0 && code !== 0 && statusText(code) !== name,
    );
    expect(unnamed).toEqual([]);
  });

  it('says whether the message, the number, the link, or the moment is wrong', () => {
    expect(refusalOf(0x58)).toBe('later');
    expect(refusalOf(0x14)).toBe('later');
    expect(refusalOf(0x0b)).toBe('address');
    expect(refusalOf(0x61)).toBe('message');
    expect(refusalOf(0x08)).toBe('link');
  });

  it('that no specification has is trouble of the link, under its number', () => {
    expect(refusalOf(0x0421)).toBe('link');
    expect(statusText(0x0421)).toBe('status 0x00000421');
  });
});
