/**
 * Hands one decoded operation to the application and turns what it says, or throws, into the PAP answer and the log entry.
 * Knows nothing of HTTP.
 */
import type { Clock } from '../../kernel/clock.js';
import { describeError, InvariantError } from '../../kernel/errors.js';
import {
  type PapCode,
  type PapOperation,
  type PapVersion,
  papStatusText,
} from '../../protocols/pap/index.js';
import type { AuthenticatedInitiator } from '../../registry/initiator.js';
import {
  badMessage,
  encodeAnswer,
  type PapAnswer,
  type RequestIds,
  refusalOf,
  refusedAnswer,
} from './pap-answer.js';
import type { CcqAnswer, PapApplication, PapContext } from './pap-application.js';
import { levelOf, type PapLogEntry } from './pap-log.js';
import type { PapRequest } from './pap-request.js';

export interface Outcome {
  /** The answer, encoded. Absent for a message that PAP has no answer to. */
  readonly document?: Uint8Array;
  readonly capabilities?: CcqAnswer['capabilities'];
  readonly entry: PapLogEntry;
}

export interface OperationCarrier {
  readonly application: PapApplication;
  readonly clock: Clock;
  readonly sender: AuthenticatedInitiator;
  readonly productName: string;
}

/** Never rejects: what the application throws, or gives and PAP cannot say, becomes the response of the operation. */
export async function carryOut(request: PapRequest, carrier: OperationCarrier): Promise<Outcome> {
  const { operation, version } = request.document;
  const { sender, productName } = carrier;
  const ids = idsOf(operation, version);
  const base = {
    initiator: sender.id,
    operation: operation.kind,
    ...(ids.pushId === undefined ? {} : { pushId: ids.pushId }),
  };
  try {
    const { answer, capabilities } = await ask(request, ids, carrier);
    if (answer === undefined) return { entry: { level: 'info', ...base } };
    return {
      document: encodeAnswer(answer, productName),
      ...(capabilities === undefined ? {} : { capabilities }),
      entry: { level: 'info', ...base, code: answer.code },
    };
  } catch (error) {
    const answer = refusedAnswer(ids, refusalOf(error), carrier.clock.now());
    const level = levelOf(error);
    return {
      document: encodeAnswer(answer, productName),
      entry: {
        level,
        ...base,
        code: answer.code,
        detail: describeError(error),
        ...(level === 'info' ? {} : { error }),
      },
    };
  }
}

interface Asked {
  readonly answer?: PapAnswer;
  readonly capabilities?: CcqAnswer['capabilities'];
}

async function ask(
  { document, entity }: PapRequest,
  ids: RequestIds,
  { application, clock, sender }: OperationCarrier,
): Promise<Asked> {
  const { operation, version, productName } = document;
  const context: PapContext = {
    initiator: sender.id,
    sender,
    version,
    ...(productName === undefined ? {} : { productName }),
  };
  const answer = (code: PapCode, response: PapOperation) => ({
    answer: { operation: response, version, code },
  });
  switch (operation.kind) {
    case 'push-message': {
      if (entity === undefined) throw new InvariantError('a push-message came without its entity');
      const { progressNotes = [], ...result } = await application.push(context, operation, entity);
      const { pushId } = operation;
      const notes = operation.progressNotesRequested ? progressNotes : [];
      const replyTime = clock.now();
      return answer(result.code, {
        kind: 'push-response',
        pushId,
        replyTime,
        progressNotes: notes,
        desc: papStatusText(result.code),
        ...result,
      });
    }
    case 'statusquery-message': {
      const results = await application.statusQuery(context, operation);
      return answer(firstCode(results), { kind: 'statusquery-response', pushId: operation.pushId, results });
    }
    case 'cancel-message': {
      const results = await application.cancel(context, operation);
      return answer(firstCode(results), { kind: 'cancel-response', pushId: operation.pushId, results });
    }
    case 'ccq-message': {
      const { capabilities, ...result } = await application.ccq(context, operation);
      const { queryId, address } = operation;
      const query = queryId === undefined ? {} : { queryId };
      return {
        ...answer(result.code, { kind: 'ccq-response', ...query, ...result, address }),
        ...(capabilities === undefined ? {} : { capabilities }),
      };
    }
    case 'resultnotification-response':
      // It belongs into the answer to our own POST. An initiator that sends it here is heard, and that is all.
      return {};
    case 'resultnotification-message':
      return {
        answer: refusedAnswer(ids, { code: 3001, desc: 'This gateway is no push initiator' }, clock.now()),
      };
    case 'push-response':
    case 'cancel-response':
    case 'statusquery-response':
    case 'ccq-response':
    case 'badmessage-response':
      return { answer: badMessage(2000, `${operation.kind} is not a request`, version) };
  }
}

function firstCode(results: readonly { readonly code: PapCode }[]): PapCode {
  const [first] = results;
  if (first === undefined) throw new InvariantError('the application gave no result');
  return first.code;
}

function idsOf(operation: PapOperation, version: PapVersion): RequestIds {
  return {
    kind: operation.kind,
    version,
    ...('pushId' in operation ? { pushId: operation.pushId } : {}),
    ...('queryId' in operation && operation.queryId !== undefined ? { queryId: operation.queryId } : {}),
    addresses: operation.kind === 'ccq-message' ? [operation.address] : [],
  };
}
