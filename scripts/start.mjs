/**
 * `npm start [-- --config FILE]`: sets up what is missing and runs `carillon serve`. The gateway runs in this very process,
 * so that signals and the exit status need no passing on.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureRedis, ROOT, runCarillon, setUp } from './setup.mjs';

setUp();
const args = process.argv.slice(2);
if (await needsRedis(args)) ensureRedis();
await runCarillon('serve', ...args);

/** Whether the gateway would look for a server of its own. A wrong configuration is the gateway's to report. */
async function needsRedis(args) {
  const { loadConfig } = await import(pathToFileURL(join(ROOT, 'dist/config/load-config.js')).href);
  const at = args.findIndex((arg) => /^(?:-c|--config)(?:=|$)/.test(arg));
  const file = at < 0 ? undefined : (args[at].split('=')[1] ?? args[at + 1]);
  try {
    return loadConfig(file === undefined ? {} : { file }).config.redis.url === undefined;
  } catch {
    return false;
  }
}
