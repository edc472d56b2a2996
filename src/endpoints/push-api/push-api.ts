/**
 * The JSON API of push initiators beside PAP: `/v1/pushes` on the public listener. Same initiators, same credentials, and from
 * `push/submission` on the same path. `openapi.yaml` describes every route; a test holds the two together.
 *
 *   edge          whatever is thrown becomes a problem document
 *   sender        nothing is read of a request whose initiator is not known
 *   routes        submit, read, list, take back; an initiator sees its own pushes only, whichever door they came by
 */
import { Router, type RouterContext } from '@koa/router';
import type { Context, Middleware } from 'koa';
import { DecodeError, RefusedError } from '../../kernel/errors.js';
import { MESSAGE_STATES, type MessageState } from '../../protocols/pap/index.js';
import { type PushStory, pushUid } from '../../push/push-message.js';
import type { AuthenticatedInitiator } from '../../registry/initiator.js';
import { edge } from '../http/edge.js';
import { readJson } from '../http/json-body.js';
import { asGatewayError } from '../http/problem.js';
import { PROBLEM } from '../http/problem-table.js';
import { nextCursor, page, query } from '../http/query.js';
import { challengeFor, presentedCredentials } from '../pap/presented-credentials.js';
import { parseIdempotencyKey } from './idempotency-key.js';
import type { PushApiLimits, PushApiPorts } from './ports.js';
import { decodePushOrder, type PushOrder } from './push-order.js';
import { pushRepresentation } from './push-representation.js';

const PATH = '/v1/pushes';
const PAGE = { fallback: 50, max: 200 };
/** Longest push-id looked for, in characters: PAP takes shorter ones. */
const MAX_PUSH_ID_LENGTH = 1024;

/** The whole endpoint; requests for other paths go on to the next one. */
export function pushApi(ports: PushApiPorts, limits: PushApiLimits): Middleware {
  const router = pushApiRoutes(ports, limits);
  const routes = router.routes() as Middleware;
  const outermost = edge(router, {
    name: 'push api',
    challenge: (ctx) => challengeFor(presentedCredentials(ctx.req)),
    log: ports.log,
  });
  return (ctx, next) => {
    if (ctx.path !== PATH && !ctx.path.startsWith(`${PATH}/`)) return next();
    return outermost(ctx, async () => {
      ctx.state['sender'] = await knownSender(ctx, ports);
      await routes(ctx, async () => {});
    });
  };
}

async function knownSender(ctx: Context, { authenticate }: PushApiPorts): Promise<AuthenticatedInitiator> {
  const sender = await authenticate(presentedCredentials(ctx.req));
  if (!sender) throw new RefusedError('unauthenticated', 'push initiator credentials are missing or wrong');
  return sender;
}

/** The routes alone: errors pass through, and the sender has to be known by then. */
export function pushApiRoutes(ports: PushApiPorts, limits: PushApiLimits): Router {
  const router = new Router({ sensitive: true, strict: true });
  const { pushes, log } = ports;

  router.post(PATH, async (ctx) => {
    const sender = senderOf(ctx);
    const startedAt = performance.now();
    const observe = (status: number, pushId?: string) =>
      ports.observe(status, {
        initiator: sender.id,
        ...(pushId === undefined ? {} : { pushId }),
        elapsedMs: performance.now() - startedAt,
      });
    try {
      query(ctx, []);
      const { story, isRepeat } = await submit(ctx, sender, ports, limits);
      const { pushId } = story.push;
      ctx.status = isRepeat ? 200 : 202;
      ctx.set('Location', `${PATH}/${encodeURIComponent(pushId)}`);
      ctx.body = pushRepresentation(story);
      observe(ctx.status, pushId);
      if (isRepeat) {
        const what = { initiator: sender.id, operation: 'submit', pushId, outcome: 'repeated' };
        log({ level: 'info', message: 'push api', ...what });
      }
    } catch (error) {
      observe(PROBLEM[asGatewayError(error).code].status);
      throw error;
    }
  });

  router.get(PATH, async (ctx) => {
    const given = query(ctx, ['state', 'limit', 'cursor']);
    const { stories, cursor } = await pushes.list({
      ...page(given, PAGE),
      initiator: senderOf(ctx).id,
      ...(given.state === undefined ? {} : { state: messageState(given.state) }),
    });
    ctx.body = { pushes: stories.map(pushRepresentation), ...nextCursor(cursor) };
  });

  router.get(`${PATH}/:pushId`, async (ctx) => {
    query(ctx, []);
    ctx.body = pushRepresentation(await ownStory(ctx, ports));
  });

  router.delete(`${PATH}/:pushId`, async (ctx) => {
    query(ctx, []);
    const { push } = await ownStory(ctx, ports);
    const cancelled = await ports.cancel(push.uid);
    const story = await ownStory(ctx, ports);
    const { recipients, ...representation } = pushRepresentation(story);
    const judged = recipients.map((recipient, index) => ({
      ...recipient,
      // A repeat of a cancellation whose answer was lost finds it done, and says the same.
      outcome:
        wasTakenBack(story, index) || (cancelled[index]?.deliveries ?? 0) > 0 ? 'cancelled' : 'tooLate',
    }));
    if (judged.every(({ outcome }) => outcome === 'tooLate')) {
      throw new RefusedError('tooLate', `nothing of the push is held any more: ${representation.state}`);
    }
    ctx.body = { ...representation, recipients: judged };
    const { initiator, pushId } = push;
    log({ level: 'info', message: 'push api', initiator, operation: 'cancel', pushId, outcome: 'cancelled' });
  });

  return router;
}

async function submit(
  ctx: Context,
  sender: AuthenticatedInitiator,
  ports: PushApiPorts,
  limits: PushApiLimits,
) {
  const key = parseIdempotencyKey(ctx.get('Idempotency-Key'));
  // In base64 content takes 4/3 of its octets; as text it may be escaped, within reason.
  const body = await readJson(ctx, limits.maxControlBytes + 2 * limits.maxContentBytes);
  const order = decodePushOrder(body, limits);
  const { id: initiator, ...access } = sender;
  const replaces = order.replace === undefined ? {} : { replaces: order.replace };
  return ports.submit({
    ...order.submission,
    ...replaces,
    initiator,
    access,
    pushId: pushIdOf(order, key, ports),
  });
}

function pushIdOf(order: PushOrder, key: string | undefined, { random }: PushApiPorts): string {
  if (order.pushId !== undefined && key !== undefined && order.pushId !== key) {
    throw new DecodeError('Idempotency-Key: has to be the pushId when both are given');
  }
  return order.pushId ?? key ?? Buffer.from(random(18)).toString('base64url');
}

function senderOf(ctx: RouterContext): AuthenticatedInitiator {
  return ctx.state['sender'] as AuthenticatedInitiator;
}

/** Throws RefusedError `pushNotFound`, for the pushes of others too. */
async function ownStory(ctx: RouterContext, { pushes }: PushApiPorts): Promise<PushStory> {
  const pushId = ctx.params['pushId'] ?? '';
  const isPossible = pushId.length <= MAX_PUSH_ID_LENGTH;
  const story = isPossible ? await pushes.story(pushUid(senderOf(ctx).id, pushId)) : undefined;
  if (!story) throw new RefusedError('pushNotFound', 'you have no push of this id');
  return story;
}

function wasTakenBack({ push, deliveries }: PushStory, index: number): boolean {
  const terminals = push.recipients[index]?.terminals ?? [];
  return deliveries.some(({ terminal, state }) => state === 'cancelled' && terminals.includes(terminal));
}

function messageState(text: string): MessageState {
  const state = MESSAGE_STATES.find((known) => known === text);
  if (state === undefined) {
    throw new DecodeError(`query parameter "state": has to be one of ${MESSAGE_STATES.join(', ')}`);
  }
  return state;
}
