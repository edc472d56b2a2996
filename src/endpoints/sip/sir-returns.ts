/**
 * MESSAGE to the gateway's own address: a terminal returns what a SIR asked for, or says that it will not connect (SIR-134, SIR-136).
 * The sender is known as for a push session; what it tells is read and kept by `push/sir-return.ts`.
 */
import { DecodeError, describeError, type ErrorCode, GatewayError } from '../../kernel/errors.js';
import { headerValue } from '../../protocols/sip/index.js';
import type { ReturnSender, TakenReturn } from '../../push/sir-return.js';
import type { Log } from '../../telemetry/log.js';
import type { ServerRequest } from '../../transports/sip-stack/sip-stack.js';
import { type AdmissionOptions, type AdmissionPorts, admit, isForGateway } from './admission.js';
import { type CallingUserPorts, callingUser } from './calling-user.js';
import { warning } from './warning.js';

export interface SirReturnsPorts extends AdmissionPorts, CallingUserPorts {
  /** Resolves when it is durable. Throws as `takeSirReturn`. */
  readonly take: (body: Uint8Array, sender: ReturnSender) => Promise<TakenReturn>;
  readonly log: Log;
}

export interface SirReturnsOptions extends AdmissionOptions {
  /** User part of the gateway's own SIP address. */
  readonly ppgUser: string;
  /** Names the gateway in Warning header fields. */
  readonly host: string;
}

/** What the terminal is told for a refusal; a code that is not here is a defect of ours. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  malformed: 400,
  limitExceeded: 413,
  forbidden: 403,
  notFound: 404,
  busy: 503,
};

/** Handles one MESSAGE. Every way out of it has answered. */
export async function receiveSirReturn(
  request: ServerRequest,
  ports: SirReturnsPorts,
  options: SirReturnsOptions,
): Promise<void> {
  const { message, flow } = request;
  if (!isForGateway(message.uri, options.ppgUser)) return request.respond(404);
  const refuse = (status: number, reason: string) => {
    ports.log({ level: 'info', message: 'return refused', reason, status, peer: flow.address });
    request.respond(status, { headers: [warning(options.host, reason)] });
  };
  if (!/^application\/json\s*(?:;|$)/i.test(headerValue(message, 'content-type') ?? '')) {
    return request.respond(415, { headers: [{ name: 'Accept', value: 'application/json' }] });
  }
  try {
    const caller = await callingUser(request, ports);
    if (!caller) return refuse(403, 'the user is not known');
    const admission = await admit(request, caller, ports, options);
    if (admission === 'challenged') return;
    if (admission === 'noCredentials') return refuse(403, 'the user has no SIP credentials');
    const { terminal, kind, version } = await ports.take(message.body, { user: caller.user.id });
    ports.log({
      level: 'info',
      message: 'terminal returned',
      terminal,
      kind,
      ...(version ? { version } : {}),
    });
    request.respond(200);
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : 'internal';
    if (error instanceof DecodeError || STATUS[code])
      return refuse(STATUS[code] ?? 400, describeError(error));
    throw error;
  }
}
