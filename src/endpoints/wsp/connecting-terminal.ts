/**
 * Which terminal opens a WSP session, and whether it is (SIR-162). As by OTA-HTTP a name alone gets nothing: what counts is a SIR that was
 * made for the terminal, or a proof of its own key. Terminals that know nothing of that are known by their address, where the operator
 * says that the network vouches for it.
 */
import { MINUTE_MS } from '../../kernel/units.js';
import type { WspHeader } from '../../protocols/wsp/index.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import type { Terminal } from '../../registry/user.js';
import type { DatagramPeer } from '../../transports/datagram/datagram-socket.js';
import { nonceTime, readCredentials, wspTerminalKey } from '../../transports/wsp/session-headers.js';
import {
  claimedTerminal,
  type IdentificationPorts,
  identifyTerminal,
} from '../ota/terminal-identification.js';

export interface ConnectingPorts extends IdentificationPorts {
  /** The one terminal that was sent a SIR at this address lately. */
  readonly sirSentTo: (address: string) => TerminalId | undefined;
}

export interface ConnectingOptions {
  readonly sirSuffices: boolean;
  /** Is the address enough? */
  readonly addressSuffices: boolean;
  readonly secret?: string;
}

const MAX_AGE_MS = 5 * MINUTE_MS;
/** Within the age above; what is beyond would let an old one through again. */
const MAX_NONCES = 100_000;

export class ConnectingTerminals {
  readonly #ports: ConnectingPorts;
  readonly #options: ConnectingOptions;
  /** Used nonces and until when they could be used again. */
  readonly #used = new Map<string, number>();

  constructor(ports: ConnectingPorts, options: ConnectingOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** The terminal, or why it is not known. Rejects with DeliveryError when the store is away. */
  async identify(headers: readonly WspHeader[], peer: DatagramPeer): Promise<Terminal | string> {
    const { addressSuffices, sirSuffices, secret } = this.#options;
    const { nonce = '', proof, ...names } = readCredentials(headers);
    if (addressSuffices && names.sirId === undefined) {
      const atAddress = await this.#atAddress(peer.address, names.terminalId);
      if (atAddress) return atAddress;
    }
    const given = proof === undefined ? {} : { proof };
    const tooOld = proof === undefined ? undefined : this.#objectionTo(nonce);
    if (tooOld !== undefined) return tooOld;
    const terminal = await identifyTerminal(
      {
        registration: { ...names, ...given },
        nonce,
        fingerprints: [],
        sirSuffices,
        ...(secret === undefined ? {} : { keyOf: ({ id }) => wspTerminalKey(secret, id) }),
      },
      this.#ports,
    );
    // Only nonces of terminals are remembered, so that strangers cannot fill the memory.
    if (proof === undefined || typeof terminal === 'string') return terminal;
    return this.#objectionTo(nonce) ?? this.#use(nonce) ?? terminal;
  }

  /** The one whose activation method has this address, or that was sent a SIR there. */
  async #atAddress(address: string, name: string | undefined): Promise<Terminal | undefined> {
    const { registry, sirSentTo } = this.#ports;
    if (name !== undefined) {
      const claimed = await claimedTerminal(name, registry);
      return claimed?.activation.some(
        (method) => method.bearer === 'wsp' && hostOf(method.address) === address,
      )
        ? claimed
        : undefined;
    }
    const sent = sirSentTo(address);
    return sent === undefined ? undefined : registry.findTerminal(sent);
  }

  #objectionTo(nonce: string): string | undefined {
    const now = this.#ports.now();
    const madeAt = nonceTime(nonce);
    if (madeAt === undefined || Math.abs(now - madeAt) > MAX_AGE_MS)
      return 'the nonce of its proof is not of now';
    return this.#used.has(nonce) ? 'the nonce of its proof was used before' : undefined;
  }

  #use(nonce: string): string | undefined {
    const now = this.#ports.now();
    for (const [old, until] of this.#used) {
      if (until > now) break;
      this.#used.delete(old);
    }
    if (this.#used.size >= MAX_NONCES) return 'too many proofs at a time';
    this.#used.set(nonce, now + 2 * MAX_AGE_MS);
    return undefined;
  }
}

/** The host of `host:port`, IPv6 without brackets. */
function hostOf(hostPort: string | undefined): string | undefined {
  return hostPort?.replace(/:[0-9]+$/, '').replace(/^\[(.*)\]$/, '$1');
}
