/**
 * One Lua script: its text and how to run it. Scripts run by digest, so that the command is short and can share a
 * pipeline with others; a server that does not know the digest yet (it was restarted) is given the text.
 */
import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-connection.js';

export type ScriptArgument = string | number | Buffer;

export class Script {
  readonly name: string;
  readonly lua: string;
  readonly #digest: string;

  constructor(name: string, lua: string) {
    this.name = name;
    this.lua = lua;
    this.#digest = createHash('sha1').update(lua).digest('hex');
  }

  /** Runs the script; every key must carry the same hash tag. Bulk replies are strings. */
  async run(redis: RedisClient, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return redis.eval(this.lua, keys.length, ...keys, ...args);
    }
  }

  /** The same for a script that returns octets: bulk replies are buffers. */
  async runForOctets(
    redis: RedisClient,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<unknown> {
    const client = redis as unknown as OctetScripting;
    try {
      return await client.evalshaBuffer(this.#digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return client.evalBuffer(this.lua, keys.length, ...keys, ...args);
    }
  }
}

/** Commands that the client has but does not declare. (Its `callBuffer` loses the command's name when it is pipelined.) */
interface OctetScripting {
  evalshaBuffer(digest: string, keyCount: number, ...args: readonly ScriptArgument[]): Promise<unknown>;
  evalBuffer(lua: string, keyCount: number, ...args: readonly ScriptArgument[]): Promise<unknown>;
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
