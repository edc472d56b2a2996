/**
 * Push initiators in Redis: one hash with a field for each id, and an index from certificates to ids beside it. Passwords and
 * tokens are in it as hashes only. Changes are compared with what was read, so that two operators cannot undo each other.
 */
import { RefusedError } from '../kernel/errors.js';
import type {
  Initiator,
  InitiatorAttributes,
  InitiatorDirectory,
  InitiatorEntry,
} from '../registry/initiator.js';
import {
  type ClientCertificate,
  certificateKey,
  certificateKeys,
} from '../registry/initiator-certificate.js';
import { certificateTaken } from '../registry/initiator-configured.js';
import { initiatorCertificatesKey, initiatorsKey } from './keys.js';
import { changeInitiator } from './lua/change-initiator.js';
import type { RedisClient } from './redis-connection.js';

/** Changes of one initiator at the same moment that are sorted out before one is refused. */
const MAX_TRIES = 8;

export class RedisInitiatorDirectory implements InitiatorDirectory {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async find(id: string): Promise<Initiator | undefined> {
    const text = await this.#redis.hget(initiatorsKey, id);
    return text === null ? undefined : { ...attributesFrom(text), id, origin: 'stored' };
  }

  async findByCertificate(certificate: ClientCertificate): Promise<Initiator | undefined> {
    const [exact, subject] = await this.#redis.hmget(
      initiatorCertificatesKey,
      ...certificateKeys(certificate),
    );
    const id = exact ?? subject;
    return id == null ? undefined : this.find(id);
  }

  async change(
    id: string,
    edit: (before: InitiatorAttributes | undefined) => InitiatorAttributes,
  ): Promise<{ readonly outcome: 'created' | 'replaced'; readonly initiator: Initiator }> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const text = await this.#redis.hget(initiatorsKey, id);
      const before = text === null ? undefined : attributesFrom(text);
      const after = edit(before);
      if (await this.#write(id, text ?? '', before, after)) {
        const initiator: Initiator = { ...after, id, origin: 'stored' };
        return { outcome: before === undefined ? 'created' : 'replaced', initiator };
      }
    }
    throw new RefusedError('busy', `the push initiator ${id} is being changed by others`, 'later');
  }

  async remove(id: string): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const text = await this.#redis.hget(initiatorsKey, id);
      if (text === null) return false;
      if (await this.#write(id, text, attributesFrom(text), undefined)) return true;
    }
    throw new RefusedError('busy', `the push initiator ${id} is being changed by others`, 'later');
  }

  /** False when what was read is no longer what is stored. */
  async #write(
    id: string,
    read: string,
    before: InitiatorAttributes | undefined,
    after: InitiatorAttributes | undefined,
  ): Promise<boolean> {
    const wanted = namesOf(after);
    const left = namesOf(before).filter((name) => !wanted.includes(name));
    const text = after === undefined ? '' : JSON.stringify(after);
    const args = [id, read, text, left.length, ...left, ...wanted];
    const [outcome, owner] = (await changeInitiator.run(
      this.#redis,
      [initiatorsKey, initiatorCertificatesKey],
      args,
    )) as string[];
    if (outcome === 'taken') throw certificateTaken(owner ?? '');
    return outcome === 'done';
  }

  async list(): Promise<readonly InitiatorEntry[]> {
    const ids = await this.#redis.hkeys(initiatorsKey);
    return ids.sort().map((id) => ({ id, origin: 'stored' }));
  }
}

function attributesFrom(text: string): InitiatorAttributes {
  return JSON.parse(text) as InitiatorAttributes;
}

function namesOf(attributes: InitiatorAttributes | undefined): readonly string[] {
  return (attributes?.certificates ?? []).map(certificateKey);
}
