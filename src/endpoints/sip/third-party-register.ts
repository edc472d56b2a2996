/**
 * Third-party REGISTER (3GPP TS 24.229 §5.4.1.7; RFC 3261 §10.2): the SIP core tells the gateway, as an application server, that a user has
 * registered with it, renewed that, or left. It stores no contact; it makes whoever keeps the user's registrations at the core look
 * again. Taken from trusted peers only: from anybody else a REGISTER is what it always was, see `registrar.ts`.
 */
import type { Clock } from '../../kernel/clock.js';
import { DecodeError, describeError, GatewayError } from '../../kernel/errors.js';
import { headerLines, headerValue, parseNameAddr } from '../../protocols/sip/index.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import { publicUserIdentity } from '../../registry/public-user-identity.js';
import type { User } from '../../registry/user.js';
import type { Log } from '../../telemetry/log.js';
import type { ServerRequest, SipFlow } from '../../transports/sip-stack/sip-stack.js';
import { devicesInBody, type ToldDevices } from './registration-body.js';

export interface ThirdPartyRegisterPorts {
  /** The user of an address, created when the gateway is told to. */
  readonly findOrCreateUser: (identity: PublicUserIdentity) => Promise<User | undefined>;
  readonly isTrusted: (flow: SipFlow) => boolean;
  /**
   * The core has told of the user's registrations: which they are when `told`, else only that something has changed. The core is answered
   * when this has resolved.
   */
  readonly onRegistration: (user: PublicUserIdentity, told: ToldDevices | undefined) => Promise<void>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/** True for a REGISTER that a trusted peer sends about somebody else. */
export function isThirdPartyRegister(
  { message, flow }: Pick<ServerRequest, 'message' | 'flow'>,
  isTrusted: (flow: SipFlow) => boolean,
): boolean {
  if (!isTrusted(flow)) return false;
  try {
    return uriIn(headerValue(message, 'from')) !== uriIn(headerValue(message, 'to'));
  } catch (error) {
    if (error instanceof DecodeError) return false; // the registrar says what is wrong with it
    throw error;
  }
}

/** Serves one. Never rejects; every way out has answered. */
export async function receiveThirdPartyRegister(
  request: ServerRequest,
  ports: ThirdPartyRegisterPorts,
): Promise<void> {
  const { message, flow } = request;
  try {
    const identity = publicUserIdentity(uriIn(headerValue(message, 'to')).replace(/^sips:/i, 'sip:'));
    const user = await ports.findOrCreateUser(identity);
    if (user === undefined) return request.respond(404);
    await ports.onRegistration(user.id, toldIn(request, ports));
    request.respond(200, {
      headers: [
        ...headerLines(message, 'contact').map((value) => ({ name: 'Contact', value })),
        ...headerLines(message, 'expires').map((value) => ({ name: 'Expires', value })),
        { name: 'Date', value: new Date(ports.clock.now()).toUTCString() },
      ],
    });
  } catch (error) {
    const isTheirs = error instanceof GatewayError && error.fault === 'peer';
    ports.log({
      level: isTheirs ? 'info' : 'warn',
      message: 'third-party registration refused',
      reason: describeError(error),
      peer: flow.address,
    });
    request.respond(isTheirs ? 400 : 503, isTheirs ? {} : { headers: [{ name: 'Retry-After', value: '5' }] });
  }
}

/** What the body tells; a user that has left has nothing registered. A body that cannot be read is as good as none. */
function toldIn(
  { message, flow }: ServerRequest,
  { clock, log }: ThirdPartyRegisterPorts,
): ToldDevices | undefined {
  if (headerValue(message, 'expires')?.trim() === '0') return { devices: [], isWhole: true };
  try {
    return devicesInBody(message, clock.now());
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    log({
      level: 'info',
      message: 'the body of a third-party REGISTER was not read',
      reason: error.detail,
      peer: flow.address,
    });
    return undefined;
  }
}

function uriIn(address: string | undefined): string {
  return parseNameAddr(address ?? '').uri;
}
