/**
 * Push initiators of the configuration, in front of those that are stored. The configuration wins: an id or certificate that it
 * holds is found there and cannot be changed or removed through the directory, because the next start would bring it back.
 * Nothing of it is written to the store, so an initiator that leaves the configuration is gone with the restart.
 */
import type { RandomBytes } from '../kernel/clock.js';
import { DecodeError, describeError, RefusedError } from '../kernel/errors.js';
import type { Initiator, InitiatorDirectory } from './initiator.js';
import { certificateKey, certificateKeys } from './initiator-certificate.js';
import { hashPassword } from './initiator-password.js';
import { changedInitiator, initiatorChangeFromJson } from './initiator-validation.js';

/** As the configuration has it: what the admin API's PUT takes, and the id. */
export interface ConfiguredInitiator {
  readonly id: string;
  readonly password?: string | undefined;
  readonly [attribute: string]: unknown;
}

/**
 * The directory with the configured initiators merged in. Their passwords are hashed when they are first asked for. Throws
 * DecodeError naming the key (`pushInitiators[0].sourceNetworks[1]: …`) when one of them makes no sense.
 */
export function withConfigured(
  directory: InitiatorDirectory,
  configured: readonly ConfiguredInitiator[],
  random: RandomBytes,
): InitiatorDirectory {
  const read = configured.map(readConfigured);
  const known = new Map(read.map((entry) => [entry.initiator.id, entry]));
  const byCertificate = new Map<string, string>();
  for (const { initiator } of read) {
    for (const name of initiator.certificates ?? []) byCertificate.set(certificateKey(name), initiator.id);
  }
  const hashed = new Map<string, Promise<Initiator>>();
  const refuseConfigured = (id: string) => {
    if (known.has(id)) {
      throw new RefusedError(
        'conflict',
        `the push initiator ${id} is set in the configuration: change it there`,
      );
    }
  };
  const find = async (id: string): Promise<Initiator | undefined> => {
    const entry = known.get(id);
    if (entry === undefined) return directory.find(id);
    const { initiator, password } = entry;
    if (password === undefined) return initiator;
    const ready = hashed.get(id);
    if (ready !== undefined) return ready;
    const made = hashPassword(password, random).then((passwordHash) => ({ ...initiator, passwordHash }));
    hashed.set(id, made);
    made.catch(() => hashed.delete(id)); // out of memory, say: the next request tries again
    return made;
  };
  return {
    find,
    async findByCertificate(certificate) {
      for (const key of certificateKeys(certificate)) {
        const id = byCertificate.get(key);
        if (id !== undefined) return find(id);
      }
      return directory.findByCertificate(certificate);
    },
    async change(id, edit) {
      refuseConfigured(id);
      return directory.change(id, (before) => {
        const after = edit(before);
        for (const name of after.certificates ?? []) {
          const owner = byCertificate.get(certificateKey(name));
          if (owner !== undefined) throw certificateTaken(owner);
        }
        return after;
      });
    },
    async remove(id) {
      refuseConfigured(id);
      return directory.remove(id);
    },
    async list() {
      const stored = await directory.list();
      const own = [...known.keys()].map((id) => ({ id, origin: 'configured' as const }));
      return [...own, ...stored.filter(({ id }) => !known.has(id))].sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}

/** A certificate is the name of one initiator only. */
export function certificateTaken(owner: string): RefusedError {
  return new RefusedError('conflict', `certificates: one of them belongs to the push initiator ${owner}`);
}

function readConfigured({ id, ...attributes }: ConfiguredInitiator, index: number) {
  try {
    const { password, ...change } = initiatorChangeFromJson({ password: null, ...attributes });
    const initiator: Initiator = {
      id,
      origin: 'configured',
      ...changedInitiator(undefined, change, undefined),
    };
    return { initiator, password: password ?? undefined };
  } catch (error) {
    throw new DecodeError(`pushInitiators[${index}].${describeError(error)}`, { cause: error });
  }
}
