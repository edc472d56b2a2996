/** The version of the product, read once from package.json: the same text in logs, metrics, Server headers and `--version`. */
import { readFileSync } from 'node:fs';

interface Manifest {
  readonly version: string;
}

export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest
).version;

/** Product token for SIP and HTTP `Server` and `User-Agent` headers. */
export const PRODUCT = `Carillon/${VERSION}`;
