/**
 * A push proxy gateway that does exactly what a test tells it: registrar, sender of SIRs, far end of push sessions. Made of the
 * same stacks as the product, over real sockets; it decides nothing by itself.
 */
import { EventEmitter, once } from 'node:events';
import { answerOffer, decodeSdp, type MsrpMedia, msrpMedia } from '../../src/protocols/sdp/index.js';
import { encodeSia, type Sia } from '../../src/protocols/sia/index.js';
import {
  headerValue,
  type SipHeader,
  type SipRequest,
  type SipResponse,
} from '../../src/protocols/sip/index.js';
import { createMsrpConnections } from '../../src/transports/msrp-connections/create-msrp-connections.js';
import type {
  MsrpConnections,
  MsrpMessageToSend,
  MsrpOutcome,
  MsrpSession,
} from '../../src/transports/msrp-connections/msrp-connections.js';
import { createSipStack } from '../../src/transports/sip-stack/create-sip-stack.js';
import type {
  ServerInvite,
  ServerRequest,
  SipDialog,
  SipFlow,
  SipStack,
} from '../../src/transports/sip-stack/sip-stack.js';

export interface GatewaySession {
  readonly invite: SipRequest;
  readonly media: MsrpMedia;
  readonly dialog: SipDialog;
  readonly msrp: MsrpSession;
  send(message: Partial<MsrpMessageToSend> & { messageId: string }): Promise<MsrpOutcome>;
}

export const PPG_URI = 'sip:ppg@carillon.test';

export class ScriptedGateway extends EventEmitter implements AsyncDisposable {
  readonly stack: SipStack;
  msrp: MsrpConnections;
  readonly registers: SipRequest[] = [];
  readonly messages: SipRequest[] = [];
  readonly invites: SipRequest[] = [];
  readonly sessions: GatewaySession[] = [];
  /** Flow of the last REGISTER. */
  flow: SipFlow | undefined;
  /** Replaces the answer to a REGISTER; returning false leaves it to the default (200). */
  onRegister: (request: ServerRequest) => boolean = () => false;
  /** Replaces the answer to an INVITE. */
  inviteStatus: number | undefined;

  private constructor(transport: 'udp' | 'tcp', port: number) {
    super();
    this.stack = createSipStack({
      listen: [{ transport, host: '127.0.0.1', port }],
      product: 'scripted',
      supported: ['path', 'gruu', 'outbound'],
    });
    this.msrp = createMsrpConnections({ listen: { host: '127.0.0.1', port: 0 } });
  }

  /** Every MSRP connection breaks, as when the gateway crashes and comes back. */
  async breakSessions(): Promise<void> {
    await this.msrp.close();
    this.msrp = createMsrpConnections({ listen: { host: '127.0.0.1', port: 0 } });
    await this.msrp.listen();
  }

  static async start(transport: 'udp' | 'tcp' = 'udp', port = 0): Promise<ScriptedGateway> {
    const gateway = new ScriptedGateway(transport, port);
    gateway.stack.onRequest('REGISTER', (request) => gateway.#register(request));
    gateway.stack.onRequest('MESSAGE', (request) => {
      gateway.messages.push(request.message);
      request.respond(200);
      gateway.emit('message', request.message);
    });
    gateway.stack.onInvite((invite) => gateway.#invite(invite));
    await gateway.stack.listen();
    await gateway.msrp.listen();
    return gateway;
  }

  get registrar(): { host: string; port: number; transport: 'udp' | 'tcp' } {
    const [bound] = this.stack.bound;
    return {
      host: bound?.address ?? '',
      port: bound?.port ?? 0,
      transport: bound?.transport === 'tcp' ? 'tcp' : 'udp',
    };
  }

  /** Sends a SIR to the last terminal that registered. */
  sendSir(
    sia: Partial<Sia>,
    options: {
      headers?: readonly SipHeader[];
      to?: string;
      callId?: string;
      from?: string;
      uri?: string;
    } = {},
  ): Promise<SipResponse> {
    return this.sendMessage('application/vnd.wap.sia', encodeSia(fullSia(sia)), options);
  }

  async sendMessage(
    contentType: string,
    body: Uint8Array,
    options: {
      headers?: readonly SipHeader[];
      to?: string;
      callId?: string;
      from?: string;
      uri?: string;
    } = {},
  ): Promise<SipResponse> {
    if (this.flow === undefined) throw new Error('nobody has registered');
    const uri = options.uri ?? 'sip:alice@carillon.test';
    return await this.stack.request({
      method: 'MESSAGE',
      uri,
      from: options.from ?? `<${PPG_URI}>`,
      to: options.to ?? `<${uri}>`,
      ...(options.callId === undefined ? {} : { callId: options.callId }),
      headers: options.headers ?? [],
      contentType,
      body,
      destination: this.flow,
    });
  }

  /** The next session that is ready to carry content, or the one that is. */
  async session(): Promise<GatewaySession> {
    const last = this.sessions.at(-1);
    if (last !== undefined) return last;
    const [session] = (await once(this, 'session')) as [GatewaySession];
    return session;
  }

  async close(): Promise<void> {
    await this.msrp.close();
    await this.stack.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #register(request: ServerRequest): void {
    this.registers.push(request.message);
    this.flow = request.flow;
    if (!this.onRegister(request)) {
      const contact = headerValue(request.message, 'contact') ?? '';
      const expires = headerValue(request.message, 'expires') ?? '3600';
      const headers = expires === '0' ? [] : [{ name: 'Contact', value: `${contact};expires=${expires}` }];
      request.respond(200, { headers });
    }
    this.emit('register', request.message);
  }

  async #invite(invite: ServerInvite): Promise<void> {
    this.invites.push(invite.message);
    this.emit('invite', invite.message);
    if (this.inviteStatus !== undefined) return invite.respond(this.inviteStatus);
    const offer = decodeSdp(invite.message.body);
    const media = msrpMedia(offer);
    if (media === undefined) return invite.respond(488);
    let connected: () => void = () => undefined;
    const bound = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const msrp = this.msrp.openSession({ onConnected: () => connected() });
    msrp.awaitPeer(media.path);
    const dialog = await invite.accept({
      body: answerOffer(offer, {
        host: '127.0.0.1',
        path: [msrp.localPath],
        setup: 'passive',
        acceptTypes: ['*'],
      }),
      contentType: 'application/sdp',
      headers: [{ name: 'Contact', value: `<sip:ppg@127.0.0.1:${this.registrar.port}>` }],
    });
    await bound;
    const session: GatewaySession = {
      invite: invite.message,
      media,
      dialog,
      msrp,
      send: (message) =>
        msrp.send({ contentType: 'text/plain', content: new Uint8Array(), successReport: true, ...message }),
    };
    this.sessions.push(session);
    this.emit('session', session);
  }
}

export function fullSia(sia: Partial<Sia>): Sia {
  return {
    version: 1,
    applicationIds: [],
    wspContactPoints: [],
    contactPoints: [],
    protocolOptions: [],
    provisioningUrl: '',
    cpiTags: [],
    ...sia,
  };
}
