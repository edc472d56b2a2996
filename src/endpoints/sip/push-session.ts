/**
 * INVITE to the gateway's own address: a terminal opens its push session (SIR-158, SIR-162). It is accepted only from the
 * terminal that it names: the user that a trusted peer asserts, else that of the From header, must have a terminal with the
 * `+sip.instance` (or GRUU) of the Contact, and a cited SIR must have been made for that terminal; or for one that is known by a name that no
 * Contact can carry, which the terminal then states in `X-Push-Device-Identity` (SIR-23). A user that nobody asserts and that has SIP
 * credentials must have registered that instance from the same transport address or answer a digest challenge. Everybody
 * else gets 403.
 */
import type { Clock } from '../../kernel/clock.js';
import { DecodeError, describeError } from '../../kernel/errors.js';
import type { Sessions } from '../../lane/sessions.js';
import { parseMsrpUri } from '../../protocols/msrp/index.js';
import { answerOffer, decodeSdp, type MsrpMedia, msrpMedia, type Sdp } from '../../protocols/sdp/index.js';
import {
  contactsOf,
  headerValue,
  headerValues,
  instanceOf,
  type SipRequest,
} from '../../protocols/sip/index.js';
import type { SirRecord } from '../../push/sir.js';
import type { Binding } from '../../registry/binding.js';
import {
  type DeviceIdentity,
  instanceIdentity,
  matchesAny,
  parseDeviceIdentity,
} from '../../registry/device-identity.js';
import { isGruu } from '../../registry/gruu.js';
import { mayBeBehind } from '../../registry/hidden-terminal.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import type { Terminal, User } from '../../registry/user.js';
import type { Log } from '../../telemetry/log.js';
import type { MsrpConnections, MsrpSession } from '../../transports/msrp-connections/msrp-connections.js';
import type { ServerInvite, SipFlow } from '../../transports/sip-stack/sip-stack.js';
import { admit, isForGateway } from './admission.js';
import { type CallingUser, callingUser } from './calling-user.js';
import type { DigestAuthentication } from './digest-authentication.js';
import { MsrpTerminalSession } from './msrp-terminal-session.js';
import { warning } from './warning.js';

export interface PushSessionPorts {
  readonly findUser: (identityOrAlias: string) => Promise<User | undefined>;
  /** A SIR of ours that is cited; one that has lapsed says nothing. */
  readonly findSir: (id: string) => Promise<SirRecord | undefined>;
  /** Peers that are believed when they assert an identity. */
  readonly isTrusted: (flow: SipFlow) => boolean;
  readonly bindings: (user: PublicUserIdentity) => Promise<readonly Binding[]>;
  readonly authentication: Pick<DigestAuthentication, 'authenticate'>;
  readonly sessions: Sessions;
  readonly msrp: MsrpConnections;
  readonly clock: Clock;
  readonly log: Log;
  readonly observe: (fact: PushSessionFact) => void;
}

/** A push session of a terminal is ready for content, or has ended. */
export interface PushSessionFact {
  readonly kind: 'opened' | 'closed';
  readonly terminal: TerminalId;
  readonly session: string;
  /** Why it was closed. */
  readonly reason?: string;
}

export interface PushSessionOptions {
  /** User part of the gateway's own SIP address. */
  readonly ppgUser: string;
  /** Whether a user without SIP credentials may open sessions at all. */
  readonly allowWithoutCredentials: boolean;
  /** Unguessable, unique for every session. */
  readonly sessionId: () => string;
  readonly window: number;
  readonly idleMs: number;
  /** Who says no, in Warning. */
  readonly host: string;
}

/** Handles one INVITE. Every way out of it has answered. */
export async function acceptPushSession(
  invite: ServerInvite,
  ports: PushSessionPorts,
  options: PushSessionOptions,
): Promise<void> {
  if (!isForGateway(invite.message.uri, options.ppgUser)) return invite.respond(404);
  const refuse = (reason: string) => {
    ports.log({ level: 'info', message: 'push session refused', reason, peer: invite.flow.address });
    invite.respond(403, { headers: [warning(options.host, reason)] });
  };
  const caller = await identify(invite, ports);
  if (typeof caller === 'string') return refuse(caller);
  const admission = await admit(invite, caller, ports, options);
  if (admission === 'challenged') return;
  if (admission === 'noCredentials') return refuse('the user has no SIP credentials');

  const offer = readOffer(invite, { isSecureServed: ports.msrp.fingerprint !== undefined });
  if (!offer)
    return invite.respond(488, {
      headers: [warning(options.host, 'the offer has no usable MSRP media')],
    });
  await openSession(invite, caller.opensAs, offer, ports, options);
}

interface Caller extends CallingUser {
  /** By its Contact: what its registration speaks for. */
  readonly terminal: Terminal;
  /** Whose content it gets. */
  readonly opensAs: Terminal;
}

/** The user and terminal that call, or the reason why they are not known. */
async function identify(invite: ServerInvite, ports: PushSessionPorts): Promise<Caller | string> {
  const { message } = invite;
  try {
    const caller = await callingUser(invite, ports);
    if (!caller) return 'the user is not known';
    const identity = deviceIn(message);
    if (identity === undefined) return 'the Contact has no +sip.instance';
    const terminal = caller.user.terminals.find((candidate) => matchesAny([identity], candidate.identities));
    if (!terminal) return 'the user has no terminal with this instance';
    let opensAs = terminal;
    for (const id of headerValues(message, 'in-reply-to')) {
      const sir = await ports.findSir(id);
      if (!sir || sir.mayOpen.includes(terminal.id)) continue;
      const hidden = hiddenTerminal(message, caller.user, terminal, sir);
      if (!hidden) return 'the SIR was made for another terminal';
      opensAs = hidden;
    }
    return { ...caller, terminal, opensAs };
  } catch (error) {
    if (error instanceof DecodeError) return error.detail;
    throw error;
  }
}

/** The terminal of the SIR that the caller says it is, where nothing that is known of the caller says otherwise. */
function hiddenTerminal(
  message: SipRequest,
  { terminals }: User,
  caller: Terminal,
  { mayOpen }: SirRecord,
): Terminal | undefined {
  const stated = headerValue(message, 'x-push-device-identity');
  if (stated === undefined) return undefined;
  const identity = parseDeviceIdentity(stated);
  return terminals.find(
    (candidate) =>
      mayOpen.includes(candidate.id) &&
      matchesAny([identity], candidate.identities) &&
      mayBeBehind(caller, candidate),
  );
}

/**
 * The device that calls. Proxies on the way may rewrite the address in the Contact, but not its parameters; a terminal that puts its GRUU there
 * (RFC 5627 §4.4) is named by that.
 */
function deviceIn(message: SipRequest): DeviceIdentity | undefined {
  const contacts = contactsOf(message);
  const [contact] = contacts === '*' ? [] : contacts;
  if (contact === undefined) return undefined;
  const instance = instanceOf(contact.parameters);
  if (instance !== undefined) return instanceIdentity(instance);
  return isGruu(contact.uri) ? parseDeviceIdentity(contact.uri) : undefined;
}

interface Offer {
  readonly sdp: Sdp;
  readonly media: MsrpMedia;
}

/** Undefined when it has no media that can be had: MSRP over TLS needs a certificate here, and one there that can be told from others. */
function readOffer(
  { message }: ServerInvite,
  { isSecureServed }: { readonly isSecureServed: boolean },
): Offer | undefined {
  if (!/^application\/sdp\s*(?:;|$)/i.test(headerValue(message, 'content-type') ?? '')) return undefined;
  try {
    const sdp = decodeSdp(message.body);
    const media = msrpMedia(sdp);
    if (!media || media.path.length === 0) return undefined;
    if (media.isSecure && (!isSecureServed || media.fingerprints?.length === 0)) return undefined;
    return { sdp, media };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Answers the offer and hands the session to the lane once the terminal is connected. */
async function openSession(
  invite: ServerInvite,
  terminal: Terminal,
  { sdp, media }: Offer,
  ports: PushSessionPorts,
  options: PushSessionOptions,
): Promise<void> {
  const { sessions, clock, log, observe } = ports;
  let session: MsrpTerminalSession | undefined;
  const report = (error: unknown) =>
    log({
      level: 'warn',
      message: 'push session not recorded',
      terminal: terminal.id,
      reason: describeError(error),
    });

  const { isSecure, fingerprints } = media;
  const msrp: MsrpSession = ports.msrp.openSession({
    isSecure,
    peerAddress: media.address ?? invite.flow.address,
    onConnected() {
      if (!session) return;
      observe({ kind: 'opened', terminal: terminal.id, session: session.id });
      sessions.opened(terminal.id, session).catch(report);
    },
    onClosed: (reason) => session?.close(reason),
  });
  session = new MsrpTerminalSession({
    id: options.sessionId(),
    msrp,
    acceptTypes: media.acceptTypes.length > 0 ? media.acceptTypes : ['*'],
    ...(media.maxSize === undefined ? {} : { maxSize: media.maxSize }),
    window: options.window,
    idleMs: options.idleMs,
    clock,
    onClosed(closed, reason) {
      observe({ kind: 'closed', terminal: terminal.id, session: closed.id, reason });
      sessions.closed(terminal.id, closed).catch(report);
    },
  });

  const weConnect = media.setup === 'passive';
  if (!weConnect) msrp.awaitPeer(media.path, { fingerprints });
  const answer = answerOffer(sdp, {
    host: parseMsrpUri(msrp.localPath).host,
    path: [msrp.localPath],
    setup: weConnect ? 'active' : 'passive',
    acceptTypes: ['*'],
    ...(isSecure && ports.msrp.fingerprint ? { fingerprint: ports.msrp.fingerprint } : {}),
  });
  invite.onCancel(() => session.close('cancelled'));
  try {
    const accepted = invite.accept({ body: answer, contentType: 'application/sdp' });
    if (weConnect) {
      msrp
        .connect(media.path, { fingerprints })
        .catch((error: unknown) => session.close(describeError(error)));
    }
    session.bind(await accepted);
  } catch (error) {
    session.close(describeError(error));
  }
}
