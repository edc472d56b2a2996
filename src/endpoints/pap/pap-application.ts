/**
 * What the PAP endpoint needs from the gateway behind it: one method for each operation that a push initiator can ask for.
 * Types only; `app/` fills the port with the push journey.
 *
 * Every method may reject with a `GatewayError`; the endpoint then answers with the code of `PAP_CODE` inside the response
 * element of that operation (`notImplemented` becomes 3001). Any other rejection is answered 3000 and logged as an error.
 * An answer leaves the gateway only after the promise is settled, so what must be durable has to be durable by then.
 */
import type { HeaderField } from '../../protocols/mime/index.js';
import type {
  CancelMessage,
  CancelResult,
  CcqMessage,
  PapCode,
  PapVersion,
  ProgressNote,
  PushMessage,
  StatusQueryMessage,
  StatusQueryResult,
} from '../../protocols/pap/index.js';
import type { AuthenticatedInitiator } from '../../registry/initiator.js';

export interface PapApplication {
  /** Submission. `code` 1001 says that the push is durable. */
  push(context: PapContext, message: PushMessage, entity: PushEntity): Promise<PushAnswer>;
  /** One result for each distinct state; at least one. */
  statusQuery(context: PapContext, message: StatusQueryMessage): Promise<readonly StatusQueryResult[]>;
  /** One result for each distinct outcome; at least one. */
  cancel(context: PapContext, message: CancelMessage): Promise<readonly CancelResult[]>;
  ccq(context: PapContext, message: CcqMessage): Promise<CcqAnswer>;
}

/** Who asks, and in which dialect. */
export interface PapContext {
  /** Id of the authenticated push initiator. */
  readonly initiator: string;
  /** How it proved who it is, and what it may do. */
  readonly sender: AuthenticatedInitiator;
  /** The version of the request: the answer and later result notifications are written in it. */
  readonly version: PapVersion;
  readonly productName?: string;
}

/** The content entity of a push submission. */
export interface PushEntity {
  /** Every header field of the part in the order received, Content-Type included. */
  readonly headers: readonly HeaderField[];
  /** The Content-Type value as written, checked to be well-formed. */
  readonly contentType: string;
  /** Content-Transfer-Encoding in lower case when there is one other than 7bit, 8bit and binary. `content` is not decoded. */
  readonly transferEncoding?: string;
  /** The octets of the part, exactly as received. A view of the request body: copy what outlives the call. */
  readonly content: Uint8Array;
  /** The capabilities that the initiator assumes (RDF, UAProf), when it sent a third part. */
  readonly capabilities?: { readonly contentType: string; readonly content: Uint8Array };
}

export interface PushAnswer {
  readonly code: PapCode;
  readonly desc?: string;
  readonly progressNotes?: readonly ProgressNote[];
}

export interface CcqAnswer {
  readonly code: PapCode;
  readonly desc?: string;
  /** Sent as the second part of a multipart/related answer. */
  readonly capabilities?: { readonly contentType: string; readonly content: Uint8Array };
}
