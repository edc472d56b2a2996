/**
 * Which session a request belongs to. The last URI of To-Path is ours (RFC 4975 §7.3); peers nearly always send it
 * exactly as we wrote it, so that spelling is looked up first.
 */
import { parseMsrpUri, sameMsrpSession } from '../../protocols/msrp/index.js';
import type { Session } from './session.js';

export class SessionTable {
  readonly #byPath = new Map<string, Session>();
  readonly #bySessionId = new Map<string, Session>();

  get size(): number {
    return this.#byPath.size;
  }

  add(session: Session): void {
    this.#byPath.set(session.localPath, session);
    this.#bySessionId.set(session.localUri.sessionId ?? '', session);
  }

  delete(session: Session): void {
    this.#byPath.delete(session.localPath);
    this.#bySessionId.delete(session.localUri.sessionId ?? '');
  }

  all(): Session[] {
    return [...this.#byPath.values()];
  }

  /** [RFC 4975 §7.3] At an endpoint To-Path has exactly one URI left, and it names a session. */
  find(toPath: readonly string[]): Session | undefined {
    const [own] = toPath;
    if (own === undefined || toPath.length > 1) return undefined;
    return this.#byPath.get(own) ?? this.#findSpelledOtherwise(own);
  }

  #findSpelledOtherwise(text: string): Session | undefined {
    try {
      const uri = parseMsrpUri(text);
      const session = this.#bySessionId.get(uri.sessionId ?? '');
      return session !== undefined && sameMsrpSession(uri, session.localUri) ? session : undefined;
    } catch {
      return undefined;
    }
  }
}
