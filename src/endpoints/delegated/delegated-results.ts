/**
 * `POST /v1/delegated/{push}` on the public listener: another gateway tells what became of a push that it was handed (mode D). PAP, so that any
 * push proxy gateway can; the path shows that the result is of a push that we handed over. Acknowledged when it is durable.
 */
import type { Middleware } from 'koa';
import type { Clock } from '../../kernel/clock.js';
import { DecodeError } from '../../kernel/errors.js';
import { KIB, SECOND_MS } from '../../kernel/units.js';
import {
  decodePap,
  encodePap,
  type PapValidator,
  papStatusText,
  type ResultNotificationMessage,
} from '../../protocols/pap/index.js';
import type { Receipt } from '../../push/receipt.js';
import type { Log } from '../../telemetry/log.js';
import { readRequestBody } from '../pap/request-body.js';

const PREFIX = '/v1/delegated/';
const LIMITS = { maxBytes: 64 * KIB, timeoutMs: 10 * SECOND_MS };

export interface DelegatedResultsPorts {
  /** The push and terminal that a path of ours stands for. */
  readonly read: (segment: string) => Pick<Receipt, 'uid' | 'terminal'> | undefined;
  /** Resolves when it is durable. */
  readonly receipt: (receipt: Receipt) => Promise<void>;
  readonly validator: PapValidator;
  readonly clock: Clock;
  readonly log: Log;
}

/** The whole endpoint; requests for other paths go on to the next one. */
export function delegatedResults(ports: DelegatedResultsPorts): Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(PREFIX)) return next();
    const push = ports.read(ctx.path.slice(PREFIX.length));
    ctx.set('Cache-Control', 'no-store');
    if (push === undefined) {
      ctx.status = 404;
      return;
    }
    if (ctx.method !== 'POST') {
      ctx.set('Allow', 'POST');
      ctx.status = 405;
      return;
    }
    const body = await readRequestBody(ctx.req, LIMITS, ports.clock);
    if (body.kind !== 'complete') {
      ctx.set('Connection', 'close');
      ctx.status = body.kind === 'overLimit' ? 413 : 408;
      return;
    }
    const told = readResult(body.bytes, ports.validator);
    if (typeof told === 'string') {
      ports.log({ level: 'info', message: 'delegated result refused', reason: told, peer: ctx.ip });
      ctx.status = 400;
      return;
    }
    const receipt = receiptOf(told.result);
    if (receipt) await ports.receipt({ ...push, bearer: 'delegate', ...receipt });
    const { pushId, addresses } = told.result;
    ctx.status = 202;
    ctx.type = 'application/xml';
    ctx.body = Buffer.from(
      encodePap(
        { kind: 'resultnotification-response', pushId, code: 1000, addresses },
        { version: told.version },
      ),
    );
  };
}

function readResult(bytes: Uint8Array, validator: PapValidator) {
  try {
    const { operation, version } = decodePap(bytes, { validator });
    if (operation.kind !== 'resultnotification-message') return `a ${operation.kind} is no result`;
    return { result: operation, version };
  } catch (error) {
    if (error instanceof DecodeError) return error.detail;
    throw error;
  }
}

/** Undefined while it goes on there. */
function receiptOf({
  messageState,
  code,
  desc = papStatusText(code),
}: ResultNotificationMessage): Pick<Receipt, 'outcome' | 'detail' | 'code'> | undefined {
  switch (messageState) {
    case 'delivered':
      return { outcome: 'delivered', detail: desc };
    case 'pending':
    case 'unknown':
      return undefined;
    case 'aborted':
      return { outcome: 'aborted', detail: desc, code };
    default:
      return { outcome: 'failed', detail: `${messageState}: ${desc}`, code };
  }
}
