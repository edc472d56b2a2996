/**
 * Which bindings hang on which connection, on this node: a connection that closes takes the bindings of RFC 5626 with it
 * (§6: "the registrar MUST remove"), because nothing can reach the client over it any more. So it is with whoever came over TLS or
 * WebSocket and cannot be called (RFC 7118 §5.4). Other contacts stay: they may be reached over a new connection.
 */
import type { Binding } from '../../registry/binding.js';
import type { PublicUserIdentity } from '../../registry/public-user-identity.js';

export class FlowBindings {
  readonly #byConnection = new Map<string, Map<string, PublicUserIdentity>>();

  /** Remembers a stored binding. One that does not hang on its connection is not watched. */
  add(binding: Binding): void {
    const { key, user, flow } = binding;
    if (flow.connectionId === undefined || !hangsOnConnection(binding)) return;
    const onConnection = this.#byConnection.get(flow.connectionId) ?? new Map<string, PublicUserIdentity>();
    onConnection.set(`${user}\n${key}`, user);
    this.#byConnection.set(flow.connectionId, onConnection);
  }

  /** Forgets a binding that was taken back. */
  remove({ key, user, flow }: Binding): void {
    const onConnection = this.#byConnection.get(flow.connectionId ?? '');
    onConnection?.delete(`${user}\n${key}`);
    if (onConnection?.size === 0) this.#byConnection.delete(flow.connectionId ?? '');
  }

  /** Forgets the connection and names the users that had bindings on it. */
  close(connectionId: string): ReadonlySet<PublicUserIdentity> {
    const users = new Set(this.#byConnection.get(connectionId)?.values());
    this.#byConnection.delete(connectionId);
    return users;
  }

  /** Connections watched, for metrics. */
  get size(): number {
    return this.#byConnection.size;
  }
}

/** Nothing else leads to the client than the connection that it registered on. */
export function hangsOnConnection({ regId, flow }: Binding): boolean {
  return regId !== undefined || (flow.transport !== 'udp' && flow.transport !== 'tcp');
}
