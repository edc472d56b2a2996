/**
 * What an SMSC hands over (deliver_sm, data_sm): receipts of pushes, and messages of subscribers. It is answered when what it says is durable; when that
 * cannot be had now the SMSC is told to keep it, and with anything that is of no use to us it is told that all is well.
 */
import { describeError } from '../../kernel/errors.js';
import { isReceipt, STATUS } from '../../protocols/smpp/index.js';
import type { Log } from '../../telemetry/log.js';
import type { Delivered } from '../../transports/smpp/smpp-connection.js';
import { takeIncomingMessage } from './incoming-messages.js';
import type { ReceivingLink, SmsEndpointPorts } from './ports.js';
import { takeSmscReceipt } from './receipts.js';

/** The status of the answer. Never rejects. */
export async function takeDelivered(
  { body, parameters, command }: Delivered,
  link: ReceivingLink,
  ports: SmsEndpointPorts & { readonly log: Log },
): Promise<number> {
  const message = { shortMessage: new Uint8Array(), ...body };
  try {
    if (isReceipt(message.esmClass)) await takeSmscReceipt(message, parameters, link, ports);
    else await takeIncomingMessage(message, parameters, link, ports);
    return STATUS.ok;
  } catch (error) {
    const reason = describeError(error);
    ports.log({ level: 'warn', message: 'short message not taken', link: link.name, command, reason });
    return STATUS.temporary;
  }
}
