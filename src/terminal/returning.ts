/**
 * How a terminal tells the gateway something after a SIR (SIR-134): a JSON object that cites the SIR, by SIP MESSAGE to the gateway that the
 * SIR named, by HTTP POST, or in a short message whose second line is the signature. Over HTTP and SMS nobody vouches for the sender,
 * so it is signed when the terminal has a key.
 */
import { DeliveryError, describeError } from '../kernel/errors.js';
import type { ReturnFlag } from '../protocols/sia/index.js';
import type { SipHeader } from '../protocols/sip/index.js';
import type { SipStack } from '../transports/sip-stack/sip-stack.js';
import type { ShortMessage } from './short-message.js';
import type { SipIdentity } from './sip-identity.js';
import { signWith } from './sir-key.js';
import type { TerminalPolicy } from './terminal-options.js';

/** Body of whatever returns information: `{"kind", "sir"?, "device", "information"}`. */
export const INFORMATION_MEDIA_TYPE = 'application/json';
/** Header field of the signature over the body. */
export const SIGNATURE_HEADER = 'X-Carillon-Signature';

const HTTP_TIMEOUT_MS = 10_000;

export interface TerminalReturn {
  readonly kind: ReturnFlag;
  /** Id of the SIR, when it can be cited. */
  readonly sir: string | undefined;
  readonly information: unknown;
}

export interface ReturningPorts {
  readonly stack: Pick<SipStack, 'request'>;
  readonly identity: SipIdentity;
  /** How the gateway knows the terminal, where that is not by its instance. */
  readonly deviceName: string | undefined;
  readonly policy: Pick<TerminalPolicy, 'returnRoute' | 'returnKey'>;
  /** Hands a short message to the network. Absent: whoever runs the terminal sends it, from the event. */
  readonly sendSms: ((message: ShortMessage) => Promise<void>) | undefined;
  /** A short message that is to be sent. */
  readonly onSms: (message: ShortMessage) => void;
}

export interface Returned {
  readonly by: 'sip' | 'http' | 'sms';
  /** The gateway, its URL or its number. */
  readonly gateway: string;
  /** Of the answer; 202 where there is none. */
  readonly status: number;
}

/** Rejects with DeliveryError when it cannot be sent. `gateway`: SIP address of the gateway of the SIR. */
export async function sendReturn(
  told: TerminalReturn,
  gateway: string | undefined,
  ports: ReturningPorts,
): Promise<Returned> {
  const { identity, policy, deviceName } = ports;
  const { kind, sir, information } = told;
  const body = JSON.stringify({
    kind,
    ...(sir === undefined ? {} : { sir }),
    device: deviceName ?? identity.instance,
    information,
  });
  const route = policy.returnRoute;
  switch (route.by) {
    case 'sip':
      return bySip(body, sir, gateway, ports);
    case 'http':
      return byHttp(body, route.url, policy.returnKey);
    case 'sms':
      return bySms(body, route.to, ports);
  }
}

async function bySip(
  body: string,
  sir: string | undefined,
  gateway: string | undefined,
  { stack, identity }: ReturningPorts,
): Promise<Returned> {
  if (gateway === undefined) {
    throw new DeliveryError('unreachable', 'the SIR names no SIP address to return anything to');
  }
  const headers: SipHeader[] = sir === undefined ? [] : [{ name: 'In-Reply-To', value: sir }];
  const { status } = await stack.request({
    method: 'MESSAGE',
    uri: gateway,
    from: identity.from,
    to: `<${gateway}>`,
    headers,
    contentType: INFORMATION_MEDIA_TYPE,
    body: Buffer.from(body, 'utf8'),
    destination: identity.nextHop,
    ...(identity.credentials === undefined ? {} : { credentials: identity.credentials }),
  });
  return { by: 'sip', gateway, status };
}

async function byHttp(body: string, url: string, key: string | undefined): Promise<Returned> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': INFORMATION_MEDIA_TYPE,
        ...(key === undefined ? {} : { [SIGNATURE_HEADER]: signWith(key, Buffer.from(body, 'utf8')) }),
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(HTTP_TIMEOUT_MS),
    });
    await answer.body?.cancel();
    return { by: 'http', gateway: url, status: answer.status };
  } catch (cause) {
    throw new DeliveryError('unreachable', `${url}: ${describeError(cause)}`, { cause });
  }
}

async function bySms(
  body: string,
  to: string,
  { policy, sendSms, onSms }: ReturningPorts,
): Promise<Returned> {
  const { returnKey } = policy;
  const text = returnKey === undefined ? body : `${body}\n${signWith(returnKey, Buffer.from(body, 'utf8'))}`;
  onSms({ to, text });
  await sendSms?.({ to, text });
  return { by: 'sms', gateway: to, status: 202 };
}
