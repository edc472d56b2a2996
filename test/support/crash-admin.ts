/** The admin API as the crash tests use it: provisioning, and the gateway's own story of every push. Patient with a gateway that is just being killed. */
import { setTimeout as pause } from 'node:timers/promises';
import { ADMIN_TOKEN } from './crash-process.js';

export interface StoryDelivery {
  readonly terminal: string;
  readonly id: string;
  readonly state: string;
  readonly at: string;
  readonly attempts: number;
  readonly reason?: string;
}

export interface StoryRecipient {
  readonly address: string;
  readonly state: string;
  readonly code: number;
  readonly decision?: { readonly user: string };
  readonly deliveries: readonly StoryDelivery[];
  readonly result?: { readonly state: string; readonly attempts: number; readonly lastError?: string };
}

export interface Story {
  readonly pushId: string;
  readonly initiator: string;
  readonly uid: string;
  readonly acceptedAt: string;
  readonly expiresAt: string;
  readonly recipients: readonly StoryRecipient[];
}

const ATTEMPT_LIMIT_MS = 5000;
const PATIENCE_MS = 60_000;

export class CrashAdmin {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async putUser(user: string): Promise<void> {
    await this.#call('PUT', `/users/${encodeURIComponent(user)}`, {});
  }

  async putTerminal(
    user: string,
    terminal: string,
    instance: string,
    activation: readonly object[] = [{ bearer: 'sip' }],
  ): Promise<void> {
    await this.#call('PUT', `/users/${encodeURIComponent(user)}/terminals/${terminal}`, {
      identities: [{ kind: 'uuid', value: instance }],
      activation,
    });
  }

  /** Undefined when the gateway knows no such push. */
  async story(initiator: string, pushId: string): Promise<Story | undefined> {
    const path = `/pushes/${encodeURIComponent(pushId)}?initiator=${encodeURIComponent(initiator)}`;
    return (await this.#call('GET', path)) as Story | undefined;
  }

  /** Push-ids with an address in that state, with their initiators. */
  async inState(state: string): Promise<{ initiator: string; pushId: string }[]> {
    const found: { initiator: string; pushId: string }[] = [];
    let cursor: string | undefined;
    do {
      const query = `state=${state}&limit=500${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const page = (await this.#call('GET', `/pushes?${query}`)) as {
        pushes: { initiator: string; pushId: string }[];
        cursor?: string;
      };
      found.push(...page.pushes);
      ({ cursor } = page);
    } while (cursor !== undefined);
    return found;
  }

  /** The answer; undefined for 404. Repeats for a minute while nobody answers or Redis is away. */
  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#attempt(method, path, body).catch((error: unknown) => String(error));
      if (typeof answer !== 'string') {
        if (answer.status === 404 && method === 'GET') return undefined;
        if (answer.status < 300) return answer.body;
        if (answer.status < 500) {
          throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
        }
      }
      if (Date.now() > until) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
      await pause(100);
    }
  }

  async #attempt(method: string, path: string, body: unknown): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ATTEMPT_LIMIT_MS),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }
}
