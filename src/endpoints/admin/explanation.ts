/**
 * `/admin/v1/users/{user}/explanation`: which terminals of a user would get a push now, by which bearer and how it would be found, and why. Asks
 * about any push by application and content type, or about one that was submitted.
 */
import type Router from '@koa/router';
import { DecodeError } from '../../kernel/errors.js';
import type {
  ExplainedTerminal,
  ExplainedWay,
  Explanation,
  ExplanationSubject,
} from '../../push/explanation.js';
import { initiatingPush } from '../../push/recent-pushes.js';
import type { SirPlan } from '../../push/sir-plan.js';
import { DEFAULT_APPLICATION_ID } from '../../push/target-resolution.js';
import { parseDeviceIdentity } from '../../registry/device-identity.js';
import { instant } from '../http/instant.js';
import { query } from '../http/query.js';
import { namedPush } from './named-push.js';
import { namedUser } from './named-user.js';
import type { AdminPorts } from './ports.js';

const PARAMETERS = ['application', 'contentType', 'device', 'scope', 'pushId', 'initiator'] as const;
type Given = Partial<Record<(typeof PARAMETERS)[number], string>>;

const DEFAULT_CONTENT_TYPE = 'text/plain';

export function explanationRoutes(router: Router, ports: AdminPorts): void {
  router.get('/admin/v1/users/:user/explanation', async (ctx) => {
    const given = query(ctx, PARAMETERS);
    const user = await namedUser(ctx, ports.registry);
    const subject = given.pushId === undefined ? anyPush(given) : await thatPush(given.pushId, given, ports);
    ctx.body = explanationView(await ports.explain(user, subject));
  });
}

function anyPush({ application, contentType, ...given }: Given): ExplanationSubject {
  return {
    applicationId: application ?? DEFAULT_APPLICATION_ID,
    contentType: contentType ?? DEFAULT_CONTENT_TYPE,
    narrowing: narrowingOf(given),
  };
}

async function thatPush(pushId: string, given: Given, ports: AdminPorts): Promise<ExplanationSubject> {
  if (given.application !== undefined || given.contentType !== undefined) {
    throw new DecodeError('query parameter "pushId": says what the application and the content type are');
  }
  const push = initiatingPush(await namedPush(pushId, given.initiator, ports));
  const { applicationId, contentType } = push;
  return { applicationId, contentType, narrowing: narrowingOf(given), push };
}

function narrowingOf({ device, scope }: Given): ExplanationSubject['narrowing'] {
  if (scope !== undefined && scope !== 'all')
    throw new DecodeError('query parameter "scope": can only be all');
  return {
    ...(device === undefined ? {} : { device: parseDeviceIdentity(device) }),
    ...(scope === undefined ? {} : { isForAll: true }),
  };
}

function explanationView({ terminals, ...explanation }: Explanation) {
  return { ...explanation, terminals: terminals.map(terminalView) };
}

function terminalView({
  terminal,
  name,
  startsAt,
  quietUntil,
  wakeNotBefore,
  ways,
  ...explained
}: ExplainedTerminal) {
  return {
    terminal: name,
    id: terminal,
    ...explained,
    ...instant('startsAt', startsAt),
    ...instant('quietUntil', quietUntil),
    ...instant('wakeNotBefore', wakeNotBefore),
    ways: ways.map(wayView),
  };
}

function wayView({ sir, ...way }: ExplainedWay) {
  return { ...way, ...(sir === undefined ? {} : { sir: sirView(sir) }) };
}

function sirView({ mode, audience, device, identityIn, reasons }: SirPlan) {
  return { mode, audience, ...(device === undefined ? {} : { device: device.value }), identityIn, reasons };
}
