/** A stretch of network between UDP peers and one far end: loses what the test says, in both directions, and keeps what passed for tshark. */
import { type DatagramPeer, DatagramSocket } from '../../src/transports/datagram/datagram-socket.js';
import type { CapturedPacket } from './pcap.js';

export interface UdpRelayOptions {
  /** Where to; asked for each datagram, because it may not be there yet. */
  readonly farEnd: () => DatagramPeer;
  readonly loses: () => boolean;
}

export class UdpRelay implements AsyncDisposable {
  readonly #options: UdpRelayOptions;
  readonly #near: DatagramSocket;
  /** One socket for each peer, so that the far end sees them apart. */
  readonly #far = new Map<string, Promise<DatagramSocket>>();
  /** What was not lost, towards the far end (`destinationPort`) and back. */
  readonly passed: CapturedPacket[] = [];
  lost = 0;

  private constructor(near: DatagramSocket, options: UdpRelayOptions) {
    this.#near = near;
    this.#options = options;
  }

  static async start(options: UdpRelayOptions): Promise<UdpRelay> {
    let relay: UdpRelay | undefined;
    const near = await DatagramSocket.open({
      host: '127.0.0.1',
      port: 0,
      onDatagram: (octets, from) => void relay?.there(octets, from),
      onError: () => undefined,
    });
    relay = new UdpRelay(near, options);
    return relay;
  }

  get port(): number {
    return this.#near.bound.port;
  }

  async there(octets: Uint8Array, from: DatagramPeer): Promise<void> {
    const far = await this.#farOf(from);
    const to = this.#options.farEnd();
    if (this.#passes(octets, from.port, to.port)) await far.send(octets, to);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#near[Symbol.asyncDispose]();
    for (const far of this.#far.values()) await (await far)[Symbol.asyncDispose]();
  }

  #farOf(peer: DatagramPeer): Promise<DatagramSocket> {
    const key = `${peer.address} ${peer.port}`;
    const open = () =>
      DatagramSocket.open({
        host: '127.0.0.1',
        port: 0,
        onDatagram: (octets, from) => {
          if (this.#passes(octets, from.port, peer.port)) void this.#near.send(octets, peer);
        },
        onError: () => undefined,
      });
    const far = this.#far.get(key) ?? open();
    this.#far.set(key, far);
    return far;
  }

  #passes(octets: Uint8Array, sourcePort: number, destinationPort: number): boolean {
    if (this.#options.loses()) {
      this.lost += 1;
      return false;
    }
    this.passed.push({ protocol: 'udp', sourcePort, destinationPort, payload: Buffer.from(octets) });
    return true;
  }
}
