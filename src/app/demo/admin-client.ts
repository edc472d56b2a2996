/** The few calls of the admin API that the demonstration makes: provisioning, and a look at a lane. */
import { DeliveryError } from '../../kernel/errors.js';

export class AdminClient {
  readonly #baseUrl: string;
  readonly #token: string;

  /** `baseUrl` without a path, `http://127.0.0.1:8081`. */
  constructor(baseUrl: string, token: string) {
    this.#baseUrl = baseUrl;
    this.#token = token;
  }

  async putInitiator(id: string, password: string): Promise<void> {
    await this.#call('PUT', `push-initiators/${encodeURIComponent(id)}`, { password });
  }

  async putUser(user: string, attributes: object): Promise<void> {
    await this.#call('PUT', `users/${encodeURIComponent(user)}`, attributes);
  }

  async putTerminal(user: string, terminal: string, attributes: object): Promise<void> {
    await this.#call('PUT', this.#terminalPath(user, terminal), attributes);
  }

  /** Pushes held for a terminal now. */
  async held(user: string, terminal: string): Promise<number> {
    const lane = await this.#call('GET', `${this.#terminalPath(user, terminal)}/lane`);
    return typeof lane === 'object' && lane !== null && 'held' in lane ? Number(lane.held) : Number.NaN;
  }

  #terminalPath(user: string, terminal: string): string {
    return `users/${encodeURIComponent(user)}/terminals/${encodeURIComponent(terminal)}`;
  }

  async #call(method: 'GET' | 'PUT', path: string, body?: object): Promise<unknown> {
    const url = `${this.#baseUrl}/admin/v1/${path}`;
    const response = await fetch(url, {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok)
      throw new DeliveryError('unreachable', `${method} ${path} was answered ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
