/**
 * Requests that reached a session before its owner knew the peer's path: the answerer may connect faster than its SDP
 * answer travels (RFC 4975 §5.4). They are kept, a few and small, until the path is there.
 */
import { KIB } from '../../kernel/units.js';
import type { ReceivedMsrpRequest } from '../../protocols/msrp/index.js';
import type { MsrpConnection } from './connection.js';

const MAX_REQUESTS = 8;
const MAX_BYTES = 64 * KIB;

interface EarlyRequest {
  readonly connection: MsrpConnection;
  readonly request: ReceivedMsrpRequest;
}

export class EarlyRequests {
  #kept: EarlyRequest[] = [];
  #bytes = 0;

  /** False when there are too many: the request is then to be refused. */
  keep(connection: MsrpConnection, request: ReceivedMsrpRequest): boolean {
    const size = request.body?.length ?? 0;
    if (this.#kept.length >= MAX_REQUESTS || this.#bytes + size > MAX_BYTES) return false;
    // A body is a view of the socket's memory; a copy does not hold on to all of that.
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    this.#kept.push({ connection, request: { ...request, body } });
    this.#bytes += size;
    return true;
  }

  /** Hands everything over, in order, and forgets it. */
  release(take: (connection: MsrpConnection, request: ReceivedMsrpRequest) => void): void {
    const kept = this.#kept;
    this.clear();
    for (const { connection, request } of kept) {
      if (!connection.isClosed) take(connection, request);
    }
  }

  clear(): void {
    this.#kept = [];
    this.#bytes = 0;
  }
}
