/** A terminal that listens for connectionless WSP (WAP-235): pushes and SIRs in datagrams, port 2948 as a rule. Other PDUs are dropped. */
import { DecodeError } from '../kernel/errors.js';
import { decodePush, type PushContents } from '../protocols/wsp/index.js';
import { DatagramSocket } from '../transports/datagram/datagram-socket.js';

export interface WspListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface WspListenerPorts {
  /** Must not reject; nobody waits for it. */
  readonly take: (push: PushContents) => Promise<unknown>;
  readonly onRefused: (reason: string) => void;
}

export class WspListener implements AsyncDisposable {
  readonly #socket: DatagramSocket;

  private constructor(socket: DatagramSocket) {
    this.#socket = socket;
  }

  /** Rejects with the operating system's error when the port cannot be had. */
  static async start(
    options: WspListenerOptions,
    { take, onRefused }: WspListenerPorts,
  ): Promise<WspListener> {
    const socket = await DatagramSocket.open({
      ...options,
      onError: (error) => onRefused(error.message),
      onDatagram(octets) {
        try {
          void take(decodePush(octets));
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          onRefused(error.detail);
        }
      },
    });
    return new WspListener(socket);
  }

  /** `host:port`: what the gateway is told as the terminal's address. */
  get address(): string {
    const { address, port } = this.#socket.bound;
    return `${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  get url(): string {
    return `wsp://${this.address}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
  }
}
