/**
 * Unit 221: one push session in profile S1 (SIR-152, SIR-158, SIR-162): INVITE with an MSRP offer to the gateway, `Contact`
 * carrying the instance, the SIR cited in In-Reply-To; then the MSRP connection, which we open. Ends when either side sends
 * BYE or the connection breaks. What is received goes to `onContent`, and is acknowledged when that resolves.
 */
import { DecodeError, DeliveryError, describeError, GatewayError } from '../kernel/errors.js';
import { advance, type TransitionTable } from '../kernel/transition-table.js';
import { decodeSdp, type MsrpMedia, msrpMedia, offerMsrp } from '../protocols/sdp/index.js';
import type { SipHeader } from '../protocols/sip/index.js';
import type {
  MsrpConnections,
  MsrpReceivedMessage,
  MsrpSession,
} from '../transports/msrp-connections/msrp-connections.js';
import type { SipDialog, SipStack } from '../transports/sip-stack/sip-stack.js';
import type { SipIdentity } from './sip-identity.js';

export interface PushSessionPorts {
  readonly stack: Pick<SipStack, 'invite'>;
  readonly msrp: Pick<MsrpConnections, 'openSession'>;
  readonly identity: SipIdentity;
  /** Address of this terminal for the SDP. */
  readonly mediaHost: string;
  /** Largest message taken, in octets, told to the gateway. */
  readonly maxContentBytes: number;
  /** Over TLS. */
  readonly isSecure: boolean;
  readonly onConnected: (session: PushSession) => void;
  readonly onContent: (message: MsrpReceivedMessage) => Promise<void>;
  readonly onClosed: (session: PushSession, end: SessionEnd) => void;
}

/** Why a session is opened. */
export interface SessionCause {
  /** The SIR that asked for it, when it can be cited. */
  readonly sirId?: string;
  /** The name by which that SIR means this terminal, when it is not in the Contact. */
  readonly deviceName?: string;
}

export interface SessionEnd {
  readonly reason: string;
  /** It broke, and trying again may help. Not after a BYE, after our own end, or when the gateway refused. */
  readonly mayReopen: boolean;
}

type SessionState = 'idle' | 'inviting' | 'binding' | 'connected' | 'closed';
type SessionEvent = 'invite' | 'answered' | 'bound' | 'end';

const SESSION_STATES = {
  idle: { invite: 'inviting', end: 'closed' },
  inviting: { answered: 'binding', end: 'closed' },
  binding: { bound: 'connected', end: 'closed' },
  connected: { end: 'closed' },
  closed: {},
} as const satisfies TransitionTable<SessionState, SessionEvent>;

export class PushSession {
  /** SIP URI of the gateway. */
  readonly gateway: string;
  readonly cause: SessionCause;
  readonly #ports: PushSessionPorts;
  readonly #msrp: MsrpSession;
  readonly #cancel = new AbortController();
  #dialog: SipDialog | undefined;
  #state: SessionState = 'idle';

  constructor(gateway: string, cause: SessionCause, ports: PushSessionPorts) {
    this.gateway = gateway;
    this.cause = cause;
    this.#ports = ports;
    this.#msrp = ports.msrp.openSession({
      isSecure: ports.isSecure,
      onMessage: (message) => ports.onContent(message),
      onClosed: (reason) => this.#end({ reason, mayReopen: true }),
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Resolves once content can come. Rejects when the gateway refuses or cannot be reached; the session is closed then. */
  async open(): Promise<void> {
    this.#advance('invite');
    try {
      const dialog = await this.#invite();
      // [RFC 3261 §15] a dialog that came about after we gave up must be ended, not forgotten.
      if (this.#state === 'closed') return void (await dialog.bye());
      this.#dialog = dialog;
      this.#advance('answered');
      dialog.onEnd((reason) => this.#end({ reason, mayReopen: false }));
      await this.#connect(readAnswer(dialog.remoteBody, this.#ports));
    } catch (error) {
      const mayReopen = error instanceof GatewayError && error.retry === 'later';
      this.#end({ reason: describeError(error), mayReopen });
      throw error;
    }
  }

  /** Ends the session with BYE. Never throws, safe to repeat. */
  async close(reason: string): Promise<void> {
    const dialog = this.#dialog;
    this.#end({ reason, mayReopen: false });
    await dialog?.bye();
  }

  /** Drops the connection without a word, as a crash does. */
  abandon(): void {
    this.#dialog = undefined;
    this.#end({ reason: 'abandoned', mayReopen: false });
  }

  #invite(): Promise<SipDialog> {
    const { identity, mediaHost, maxContentBytes, isSecure, stack } = this.#ports;
    const { sirId, deviceName } = this.cause;
    const headers: SipHeader[] = [
      { name: 'Contact', value: identity.contact },
      ...(sirId === undefined ? [] : [{ name: 'In-Reply-To', value: sirId }]),
      ...(deviceName === undefined ? [] : [{ name: 'X-Push-Device-Identity', value: deviceName }]),
    ];
    return stack.invite({
      method: 'INVITE',
      uri: this.gateway,
      from: identity.from,
      to: `<${this.gateway}>`,
      headers,
      body: offerMsrp({
        host: mediaHost,
        path: [this.#msrp.localPath],
        isSecure,
        setup: 'active',
        acceptTypes: ['*'],
        maxSize: maxContentBytes,
      }),
      contentType: 'application/sdp',
      destination: identity.nextHop,
      signal: this.#cancel.signal,
      ...(identity.credentials === undefined ? {} : { credentials: identity.credentials }),
    });
  }

  async #connect(media: MsrpMedia): Promise<void> {
    // [RFC 6714 §4.2] only with CEMA the media line, and not the path, says where to connect.
    const address =
      media.isCema && media.address !== undefined
        ? { address: { host: media.address, port: media.port } }
        : {};
    await this.#msrp.connect(media.path, { ...address, fingerprints: media.fingerprints });
    if (this.#state === 'closed') throw new DeliveryError('unreachable', 'the session was ended meanwhile');
    this.#advance('bound');
    this.#ports.onConnected(this);
  }

  #end(end: SessionEnd): void {
    if (this.#state === 'closed') return;
    this.#advance('end');
    this.#cancel.abort();
    this.#msrp.close(end.reason);
    void this.#dialog?.bye();
    this.#ports.onClosed(this, end);
  }

  #advance(event: SessionEvent): void {
    this.#state = advance<SessionState, SessionEvent>(SESSION_STATES, this.#state, event);
  }
}

function readAnswer(body: Uint8Array, { isSecure }: Pick<PushSessionPorts, 'isSecure'>): MsrpMedia {
  const media = msrpMedia(decodeSdp(body));
  if (media === undefined || media.path.length === 0) {
    throw new DecodeError('the answer has no MSRP media', { clause: 'RFC 4975 §8' });
  }
  if (media.setup === 'active') {
    throw new DecodeError('the answer claims the active role too', { clause: 'RFC 6135 §4.2' });
  }
  if (media.isSecure !== isSecure) {
    throw new DecodeError('the answer is not for the media that were offered', { clause: 'RFC 3264 §6' });
  }
  if (isSecure && media.fingerprints?.length === 0) {
    throw new DecodeError('the certificate of the answer cannot be told from another', {
      clause: 'RFC 8122 §5',
    });
  }
  return media;
}
