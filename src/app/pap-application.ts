/** PAP on top of the push journey: the operations of the wire become submissions, queries and cancellations. */
import type { PapApplication, PapContext, PushAnswer, PushEntity } from '../endpoints/pap/pap-application.js';
import { DecodeError, RefusedError } from '../kernel/errors.js';
import { decodeTransferEncoding, type HeaderField } from '../protocols/mime/index.js';
import type { CancelResult, PushMessage } from '../protocols/pap/index.js';
import { type CancellationPorts, cancel } from '../push/cancellation.js';
import { assumedProfiles } from '../push/capability-check.js';
import { type CapabilityQueryPorts, queryCapabilities } from '../push/capability-query.js';
import { type PushHeader, pushUid } from '../push/push-message.js';
import { queryStatus } from '../push/status-query.js';
import { type Submission, type SubmissionOptions, type SubmissionPorts, submit } from '../push/submission.js';
import { goesToTerminal } from '../push/terminal-headers.js';

export function papApplication(
  ports: SubmissionPorts & CancellationPorts & CapabilityQueryPorts,
  options: SubmissionOptions,
): PapApplication {
  return {
    async push(context, message, entity): Promise<PushAnswer> {
      const { acceptedAt } = await submit(submissionFrom(context, message, entity), ports, options);
      const answer = { code: 1001, desc: 'Accepted for processing' };
      if (!message.progressNotesRequested) return answer;
      return {
        ...answer,
        progressNotes: [{ stage: 'pending', note: 'stored for delivery', time: acceptedAt }],
      };
    },

    statusQuery: ({ initiator }, { pushId, addresses }) =>
      queryStatus({ initiator, pushId, addresses }, ports.store),

    async cancel({ initiator }, { pushId, addresses }): Promise<readonly CancelResult[]> {
      const reason = 'cancelled by the initiator';
      const outcomes = await cancel(pushUid(initiator, pushId), { addresses, reason }, ports);
      const named = (isCancelled: boolean) =>
        outcomes
          .filter(({ deliveries }) => deliveries > 0 === isCancelled)
          .map(({ recipient }) => recipient.address);
      const results: CancelResult[] = [
        { code: 1000, desc: 'Cancelled', addresses: named(true) },
        { code: 2008, desc: 'Cancellation not possible', addresses: named(false) },
      ];
      return results.filter((result) => result.addresses.length > 0);
    },

    async ccq({ sender }, { address, appId }) {
      const query = { access: sender, address, ...(appId === undefined ? {} : { applicationId: appId }) };
      const content = await queryCapabilities(query, ports);
      return { code: 1000, capabilities: { contentType: 'application/xml', content } };
    },
  };
}

function submissionFrom(context: PapContext, message: PushMessage, entity: PushEntity): Submission {
  const {
    deliverBeforeTimestamp,
    deliverAfterTimestamp,
    ppgNotifyRequestedTo,
    sourceReference,
    qualityOfService,
    replacePushId,
    replaceMethod,
  } = message;
  return {
    initiator: context.initiator,
    access: context.sender,
    pushId: message.pushId,
    addresses: message.addresses,
    contentType: entity.contentType,
    headers: headersForTerminal(entity.headers),
    content: octetsOf(entity),
    progressNotes: message.progressNotesRequested,
    papVersion: context.version,
    ...(deliverBeforeTimestamp === undefined ? {} : { deliverBefore: deliverBeforeTimestamp }),
    ...(deliverAfterTimestamp === undefined ? {} : { deliverAfter: deliverAfterTimestamp }),
    ...(ppgNotifyRequestedTo === undefined ? {} : { notifyTo: ppgNotifyRequestedTo }),
    ...(sourceReference === undefined ? {} : { sourceReference }),
    ...(qualityOfService === undefined ? {} : { quality: qualityOfService }),
    ...(replacePushId === undefined ? {} : { replaces: { pushId: replacePushId, method: replaceMethod } }),
    ...(entity.capabilities === undefined ? {} : { assumed: assumedProfiles(entity.capabilities) }),
  };
}

/** A transfer encoding is a property of the PAP message, not of the content: it ends here. */
function octetsOf(entity: PushEntity): Uint8Array {
  if (entity.transferEncoding === undefined) return entity.content;
  try {
    return decodeTransferEncoding(entity.content, entity.transferEncoding);
  } catch (error) {
    if (error instanceof DecodeError) throw new RefusedError('malformed', error.detail);
    throw error;
  }
}

function headersForTerminal(headers: readonly HeaderField[]): readonly PushHeader[] {
  return headers.filter(({ name }) => goesToTerminal(name));
}
