/** Makes the MSRP stack (`msrp-connections.ts`). */
import { MsrpEndpoint } from './endpoint.js';
import type { MsrpConnections, MsrpConnectionsOptions } from './msrp-connections.js';

/** An MSRP endpoint; it listens only after `listen()`. */
export function createMsrpConnections(options: MsrpConnectionsOptions): MsrpConnections {
  return new MsrpEndpoint(options);
}
