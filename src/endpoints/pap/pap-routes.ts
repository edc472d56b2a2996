/**
 * The PAP endpoint (PAP §14): `POST /pap` and `/wappush`. Authenticates the initiator, reads the body within its limits, decodes
 * it, calls the application and answers in the same exchange.
 *
 * Whatever was taken in is answered HTTP 202 with a PAP document, also when it cannot be read [PAP §14.4.1]; only a wrong method
 * (405), missing or wrong credentials (401), a peer outside the networks of its initiator (403), and a sender that never
 * finishes (408) are errors of HTTP. Nothing is answered
 * before the application has settled. Whole-connection time-outs and wrong paths belong to the HTTP server.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Clock } from '../../kernel/clock.js';
import { DecodeError, describeError, GatewayError } from '../../kernel/errors.js';
import { MIB } from '../../kernel/units.js';
import { encodeMultipartRelated } from '../../protocols/mime/index.js';
import { DEFAULT_PAP_LIMITS, PapOperationError, type PapValidator } from '../../protocols/pap/index.js';
import type { AuthenticatedInitiator } from '../../registry/initiator.js';
import type { AuthenticateInitiator } from '../../registry/initiator-authenticator.js';
import { answerToUndecodable, encodeAnswer, type PapAnswer } from './pap-answer.js';
import type { CcqAnswer, PapApplication } from './pap-application.js';
import { levelOf, type PapLog, type PapLogEntry } from './pap-log.js';
import { carryOut } from './pap-operations.js';
import {
  decodePapRequest,
  maxRequestBytes,
  type PapRequestLimits,
  refuseOversizedRequest,
} from './pap-request.js';
import { challengeFor, presentedCredentials } from './presented-credentials.js';
import { discardRequestBody, readRequestBody } from './request-body.js';

export interface PapRoutesOptions {
  readonly application: PapApplication;
  readonly authenticate: AuthenticateInitiator;
  readonly validator: PapValidator;
  readonly clock: Clock;
  readonly log: PapLog;
  readonly limits?: Partial<PapEndpointLimits>;
  /** `product-name` of our documents. */
  readonly productName?: string;
}

export interface PapEndpointLimits extends PapRequestLimits {
  /** From the first octet of a body to its last. */
  readonly bodyTimeoutMs: number;
}

const DEFAULT_PAP_ENDPOINT_LIMITS: PapEndpointLimits = {
  ...DEFAULT_PAP_LIMITS,
  maxContentBytes: MIB,
  maxCapabilitiesBytes: DEFAULT_PAP_LIMITS.maxBytes,
  bodyTimeoutMs: 30_000,
};

/** How much of a body that we refuse is still read and dropped, as a multiple of what we would have taken. */
const DISCARD_FACTOR = 64;

/** Middleware with the routes; requests for other paths go on to the next one. */
export function papRoutes(options: PapRoutesOptions): Middleware {
  const limits = { ...DEFAULT_PAP_ENDPOINT_LIMITS, ...options.limits };
  const router = new Router();
  const paths = ['/pap', '/wappush'];
  router.post(paths, (context) => takeIn(context, options, limits));
  router.all(paths, (context) => {
    context.status = 405;
    context.set('Allow', 'POST');
    context.body = 'PAP takes POST only\n';
  });
  // The router's own type wants a context that it has extended itself; at run time it takes any.
  return router.routes() as unknown as Middleware;
}

async function takeIn(context: Context, options: PapRoutesOptions, limits: PapEndpointLimits): Promise<void> {
  const { clock, log, productName = 'Carillon' } = options;
  const maxBytes = maxRequestBytes(limits);
  const discardRest = () => {
    const bounds = { maxBytes: maxBytes * DISCARD_FACTOR, timeoutMs: limits.bodyTimeoutMs };
    discardRequestBody(context.req, bounds, clock);
  };
  const sender = await authenticated(context, options);
  if (sender === undefined) return discardRest();
  const initiator = sender.id;

  const body = await readRequestBody(context.req, { maxBytes, timeoutMs: limits.bodyTimeoutMs }, clock);
  if (body.kind === 'aborted' || body.kind === 'timedOut') {
    context.status = body.kind === 'aborted' ? 400 : 408;
    context.set('Connection', 'close');
    context.body = 'The request did not arrive whole\n';
    return log({ level: 'info', initiator, operation: 'unfinished', detail: body.kind });
  }
  const reader = { validator: options.validator, limits };
  const contentType = context.get('Content-Type');
  const readAt = clock.now();
  try {
    if (body.kind === 'overLimit') {
      discardRest();
      throw refuseOversizedRequest(reader, contentType, body.prefix);
    }
    refuseContentCoding(context);
    const request = decodePapRequest(reader, contentType, body.bytes);
    const outcome = await carryOut(request, { ...options, sender, productName });
    log({ ...outcome.entry, elapsedMs: clock.now() - readAt });
    context.status = 202;
    if (outcome.document === undefined) context.body = '';
    else respond(context, outcome.document, outcome.capabilities);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const received = body.kind === 'complete' ? body.bytes : body.prefix;
    const answer = answerToUndecodable(error, received, clock.now());
    log(refusedEntry(initiator, answer, error));
    context.status = 202;
    respond(context, encodeAnswer(answer, productName));
  }
}

/** The initiator, or undefined when the response has been set to a refusal. */
async function authenticated(
  context: Context,
  { authenticate, log }: PapRoutesOptions,
): Promise<AuthenticatedInitiator | undefined> {
  const presented = presentedCredentials(context.req);
  try {
    const initiator = await authenticate(presented);
    if (initiator !== undefined) return initiator;
  } catch (error) {
    // No PAP answer without an initiator that may speak to us. It treats 503 as "try again".
    const isForbidden = error instanceof GatewayError && error.code === 'forbidden';
    const isTemporary = error instanceof GatewayError && error.retry !== 'never';
    context.status = isForbidden ? 403 : isTemporary ? 503 : 500;
    context.body = isForbidden
      ? 'This push initiator may not call from your address\n'
      : 'Credentials cannot be checked at present\n';
    log({
      level: levelOf(error),
      operation: 'unauthenticated',
      detail: describeError(error),
      ...(isForbidden ? {} : { error }),
    });
    return undefined;
  }
  context.status = 401;
  context.set('WWW-Authenticate', challengeFor(presented));
  context.body = 'Push initiator credentials are missing or wrong\n';
  log({ level: 'info', operation: 'unauthenticated' });
  return undefined;
}

function refuseContentCoding(context: Context): void {
  const coding = context.get('Content-Encoding').trim().toLowerCase();
  if (coding !== '' && coding !== 'identity') throw new DecodeError('Content-Encoding is not supported');
}

function respond(context: Context, document: Uint8Array, capabilities?: CcqAnswer['capabilities']): void {
  if (capabilities === undefined) {
    context.set('Content-Type', 'application/xml');
    context.body = document;
    return;
  }
  const { contentType, body } = encodeMultipartRelated(
    { headers: [{ name: 'Content-Type', value: 'application/xml' }], content: document },
    [{ headers: [{ name: 'Content-Type', value: capabilities.contentType }], content: capabilities.content }],
  );
  context.set('Content-Type', contentType);
  context.body = body;
}

function refusedEntry(initiator: string, { operation, code }: PapAnswer, error: DecodeError): PapLogEntry {
  return {
    level: 'info',
    initiator,
    operation: error instanceof PapOperationError ? error.refused.kind : 'unreadable',
    ...('pushId' in operation ? { pushId: operation.pushId } : {}),
    code,
    detail: error.detail,
  };
}
