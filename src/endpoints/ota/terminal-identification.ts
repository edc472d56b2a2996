/**
 * Which terminal has called (TO-TCP), from its registration, and whether it is. Anybody may claim any `X-Wap-Terminal-Id`; content goes to a
 * terminal that shows what only it has: the id of a SIR that was made for it, a proof of its own key over our nonce, or the private
 * key of a certificate whose digest is one of its device identities (SIR-20, SIR-162).
 */
import { unlessBroken } from '../../kernel/errors.js';
import { isSessionProof, type Registration } from '../../protocols/ota-http/index.js';
import type { SirRecord } from '../../push/sir.js';
import { type DeviceIdentity, matchesAny, parseDeviceIdentity } from '../../registry/device-identity.js';
import type { Registry } from '../../registry/ports.js';
import { publicUserIdentity } from '../../registry/public-user-identity.js';
import type { TerminalId } from '../../registry/terminal-id.js';
import type { Terminal } from '../../registry/user.js';

export interface IdentificationPorts {
  readonly registry: Pick<Registry, 'findUser' | 'findTerminal'>;
  readonly findSir: (id: string) => Promise<SirRecord | undefined>;
  readonly now: () => number;
}

export interface Presented {
  readonly registration: Pick<Registration, 'sirId' | 'terminalId' | 'proof'>;
  readonly nonce: string;
  /** Digests of the certificate of the TLS connection, and of its key. */
  readonly fingerprints: readonly DeviceIdentity[];
  /** Is the id of a SIR enough? */
  readonly sirSuffices: boolean;
  /** The key of a terminal; absent: they have none. */
  readonly keyOf?: (terminal: Terminal) => Uint8Array;
}

/** The terminal, or why it is not known. Rejects with DeliveryError when the store is away. */
export async function identifyTerminal(
  presented: Presented,
  ports: IdentificationPorts,
): Promise<Terminal | string> {
  const { registration, nonce, fingerprints, sirSuffices, keyOf } = presented;
  const { sirId, terminalId, proof } = registration;
  const sir = sirId === undefined ? undefined : await ports.findSir(sirId);
  if (sirId !== undefined && (sir === undefined || sir.expiresAt <= ports.now()))
    return 'it follows no SIR of ours';
  const terminal = sir
    ? await followed(sir, terminalId, ports.registry)
    : await claimedTerminal(terminalId, ports.registry);
  if (!terminal) return sir ? 'the SIR was made for another terminal' : 'it names no terminal that is known';
  if (sirId !== undefined && sirSuffices) return terminal;
  if (matchesAny(fingerprints, ownFingerprints(terminal))) return terminal;
  const hasKey = keyOf !== undefined && proof !== undefined && isSessionProof(proof, keyOf(terminal), nonce);
  return hasKey ? terminal : 'it does not show that it is the terminal that it names';
}

/** The one that the SIR was for, or of several the one that the terminal says it is. */
async function followed(
  { mayOpen }: SirRecord,
  name: string | undefined,
  registry: IdentificationPorts['registry'],
): Promise<Terminal | undefined> {
  const meant = await Promise.all(mayOpen.map((id) => registry.findTerminal(id)));
  const known = meant.filter((terminal) => terminal !== undefined);
  if (name === undefined) return known.length === 1 ? known[0] : undefined;
  return known.find((terminal) => names(name, terminal));
}

/** The terminal of a GRUU, or of the id by which the gateway knows it. */
export async function claimedTerminal(
  text: string | undefined,
  registry: IdentificationPorts['registry'],
): Promise<Terminal | undefined> {
  if (text === undefined) return undefined;
  const identity = unlessBroken(() => parseDeviceIdentity(text));
  if (identity?.kind !== 'gruu') return registry.findTerminal(text as TerminalId);
  const user = await registry.findUser(publicUserIdentity(identity.value));
  return user?.terminals.find((terminal) => matchesAny([identity], terminal.identities));
}

function names(text: string, terminal: Terminal): boolean {
  if (text === terminal.id || text === terminal.name) return true;
  const identity = unlessBroken(() => parseDeviceIdentity(text));
  return identity !== undefined && matchesAny([identity], terminal.identities);
}

function ownFingerprints({ identities }: Terminal): readonly DeviceIdentity[] {
  return identities.filter(({ kind }) => kind === 'fingerprint');
}
