/**
 * A document whose operation we recognised and whose content we refuse. It is answered inside that operation's own response,
 * with the id that the initiator gave; `badmessage-response` is for documents that cannot be recognised at all.
 */
import { DecodeError } from '../../kernel/errors.js';
import type { PapCode, PapOperationKind, PapVersion } from './document.js';

export interface RefusedOperation {
  readonly kind: PapOperationKind;
  readonly version: PapVersion;
  /** The code for the response. */
  readonly papCode: PapCode;
  /** Absent when the document gave none, or one that cannot be echoed. */
  readonly pushId?: string;
  readonly queryId?: string;
  readonly addresses: readonly string[];
}

/** Its `detail` is fit for the initiator: it speaks of the document alone. */
export class PapOperationError extends DecodeError {
  readonly refused: RefusedOperation;

  constructor(
    detail: string,
    refused: RefusedOperation,
    options: { offset?: number; code?: 'malformed' | 'limitExceeded'; cause?: unknown } = {},
  ) {
    super(detail, options);
    this.refused = refused;
  }
}
