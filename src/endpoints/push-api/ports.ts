/**
 * What the JSON API of push initiators needs from the gateway behind it. `app/` fills these. Methods may reject: the endpoint
 * answers with a problem document for the code of a `GatewayError`, and with `internal` for anything else.
 */
import type { RandomBytes } from '../../kernel/clock.js';
import type { Cancelled } from '../../push/cancellation.js';
import type { PushStore } from '../../push/ports.js';
import type { PushUid } from '../../push/push-message.js';
import type { RepeatableSubmission, Submitted } from '../../push/repeatable-submission.js';
import type { AuthenticateInitiator } from '../../registry/initiator-authenticator.js';
import type { Log } from '../../telemetry/log.js';

export interface PushApiPorts {
  readonly authenticate: AuthenticateInitiator;
  /** Resolves when the push is durable. Rejects with RefusedError. */
  submit(submission: RepeatableSubmission): Promise<Submitted>;
  /** Takes back what is still held of a push. Rejects with `pushNotFound`. */
  cancel(uid: PushUid): Promise<readonly Cancelled[]>;
  readonly pushes: Pick<PushStore, 'story' | 'list'>;
  readonly random: RandomBytes;
  readonly log: Log;
  /** Told of every submission of a known initiator: the status that it is answered with. */
  observe(status: number, fact: SubmissionFact): void;
}

export interface SubmissionFact {
  readonly initiator: string;
  /** When it is known: a request that cannot be read has none. */
  readonly pushId?: string;
  /** From the first look at the request to its answer. */
  readonly elapsedMs: number;
}

export interface PushApiLimits {
  readonly maxAddresses: number;
  /** Octets of the content of one push. */
  readonly maxContentBytes: number;
  /** Octets of everything else in a submission. */
  readonly maxControlBytes: number;
}
