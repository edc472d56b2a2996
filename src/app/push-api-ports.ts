/** The gateway as the JSON API of push initiators sees it. */
import type { PushApiPorts } from '../endpoints/push-api/ports.js';
import { type CancellationPorts, cancel } from '../push/cancellation.js';
import { submitRepeatably } from '../push/repeatable-submission.js';
import type { SubmissionOptions, SubmissionPorts } from '../push/submission.js';
import type { AuthenticateInitiator } from '../registry/initiator-authenticator.js';
import type { Log } from '../telemetry/log.js';
import type { Facts } from './facts.js';

export function pushApiPorts(
  ports: SubmissionPorts & CancellationPorts,
  options: SubmissionOptions,
  authenticate: AuthenticateInitiator,
  facts: Facts,
  log: Log,
): PushApiPorts {
  return {
    authenticate,
    submit: (submission) => submitRepeatably(submission, ports, options),
    cancel: (uid) => cancel(uid, { addresses: [], reason: 'cancelled by the initiator' }, ports),
    pushes: ports.store,
    random: ports.randomBytes,
    log,
    observe: facts.submission,
  };
}
