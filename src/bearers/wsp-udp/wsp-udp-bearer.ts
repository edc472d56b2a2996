/**
 * The `wsp` bearer: connectionless WSP (WAP-230 §8.2.4.1, WAP-235) to a terminal that listens on UDP, port 2948 as a rule: SIRs (SIR-85,
 * SIR-87) and unit pushes. Nobody acknowledges such a datagram: what was sent is handed over, not delivered. A push that has to be
 * confirmed, or is larger than a datagram may be, goes another way; by a SIR, for instance, which a terminal follows into a WSP session.
 */
import { describeError, RefusedError } from '../../kernel/errors.js';
import type { ConnectionOutcome } from '../../lane/ports.js';
import { encodeSia } from '../../protocols/sia/index.js';
import { encodePush } from '../../protocols/wsp/index.js';
import type { Bearer, BearerOutcome, CarriedItem } from '../../push/ports.js';
import type { Sir } from '../../push/sir.js';
import { terminalCapabilities } from '../../registry/capabilities.js';
import type { Terminal } from '../../registry/user.js';
import type { DatagramPeer } from '../../transports/datagram/datagram-socket.js';
import { pushContents } from '../../transports/wsp/push-contents.js';
import { type SirSender, signedSia } from '../sir-body.js';

export interface WspUdpBearerPorts {
  /** Where `host:port` is. Rejects with DeliveryError when nothing may go there. */
  readonly resolve: (hostPort: string) => Promise<DatagramPeer>;
  readonly send: (octets: Uint8Array, to: DatagramPeer) => Promise<void>;
  /** A SIR is on its way. */
  readonly onSir: (terminal: Terminal, sir: Sir, to: DatagramPeer) => void;
}

export interface WspUdpBearerOptions {
  readonly sender: SirSender;
  /** Largest datagram: what surely comes through the network in one piece. */
  readonly maxDatagramBytes: number;
}

const PUSH_SIA = 'x-wap-application:push.sia';

export class WspUdpBearer implements Bearer {
  readonly #ports: WspUdpBearerPorts;
  readonly #options: WspUdpBearerOptions;
  #transactionId = 0;

  constructor(ports: WspUdpBearerPorts, options: WspUdpBearerOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  async wake(terminal: Terminal, sir: Sir, address: string | undefined): Promise<BearerOutcome> {
    if (address === undefined) return { kind: 'failed', detail: NO_ADDRESS };
    const { sender, maxDatagramBytes } = this.#options;
    // [SIR-67] These two headers and no other.
    const octets = encodePush({
      transactionId: this.#nextTransactionId(),
      contentType: { mediaType: 'application/vnd.wap.sia', parameters: new Map() },
      headers: [{ name: 'X-Wap-Application-Id', value: PUSH_SIA }],
      body: encodeSia(signedSia(sir, sender)),
    });
    if (octets.length > maxDatagramBytes) {
      return { kind: 'failed', detail: tooLarge('the SIR', octets, maxDatagramBytes), address };
    }
    try {
      const peer = await this.#ports.resolve(address);
      // Before it can follow it.
      this.#ports.onSir(terminal, sir, peer);
      return { kind: 'handed', detail: await this.#send(octets, peer, address), address };
    } catch (error) {
      return { kind: 'failed', detail: describeError(error), address };
    }
  }

  async carry(
    terminal: Terminal,
    item: CarriedItem,
    address: string | undefined,
  ): Promise<ConnectionOutcome> {
    if (address === undefined) return { kind: 'unfit', detail: NO_ADDRESS };
    if (item.confirmation === 'required') {
      return { kind: 'unfit', detail: 'nobody confirms a connectionless push' };
    }
    let octets: Uint8Array;
    try {
      octets = encodePush({
        transactionId: this.#nextTransactionId(),
        ...pushContents(item, item.content),
      });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return { kind: 'unfit', detail: error.detail };
    }
    const { maxMessageSize = Number.POSITIVE_INFINITY } = terminalCapabilities(terminal, []);
    const most = Math.min(this.#options.maxDatagramBytes, maxMessageSize);
    if (octets.length > most) return { kind: 'unfit', detail: tooLarge('the push', octets, most) };
    try {
      const peer = await this.#ports.resolve(address);
      return { kind: 'handed', detail: await this.#send(octets, peer, address) };
    } catch (error) {
      return { kind: 'lost', detail: describeError(error) };
    }
  }

  async #send(octets: Uint8Array, peer: DatagramPeer, hostPort: string): Promise<string> {
    await this.#ports.send(octets, peer);
    return `sent to ${hostPort} in a datagram of ${octets.length} octets`;
  }

  #nextTransactionId(): number {
    this.#transactionId = (this.#transactionId + 1) & 0xff;
    return this.#transactionId;
  }
}

const NO_ADDRESS = 'the activation method has no address';

function tooLarge(what: string, { length }: Uint8Array, most: number): string {
  return `${what} is too large for a datagram: ${length} octets, at most ${most}`;
}
