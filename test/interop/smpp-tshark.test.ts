/** tshark as referee of what goes to an SMSC (SIR-73, SIR-84, SIR-86): SMPP, the user data header, the parts put together again, the push inside. */
import { describe, expect, it } from 'vitest';
import { encodeSia } from '../../src/protocols/sia/index.js';
import {
  type BodyOf,
  type CommandName,
  encodePdu,
  NO_PARAMETERS,
  PARAMETER,
  type Parameters,
} from '../../src/protocols/smpp/index.js';
import { segment, WAP_PUSH_PORTS } from '../../src/protocols/sms/index.js';
import { encodePush } from '../../src/protocols/wsp/index.js';
import { randomSia, seeded } from '../protocols/sia/random-sia.js';
import type { CapturedPacket } from '../support/pcap.js';
import { dissect, dissectFields } from '../support/tshark.js';

const message = (shortMessage: Uint8Array, more: Partial<BodyOf<'submit_sm'>> = {}): BodyOf<'submit_sm'> => ({
  serviceType: 'WAP',
  sourceTon: 5,
  sourceNpi: 0,
  source: 'carillon',
  destinationTon: 1,
  destinationNpi: 1,
  destination: '436641234567',
  esmClass: 0x40,
  protocolId: 0,
  priority: 0,
  scheduleDeliveryTime: '',
  validityPeriod: '000001020304000R',
  registeredDelivery: 1,
  replaceIfPresent: 0,
  dataCoding: 4,
  defaultMessageId: 0,
  shortMessage,
  ...more,
});

let sequence = 0;
function packet<Name extends CommandName>(
  command: Name,
  body: BodyOf<Name>,
  parameters: Parameters = NO_PARAMETERS,
  status = 0,
): CapturedPacket {
  sequence += 1;
  const payload = encodePdu<Name>({ command, status, sequence, body, parameters });
  return { protocol: 'tcp', sourcePort: 40_000 + sequence, destinationPort: 2775, payload };
}

const SIR = [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }];
const random = seeded(3404);
const pushOf = (body: Uint8Array) =>
  encodePush({
    transactionId: 7,
    contentType: { mediaType: 'application/vnd.wap.sia', parameters: new Map() },
    headers: SIR,
    body,
  });
const PUSHES = Array.from({ length: 200 }, () => pushOf(encodeSia(randomSia(random))));
const MALFORMED = ['_ws.malformed', '_ws.expert.severity'] as const;

describe('SMPP', () => {
  it('of every command that we send or answer with is read as we meant it', async () => {
    const bind = {
      systemId: 'carillon',
      password: 'secret',
      systemType: '',
      interfaceVersion: 0x34,
      addressTon: 0,
      addressNpi: 0,
      addressRange: '',
    };
    const packets = [
      packet('bind_transceiver', bind),
      packet('bind_receiver', bind),
      packet('bind_transmitter', bind),
      packet(
        'submit_sm',
        message(Buffer.from('x'), { esmClass: 0 }),
        new Map([[PARAMETER.ussdServiceOp, Buffer.of(3)]]),
      ),
      packet('deliver_sm_resp', { messageId: '' }),
      packet('data_sm_resp', { messageId: '' }, NO_PARAMETERS, 0x64),
      packet('enquire_link', {}),
      packet('enquire_link_resp', {}),
      packet('generic_nack', {}, NO_PARAMETERS, 3),
      packet('unbind', {}),
      packet('unbind_resp', {}),
    ];
    const frames = await dissectFields(packets, [
      'smpp.command_id',
      'smpp.command_status',
      'smpp.sequence_number',
      ...MALFORMED,
    ]);
    expect(frames.map((frame) => Number(frame.get('smpp.command_id')?.[0]))).toEqual(
      packets.map(({ payload }) => Buffer.from(payload).readUInt32BE(4)),
    );
    expect(frames.flatMap((frame) => frame.get('_ws.malformed') ?? [])).toEqual([]);
    const text = await dissect(packets, ['-V']);
    for (const seen of ['System ID: carillon', 'Version (if): 3.4', 'USSN', 'Invalid command ID'])
      expect(text.toLowerCase()).toContain(seen.toLowerCase());
  });

  it.each([8, 16] as const)(
    'carries pushes in parts with references of %d bits, which are put together again and read down to the SIR inside',
    async (referenceBits) => {
      const messages = PUSHES.map((push, reference) =>
        segment(push, WAP_PUSH_PORTS, { reference, referenceBits }),
      );
      const parts = messages.flat();
      const fields = [
        'smpp.destination_addr',
        'gsm_sms_ud.reassembled.length',
        'wsp.header.x_wap_application_id',
        'wap.sir.version',
      ];
      const frames = await dissectFields(
        parts.map((part) => packet('submit_sm', message(part))),
        [...fields, ...MALFORMED],
        ['-o', 'gsm_sms_ud.port_number_udh_means_wsp:TRUE'],
      );
      const seen = (field: string) => frames.flatMap((frame) => frame.get(field) ?? []);
      expect(seen('smpp.destination_addr')).toEqual(parts.map(() => '436641234567'));
      expect(seen('gsm_sms_ud.reassembled.length').map(Number)).toEqual(
        PUSHES.filter((_, index) => (messages[index]?.length ?? 0) > 1).map(({ length }) => length),
      );
      expect(seen('wsp.header.x_wap_application_id')).toEqual(PUSHES.map(() => 'x-wap-application:push.sia'));
      expect(seen('wap.sir.version')).toHaveLength(PUSHES.length);
      expect(seen('_ws.malformed')).toEqual([]);
      expect(seen('_ws.expert.severity')).toEqual([]);
    },
  );
});
