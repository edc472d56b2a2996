/**
 * `npm test [-- what to run]`: sets up what is missing, the peers that tests talk to included; then format and lint, types,
 * and every test. Arguments go to the test runner. Ends with the status of the first step that fails.
 */
import { bin, completePath, ensureTestPeers, run, setUp } from './setup.mjs';

setUp();
ensureTestPeers();
completePath();
const node = process.execPath;
run(node, bin('@biomejs/biome', 'biome'), 'check', '.');
run(node, bin('typescript', 'tsc'), '--noEmit');
run(node, bin('vitest', 'vitest'), 'run', ...process.argv.slice(2));
