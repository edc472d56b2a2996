/** `npm run demo`: sets up what is missing and runs `carillon demo`, in this process. */
import { ensureRedis, runCarillon, setUp } from './setup.mjs';

setUp();
ensureRedis();
await runCarillon('demo', ...process.argv.slice(2));
