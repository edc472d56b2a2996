/**
 * Reading an HTTP request body with a bound on octets and on time, and getting rid of the rest of one that we will not read.
 * Memory stays within the bound whatever Content-Length says and however slowly the sender is.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../kernel/clock.js';

export interface BodyLimits {
  readonly maxBytes: number;
  /** From the first call to the last octet. */
  readonly timeoutMs: number;
}

export type RequestBody =
  | { readonly kind: 'complete'; readonly bytes: Buffer }
  /** More came than the limit; `prefix` is what had come by then. The request is paused: discard or destroy it. */
  | { readonly kind: 'overLimit'; readonly prefix: Buffer }
  | { readonly kind: 'timedOut' }
  /** The sender went away before the end. */
  | { readonly kind: 'aborted' };

/** Reads the body whole. Never rejects. */
export function readRequestBody(
  request: IncomingMessage,
  limits: BodyLimits,
  clock: Clock,
): Promise<RequestBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (body: RequestBody) => {
      timer.cancel();
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      resolve(body);
    };
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limits.maxBytes) return;
      request.pause();
      finish({ kind: 'overLimit', prefix: joined(chunks) });
    };
    const onEnd = () => finish({ kind: 'complete', bytes: joined(chunks) });
    const onClose = () => finish({ kind: 'aborted' });
    const timer = clock.after(limits.timeoutMs, () => {
      request.pause();
      finish({ kind: 'timedOut' });
    });
    if (request.destroyed) return onClose();
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** Most requests come in one piece, which is then used as it is. */
function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
}

/**
 * Reads the rest of a body and drops it, so that a sender that writes everything before it reads gets to see the answer;
 * past the limits the connection is destroyed. Returns at once.
 */
export function discardRequestBody(request: IncomingMessage, limits: BodyLimits, clock: Clock): void {
  if (request.complete && request.readableLength === 0) return;
  let size = 0;
  const give = () => request.socket.destroy();
  const timer = clock.after(limits.timeoutMs, give);
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.maxBytes) give();
  });
  const settle = () => timer.cancel();
  request.on('end', settle).on('close', settle).on('error', settle);
  request.resume();
}
