/**
 * A push initiator's end of PAP 2.1: submits pushes and asks for their state over HTTP (PAP §8, §9, §14). Used by
 * `carillon push` and by the demonstration; knows nothing of the gateway's inside. Errors say what the user can do.
 */
import { DecodeError, DeliveryError, describeError, RefusedError } from '../../kernel/errors.js';
import { encodeMultipartRelated, type HeaderField } from '../../protocols/mime/index.js';
import {
  decodePap,
  encodePap,
  type PapOperation,
  type PapValidator,
  type Priority,
  type PushResponse,
  type StatusQueryResult,
} from '../../protocols/pap/index.js';

export interface PapClientOptions {
  /** Of the PAP endpoint, `http://127.0.0.1:8080/pap`. */
  readonly url: string;
  readonly initiator: string;
  readonly password: string;
  readonly validator: PapValidator;
  readonly timeoutMs?: number;
}

export interface PushSubmission {
  readonly pushId: string;
  /** Client addresses as they go on the wire: `sip:alice@example.test`, `WAPPUSH=…/TYPE=…`. */
  readonly addresses: readonly string[];
  readonly contentType: string;
  /** Push headers of the content entity, Content-Type not among them. */
  readonly headers?: readonly HeaderField[];
  readonly content: Uint8Array;
  /** Instants in milliseconds since the epoch. */
  readonly deliverBefore?: number;
  readonly deliverAfter?: number;
  readonly priority?: Priority;
  /** Where the result is to be posted. */
  readonly notifyTo?: string;
}

const VERSION = '2.1';
const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

export class PapClient {
  readonly #options: PapClientOptions;

  constructor(options: PapClientOptions) {
    this.#options = options;
  }

  /**
   * Submits a push. Resolves with the gateway's answer, whatever its code. Rejects with RefusedError when the gateway does not
   * let the initiator in or cannot read the request, with DeliveryError when it cannot be reached.
   */
  async submit(submission: PushSubmission): Promise<PushResponse> {
    const { contentType, body } = encodeMultipartRelated(
      { headers: [{ name: 'Content-Type', value: 'application/xml' }], content: controlEntity(submission) },
      [
        {
          headers: [{ name: 'Content-Type', value: submission.contentType }, ...(submission.headers ?? [])],
          content: submission.content,
        },
      ],
    );
    return answerOfKind('push-response', await this.#exchange(contentType, body));
  }

  /** The state of a push for each of its addresses, those that share one together. */
  async status(pushId: string): Promise<readonly StatusQueryResult[]> {
    const query = encodePap({ kind: 'statusquery-message', pushId, addresses: [] }, { version: VERSION });
    return answerOfKind('statusquery-response', await this.#exchange('application/xml', query)).results;
  }

  async #exchange(contentType: string, body: Uint8Array): Promise<PapOperation> {
    const { url, initiator, password, validator, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    let response: Response;
    let answer: Uint8Array;
    try {
      response = await fetch(url, {
        method: 'POST',
        redirect: 'error',
        headers: {
          'Content-Type': contentType,
          Authorization: `Basic ${Buffer.from(`${initiator}:${password}`).toString('base64')}`,
        },
        body: Buffer.from(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      answer = await readLimited(response);
    } catch (error) {
      throw unreachable(url, error);
    }
    refuseHttpError(response.status, this.#options);
    try {
      return decodePap(answer, { validator }).operation;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new DeliveryError('malformed', `${url} does not speak PAP: ${error.detail}`, {
        retry: 'never',
        cause: error,
      });
    }
  }
}

function controlEntity(submission: PushSubmission): Uint8Array {
  const { pushId, addresses, deliverBefore, deliverAfter, notifyTo, priority } = submission;
  return encodePap(
    {
      kind: 'push-message',
      pushId,
      addresses,
      replaceMethod: 'all',
      progressNotesRequested: false,
      ...(deliverBefore === undefined ? {} : { deliverBeforeTimestamp: deliverBefore }),
      ...(deliverAfter === undefined ? {} : { deliverAfterTimestamp: deliverAfter }),
      ...(notifyTo === undefined ? {} : { ppgNotifyRequestedTo: notifyTo }),
      ...(priority === undefined
        ? {}
        : {
            qualityOfService: {
              priority,
              deliveryMethod: 'notspecified',
              networkRequired: false,
              bearerRequired: false,
            },
          }),
    },
    { version: VERSION },
  );
}

function answerOfKind<Kind extends PapOperation['kind']>(
  kind: Kind,
  operation: PapOperation,
): Extract<PapOperation, { readonly kind: Kind }> {
  if (operation.kind === 'badmessage-response') {
    const why = `${operation.code}${operation.desc === undefined ? '' : ` ${operation.desc}`}`;
    throw new RefusedError('malformed', `the gateway cannot read the request (PAP ${why})`);
  }
  if (!isOfKind(operation, kind)) {
    throw new DeliveryError('malformed', `the gateway answered with ${operation.kind}`, { retry: 'never' });
  }
  return operation;
}

function isOfKind<Kind extends PapOperation['kind']>(
  operation: PapOperation,
  kind: Kind,
): operation is Extract<PapOperation, { readonly kind: Kind }> {
  return operation.kind === kind;
}

function refuseHttpError(status: number, { url, initiator }: PapClientOptions): void {
  if (status >= 200 && status < 300) return;
  if (status === 401) {
    throw new RefusedError(
      'unauthenticated',
      `the gateway does not know the push initiator "${initiator}" with this password; create it with PUT /admin/v1/push-initiators/${encodeURIComponent(initiator)}`,
    );
  }
  if (status === 404 || status === 405) {
    throw new RefusedError(
      'notFound',
      `there is no PAP endpoint at ${url}; its path is /pap (HTTP ${status})`,
    );
  }
  throw new DeliveryError('unreachable', `the gateway answered HTTP ${status}`);
}

function unreachable(url: string, error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new DeliveryError('timeout', `no answer from ${url} in time`, { cause: error });
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error && 'code' in cause ? String(cause.code) : describeError(cause);
  return new DeliveryError('unreachable', `nothing answers at ${url} (${why}); is the gateway running?`, {
    cause: error,
  });
}

async function readLimited(response: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > MAX_ANSWER_BYTES) {
      throw new DeliveryError('limitExceeded', 'the answer is too long for PAP', { retry: 'never' });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
