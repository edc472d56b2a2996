/**
 * `/admin/v1/users/{user}/terminals`: the terminals of a user, what their lanes hold, and holding a lane back. A change is put to
 * use at once: the lane is kicked. A terminal that is removed loses nothing silently: what its lane held is settled as undeliverable.
 */
import type Router from '@koa/router';
import { isPseudoEsn } from '../../registry/device-identity.js';
import { terminalId } from '../../registry/terminal-id.js';
import type { Terminal } from '../../registry/user.js';
import { terminalFromJson } from '../../registry/validation.js';
import { readJson } from '../http/json-body.js';
import { query } from '../http/query.js';
import { audited } from './audit.js';
import { holdReason } from './hold-reason.js';
import { laneView } from './lane-view.js';
import { namedTerminal, namedUser } from './named-user.js';
import type { AdminPorts } from './ports.js';
import { terminalView } from './user-view.js';

const PATH = '/admin/v1/users/:user/terminals';

export function terminalRoutes(router: Router, ports: AdminPorts): void {
  const { registry, lanes, audit } = ports;

  router.get(PATH, async (ctx) => {
    query(ctx, []);
    const user = await namedUser(ctx, registry);
    ctx.body = { terminals: user.terminals.map(terminalView) };
  });

  router.get(`${PATH}/:terminal`, async (ctx) => {
    query(ctx, []);
    const { terminal } = await namedTerminal(ctx, registry);
    ctx.body = terminalView(terminal);
  });

  const put = audited(audit, 'terminal.put', async (ctx) => {
    query(ctx, []);
    const user = await namedUser(ctx, registry);
    const name = ctx.params['terminal'] ?? '';
    const body = await readJson(ctx);
    const { before, terminal } = await registry.changeTerminal(
      user.id,
      terminalId(user.id, name),
      (existing) => terminalFromJson(user.id, name, body, { existing }),
    );
    const isNew = before === undefined;
    if (terminal.identities.some(isPseudoEsn)) {
      const message = 'a pseudo-ESN does not tell one device from another';
      ports.log({ level: 'warn', message, terminal: terminal.id });
    }
    ports.kick(terminal.id);
    ctx.status = isNew ? 201 : 200;
    ctx.body = terminalView(terminal);
    return isNew ? 'created' : 'replaced';
  });
  router.put(`${PATH}/:terminal`, put);

  const remove = audited(audit, 'terminal.delete', async (ctx) => {
    query(ctx, []);
    const { terminal } = await namedTerminal(ctx, registry);
    await removeTerminal(terminal, ports);
    ctx.status = 204;
    return 'removed';
  });
  router.delete(`${PATH}/:terminal`, remove);

  router.get(`${PATH}/:terminal/lane`, async (ctx) => {
    query(ctx, []);
    const { terminal } = await namedTerminal(ctx, registry);
    ctx.body = laneView(await lanes.view(terminal.id), terminal);
  });

  const hold = audited(audit, 'lane.hold', async (ctx) => {
    query(ctx, []);
    const { terminal } = await namedTerminal(ctx, registry);
    const isNew = await ports.holdLane(terminal.id, holdReason(await readJson(ctx)));
    ctx.body = laneView(await lanes.view(terminal.id), terminal);
    return isNew ? 'held' : 'reason replaced';
  });
  router.post(`${PATH}/:terminal/lane/hold`, hold);

  const release = audited(audit, 'lane.release', async (ctx) => {
    query(ctx, []);
    const { terminal } = await namedTerminal(ctx, registry);
    const wasOnHold = await ports.releaseLane(terminal.id);
    ctx.body = laneView(await lanes.view(terminal.id), terminal);
    return wasOnHold ? 'released' : 'unchanged';
  });
  router.post(`${PATH}/:terminal/lane/release`, release);
}

/**
 * Removes a terminal and settles what its lane holds. The lane comes first, so that a repeat after a crash finds the terminal
 * still there; and once more afterwards, for pushes that were placed meanwhile.
 */
export async function removeTerminal(terminal: Terminal, ports: AdminPorts): Promise<void> {
  const reason = 'the terminal was removed';
  await ports.abandonLane(terminal.id, reason);
  await ports.registry.deleteTerminal(terminal.user, terminal.id);
  await ports.abandonLane(terminal.id, reason);
  await ports.releaseLane(terminal.id); // a terminal of the same name that comes later is not on hold
}
