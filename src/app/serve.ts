/**
 * `carillon serve`: configuration, telemetry, admin token, gateway, and an orderly end. The order at the end: stop taking in,
 * finish what is under way, close the stores; whatever does not finish before the deadline goes on after the next start,
 * because nothing was answered before it was stored.
 */
import { loadConfig } from '../config/load-config.js';
import { createTelemetry } from '../telemetry/telemetry.js';
import { adminToken, type GatewayConfig } from './admin-token.js';
import { type Gateway, startGateway } from './gateway.js';
import { watchProcess } from './process-edge.js';
import { explainStartFailure } from './start-failure.js';
import { VERSION } from './version.js';
import { welcome } from './welcome.js';

export interface ServeOptions {
  readonly configFile?: string;
}

/** Runs the gateway until the process is asked to stop; resolves with the exit status. Throws when it cannot start. */
export async function serve(options: ServeOptions): Promise<number> {
  const loaded = loadConfig(options.configFile === undefined ? {} : { file: options.configFile });
  const telemetry = createTelemetry({ level: loaded.config.log.level, version: VERSION });
  const { log } = telemetry;
  const token = await adminToken(loaded.config);
  const config: GatewayConfig = { ...loaded.config, admin: { ...loaded.config.admin, token: token.token } };

  using edge = watchProcess({ log, deadlineMs: config.shutdown.deadlineSeconds * 1000 });
  log({ level: 'info', message: 'starting', version: VERSION, configFile: loaded.file ?? 'none' });
  const gateway = await startGateway(config, telemetry).catch((error: unknown) => {
    throw explainStartFailure(error, config);
  });
  process.stderr.write(welcome(gateway, config, token));
  await announce(gateway, log);

  const reason = await edge.stop;
  log({ level: 'info', message: 'stopping', reason });
  await gateway.close();
  log({ level: 'info', message: 'stopped' });
  return edge.exitStatus;
}

async function announce(gateway: Gateway, log: ReturnType<typeof createTelemetry>['log']): Promise<void> {
  const problem = await gateway.problem();
  if (problem === undefined) return log({ level: 'info', message: 'ready', ...gateway.addresses });
  log({ level: 'error', message: 'running, but not ready', reason: problem });
  process.stderr.write(`Not ready: ${problem}\n`);
}
