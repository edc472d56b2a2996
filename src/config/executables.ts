/**
 * Finds installed programs on the executable search path. Lives with the configuration because PATH is environment, and the
 * environment is read here only.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Environment } from './environment.js';

/** Where packages install servers, for callers whose PATH is short (cron, systemd). */
const USUAL_PLACES = ['/usr/local/bin', '/usr/bin', '/usr/sbin', '/opt/homebrew/bin'];

/** Absolute path of the first of `names` that is installed; names earlier in the list win. */
export function findExecutable(
  names: readonly string[],
  environment: Environment = process.env,
): string | undefined {
  const places = (environment['PATH'] ?? '').split(delimiter).filter((place) => place !== '');
  for (const name of names) {
    for (const place of [...places, ...USUAL_PLACES]) {
      const file = join(place, name);
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
