/**
 * `/admin/v1/pushes`: what has become of every push, and taking one back. One push is told as a whole story: which terminals were
 * chosen and why (SIR-28), every state with its time, every wake-up, and whether the initiator knows.
 */
import type { Router } from '@koa/router';
import { RefusedError } from '../../kernel/errors.js';
import { isSettled } from '../../push/journey.js';
import type { PushStory } from '../../push/push-message.js';
import { nextCursor, page, query } from '../http/query.js';
import { audited } from './audit.js';
import { namedPush } from './named-push.js';
import type { AdminPorts } from './ports.js';
import { FILTERS, pushFilter } from './push-filter.js';
import { pushSummary, pushView } from './push-view.js';

const PATH = '/admin/v1/pushes';
const PAGE = { fallback: 50, max: 500 };

export function pushRoutes(router: Router, ports: AdminPorts): void {
  const { pushes, audit } = ports;

  router.get(PATH, async (ctx) => {
    const given = query(ctx, [...FILTERS, 'limit', 'cursor']);
    const { stories, cursor } = await pushes.list({
      ...page(given, PAGE),
      ...(await pushFilter(given, ports.registry)),
    });
    ctx.body = { pushes: stories.map(pushSummary), ...nextCursor(cursor) };
  });

  router.get(`${PATH}/:pushId`, async (ctx) => {
    const { initiator } = query(ctx, ['initiator']);
    ctx.body = await storyView(await namedPush(ctx.params['pushId'] ?? '', initiator, ports), ports);
  });

  const cancel = audited(audit, 'push.cancel', async (ctx) => {
    const { initiator } = query(ctx, ['initiator']);
    const story = await namedPush(ctx.params['pushId'] ?? '', initiator, ports);
    const cancelled = await ports.cancel(story.push.uid, 'cancelled by the operator');
    const taken = cancelled.reduce((sum, { deliveries }) => sum + deliveries, 0);
    const after = (await pushes.story(story.push.uid)) ?? story;
    // A repeat of a cancellation whose answer was lost finds it done, and that is no error.
    if (taken === 0 && !after.deliveries.some(({ state }) => state === 'cancelled')) {
      throw new RefusedError('tooLate', `nothing of the push is held any more: ${statesOf(after)}`);
    }
    ctx.body = { cancelled: taken, push: await storyView(after, ports) };
    return taken === 0 ? 'repeated' : 'cancelled';
  });
  router.post(`${PATH}/:pushId/cancel`, cancel);
}

async function storyView(story: PushStory, { lanes }: AdminPorts) {
  const views = await Promise.all(story.deliveries.map(({ terminal }) => lanes.view(terminal)));
  return pushView(story, new Map(views.map((view) => [view.terminal, view])));
}

function statesOf(story: PushStory): string {
  const states = story.deliveries.filter(({ state }) => isSettled(state)).map(({ state }) => state);
  return states.length === 0 ? 'no address was accepted' : [...new Set(states)].join(', ');
}
