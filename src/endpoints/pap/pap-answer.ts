/**
 * Which PAP document answers what (PAP §9): the response element of each operation, for success and for refusal. An initiator
 * always gets the response that belongs to its request, with the id it gave; `badmessage-response` only when there is none.
 */
import { type DecodeError, describeError, GatewayError, RefusedError } from '../../kernel/errors.js';
import {
  badMessageFragment,
  DEFAULT_PAP_VERSION,
  encodePap,
  PAP_CODE,
  PAP_REASON,
  PAP_VERSIONS,
  type PapCode,
  type PapOperation,
  PapOperationError,
  type PapOperationKind,
  type PapVersion,
  papStatusText,
} from '../../protocols/pap/index.js';

export interface PapAnswer {
  readonly operation: PapOperation;
  readonly version: PapVersion;
  /** The code that the log shows. */
  readonly code: PapCode;
}

/** What of a request its response repeats. */
export interface RequestIds {
  readonly kind: PapOperationKind;
  readonly version: PapVersion;
  readonly pushId?: string;
  readonly queryId?: string;
  readonly addresses: readonly string[];
}

export interface Refusal {
  readonly code: PapCode;
  readonly desc: string;
}

/**
 * What the initiator is told about an error of the application: the code, and the text that was written for it or else the
 * fixed one of the code; never the detail.
 */
export function refusalOf(error: unknown): Refusal {
  const code = error instanceof GatewayError ? error.code : 'internal';
  const desc = error instanceof RefusedError ? error.publicDetail : undefined;
  return { code: PAP_CODE[code], desc: desc ?? PAP_REASON[code] };
}

/** The answer to a request that could not be decoded. `document` is what was read, for the fragment. */
export function answerToUndecodable(error: DecodeError, document: Uint8Array, replyTime: number): PapAnswer {
  if (error instanceof PapOperationError) {
    const { refused } = error;
    return refusedAnswer(refused, { code: refused.papCode, desc: error.detail }, replyTime);
  }
  const code = error.code === 'versionNotSupported' ? PAP_CODE.versionNotSupported : PAP_CODE.malformed;
  return badMessage(
    code,
    describeError(error),
    DEFAULT_PAP_VERSION,
    badMessageFragment(document, error.offset),
  );
}

/** The response element of the request, saying no. */
export function refusedAnswer(request: RequestIds, refusal: Refusal, replyTime: number): PapAnswer {
  const { version, pushId } = request;
  const answer = (operation: PapOperation): PapAnswer => ({ operation, version, code: refusal.code });
  if (request.kind === 'ccq-message') {
    const [address] = request.addresses;
    return answer({
      kind: 'ccq-response',
      ...refusal,
      ...(request.queryId === undefined ? {} : { queryId: request.queryId }),
      ...(address === undefined ? {} : { address }),
    });
  }
  // Every other response needs a push-id to be valid; without one only badmessage-response is left.
  if (pushId === undefined) return badMessage(PAP_CODE.malformed, refusal.desc, version);
  switch (request.kind) {
    case 'push-message':
      return answer({ kind: 'push-response', pushId, replyTime, progressNotes: [], ...refusal });
    case 'cancel-message':
      return answer({ kind: 'cancel-response', pushId, results: [{ ...refusal, addresses: [] }] });
    case 'statusquery-message':
      return answer({
        kind: 'statusquery-response',
        pushId,
        results: [{ messageState: 'unknown', ...refusal, addresses: [] }],
      });
    case 'resultnotification-message':
      return answer({ kind: 'resultnotification-response', pushId, ...refusal, addresses: [] });
    default:
      return badMessage(PAP_CODE.malformed, refusal.desc, version);
  }
}

/** The octets of an answer. Throws InvariantError when the application gave something that PAP cannot say. */
export function encodeAnswer(answer: PapAnswer, productName: string): Uint8Array {
  return encodePap(answer.operation, {
    version: answer.version,
    productName,
    // Who speaks a version that we do not know is told the ones that we do, newest first.
    ...(answer.code === PAP_CODE.versionNotSupported
      ? { supportedVersions: [...PAP_VERSIONS].reverse() }
      : {}),
  });
}

/** [PAP §9.12] Codes 2000 and 3002 only. */
export function badMessage(code: 2000 | 3002, desc: string, version: PapVersion, fragment = ''): PapAnswer {
  return {
    operation: {
      kind: 'badmessage-response',
      code,
      desc: desc === '' ? papStatusText(code) : desc,
      ...(fragment === '' ? {} : { badMessageFragment: fragment }),
    },
    version,
    code,
  };
}
