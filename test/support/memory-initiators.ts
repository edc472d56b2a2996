/** The initiator directory in memory, and passwords hashed at a cost that tests can pay. */
import type {
  Initiator,
  InitiatorAttributes,
  InitiatorDirectory,
  InitiatorEntry,
} from '../../src/registry/initiator.js';
import {
  type ClientCertificate,
  certificateKey,
  certificateKeys,
} from '../../src/registry/initiator-certificate.js';
import { certificateTaken } from '../../src/registry/initiator-configured.js';
import { hashPassword } from '../../src/registry/initiator-password.js';

export class MemoryInitiatorDirectory implements InitiatorDirectory {
  readonly #initiators = new Map<string, InitiatorAttributes>();
  /** How often somebody was looked up. */
  lookups = 0;

  async find(id: string): Promise<Initiator | undefined> {
    this.lookups += 1;
    return this.#initiator(id);
  }

  async findByCertificate(certificate: ClientCertificate): Promise<Initiator | undefined> {
    this.lookups += 1;
    for (const key of certificateKeys(certificate)) {
      const owner = this.#ownerOf(key);
      if (owner !== undefined) return this.#initiator(owner);
    }
    return undefined;
  }

  async change(id: string, edit: (before: InitiatorAttributes | undefined) => InitiatorAttributes) {
    const before = this.#initiators.get(id);
    const after = edit(before);
    for (const name of after.certificates ?? []) {
      const owner = this.#ownerOf(certificateKey(name));
      if (owner !== undefined && owner !== id) throw certificateTaken(owner);
    }
    this.#initiators.set(id, after);
    const initiator: Initiator = { ...after, id, origin: 'stored' };
    return { outcome: before === undefined ? 'created' : 'replaced', initiator } as const;
  }

  /** Takes the initiator as it is, whatever was there. */
  async put({ id, origin: _, ...attributes }: Initiator): Promise<void> {
    this.#initiators.set(id, attributes);
  }

  async remove(id: string): Promise<boolean> {
    return this.#initiators.delete(id);
  }

  async list(): Promise<readonly InitiatorEntry[]> {
    return [...this.#initiators.keys()].sort().map((id) => ({ id, origin: 'stored' }));
  }

  #initiator(id: string): Initiator | undefined {
    const attributes = this.#initiators.get(id);
    return attributes && { ...attributes, id, origin: 'stored' };
  }

  #ownerOf(key: string): string | undefined {
    return [...this.#initiators].find(([, { certificates = [] }]) =>
      certificates.some((name) => certificateKey(name) === key),
    )?.[0];
  }
}

/** Octets that count up: different on every call, the same in every run. */
export function countingBytes(): (size: number) => Uint8Array {
  let next = 0;
  return (size) => {
    next += 1;
    return new Uint8Array(size).fill(next);
  };
}

export const CHEAP_SCRYPT = { logN: 4, r: 8, p: 1 };

export async function initiatorWith(id: string, password: string): Promise<Initiator> {
  return { id, origin: 'stored', passwordHash: await hashPassword(password, countingBytes(), CHEAP_SCRYPT) };
}
