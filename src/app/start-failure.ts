/**
 * Why the gateway did not start, in one sentence that says what to do. Knows the failures that operators meet: a port that is
 * taken, not allowed, or on an address that this machine does not have.
 */
import type { Config } from '../config/schema.js';
import { DeliveryError, GatewayError } from '../kernel/errors.js';

type ListenError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };

/** The failure as an error with a sentence for the operator; unknown failures are returned as they are. */
export function explainStartFailure(error: unknown, config: Config): unknown {
  const listenError = listenErrorIn(error);
  if (listenError === undefined) return error;
  const detail = sentence(listenError, config);
  return detail === undefined
    ? error
    : new DeliveryError('unreachable', detail, { retry: 'never', cause: error });
}

/** The operating system's error, also when an adapter has wrapped it. */
function listenErrorIn(error: unknown): ListenError | undefined {
  for (let depth = 0, inner = error; depth < 4 && inner instanceof Error; depth++, inner = inner.cause) {
    if (!(inner instanceof GatewayError) && 'code' in inner && 'port' in inner) return inner as ListenError;
  }
  return undefined;
}

function sentence({ code, address = '', port }: ListenError, config: Config): string | undefined {
  const { portKey, hostKey } = keysOf(address, port, config);
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${address} is taken: stop the program that has it, or set ${portKey} to another port.`;
    case 'EACCES':
      return `Port ${port} on ${address} may not be used by this user: set ${portKey} to a port above 1023, or allow it.`;
    case 'EADDRNOTAVAIL':
      return `${address} is not an address of this machine: set ${hostKey} to one that is.`;
    default:
      return undefined;
  }
}

/** The configuration keys that a listener's address came from. */
function keysOf(address: string, port: number | undefined, config: Config) {
  const sections = ['http', 'admin', 'sip', 'msrp'] as const;
  const overTls = (['sip', 'msrp'] as const).find((name) => config[name].tls?.port === port);
  if (overTls !== undefined) {
    const variable = `CARILLON_${overTls.toUpperCase()}`;
    return {
      portKey: `${overTls}.tls.port (${variable}_TLS_PORT)`,
      hostKey: `${overTls}.host (${variable}_HOST)`,
    };
  }
  const section =
    sections.find((name) => config[name].port === port && config[name].host === address) ??
    sections.find((name) => config[name].port === port);
  if (section === undefined && config.otaHttp.enabled && (config.otaHttp.port ?? port) === port) {
    return {
      portKey: 'otaHttp.port (CARILLON_OTA_HTTP_PORT)',
      hostKey: 'otaHttp.host (CARILLON_OTA_HTTP_HOST)',
    };
  }
  if (section === undefined && config.bearers.wsp.enabled && config.bearers.wsp.port === port) {
    return {
      portKey: 'bearers.wsp.port (CARILLON_BEARERS_WSP_PORT)',
      hostKey: 'bearers.wsp.host (CARILLON_BEARERS_WSP_HOST)',
    };
  }
  if (section === undefined && config.wsp.enabled && config.wsp.port === port) {
    return { portKey: 'wsp.port (CARILLON_WSP_PORT)', hostKey: 'wsp.host (CARILLON_WSP_HOST)' };
  }
  if (section === undefined) return { portKey: 'its port', hostKey: 'its host' };
  const variable = `CARILLON_${section.toUpperCase()}`;
  return { portKey: `${section}.port (${variable}_PORT)`, hostKey: `${section}.host (${variable}_HOST)` };
}
