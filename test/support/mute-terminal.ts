/** A terminal that registers by UDP and answers nothing that it is not told to answer: what a gateway does while it waits. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Profile S2: it takes content by MESSAGE. */
const FEATURE = '+g.oma.pusheventapp="push.sia"';

export interface UnansweredMessage {
  readonly callId: string;
  readonly text: string;
  answer(status: string): void;
}

export class MuteTerminal implements Disposable {
  readonly #socket: Socket;
  readonly #gatewayPort: number;
  /** Of requests seen: a retransmission has that of its first. */
  readonly #branches = new Set<string>();

  private constructor(socket: Socket, gatewayPort: number) {
    this.#socket = socket;
    this.#gatewayPort = gatewayPort;
  }

  /** Resolves when it is registered. */
  static async start(
    gateway: { readonly ports: { readonly sip: number } },
    { user, instance }: { readonly user: string; readonly instance: string },
  ): Promise<MuteTerminal> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const terminal = new MuteTerminal(socket, gateway.ports.sip);
    await terminal.#register(user, instance);
    return terminal;
  }

  async #register(user: string, instance: string): Promise<void> {
    const { address, port } = this.#socket.address();
    const request = [
      `REGISTER sip:${user.split('@')[1]} SIP/2.0`,
      `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bKmute;rport`,
      'Max-Forwards: 70',
      `From: <${user}>;tag=mute`,
      `To: <${user}>`,
      `Call-ID: mute-${port}`,
      'CSeq: 1 REGISTER',
      `Contact: <sip:mute@${address}:${port}>;+sip.instance="<${instance}>";${FEATURE}`,
      'Expires: 600',
      'Content-Length: 0',
      '',
      '',
    ];
    const answered = once(this.#socket, 'message');
    this.#socket.send(request.join('\r\n'), this.#gatewayPort, '127.0.0.1');
    const [answer] = await answered;
    if (!String(answer).startsWith('SIP/2.0 200 ')) throw new Error(`not registered: ${String(answer)}`);
  }

  /** The first MESSAGE of a transaction that was not seen before. */
  async nextMessage(): Promise<UnansweredMessage> {
    for (;;) {
      const [octets, { port }] = (await once(this.#socket, 'message')) as [Buffer, RemoteInfo];
      const lines = octets.toString().split('\r\n');
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}:`)) ?? '';
      if (this.#branches.has(field('Via'))) continue;
      this.#branches.add(field('Via'));
      if (!lines[0]?.startsWith('MESSAGE ')) throw new Error(`not a MESSAGE: ${lines[0]}`);
      return {
        callId: field('Call-ID'),
        text: lines.at(-1) ?? '',
        answer: (status) => {
          const echoed = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map(field);
          const response = [`SIP/2.0 ${status}`, ...echoed, 'Content-Length: 0', '', ''];
          this.#socket.send(response.join('\r\n'), port, '127.0.0.1');
        },
      };
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
