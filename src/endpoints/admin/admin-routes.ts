/**
 * The admin endpoint: routes and the layers around them. `openapi.yaml` describes every route; a test holds the two together.
 *
 *   edge            whatever is thrown becomes a problem document
 *   bearer-token    everything under /admin needs the token
 *   push-initiators · users · terminals · pushes · links · events · operations
 */
import { Router } from '@koa/router';
import Koa from 'koa';
import { describeError } from '../../kernel/errors.js';
import { edge } from '../http/edge.js';
import { requireBearerToken } from './bearer-token.js';
import { eventRoutes } from './events.js';
import { explanationRoutes } from './explanation.js';
import { groupRoutes } from './groups.js';
import { linkRoutes } from './links.js';
import { operationRoutes } from './operations.js';
import type { AdminPorts } from './ports.js';
import { pushInitiatorRoutes } from './push-initiators.js';
import { pushRoutes } from './pushes.js';
import { terminalRoutes } from './terminals.js';
import { userRoutes } from './users.js';

/** The routes alone: no authentication, and errors pass through. */
export function adminRoutes(ports: AdminPorts): Router {
  const router = new Router({ sensitive: true, strict: true });
  pushInitiatorRoutes(router, ports);
  userRoutes(router, ports);
  explanationRoutes(router, ports);
  terminalRoutes(router, ports);
  groupRoutes(router, ports);
  pushRoutes(router, ports);
  linkRoutes(router, ports);
  eventRoutes(router, ports);
  operationRoutes(router, ports);
  return router;
}

/** The whole endpoint, for an HTTP server of its own: `createServer(adminApplication(ports).callback())`. */
export function adminApplication(ports: AdminPorts): Koa {
  const application = new Koa();
  const router = adminRoutes(ports);
  application.use(
    edge(router, { name: 'admin', challenge: () => 'Bearer realm="carillon"', log: ports.log }),
  );
  application.use(requireBearerToken(ports));
  application.use(router.routes() as Koa.Middleware);
  // What is left for Koa to report is a connection that broke while an answer was being written.
  application.on('error', (error: unknown) => {
    ports.log({ level: 'info', message: 'admin answer was not taken', detail: describeError(error) });
  });
  return application;
}
