/** Loads the PAP DTDs that ship with the package (`schemas/`) into a validator. Called once, at start. */
import { readFileSync } from 'node:fs';
import {
  createPapValidator,
  PAP_VERSIONS,
  type PapValidator,
  type PapVersion,
} from '../../protocols/pap/index.js';

/** `schemas/` stands beside `src/` and beside `dist/`, three levels above this file in both. */
const SCHEMAS = new URL('../../../schemas/', import.meta.url);

/** The validator for every version that we speak. Throws when a DTD is missing or unusable: the gateway must not start then. */
export function loadPapValidator(schemas: URL = SCHEMAS): PapValidator {
  const dtds = Object.fromEntries(
    PAP_VERSIONS.map((version) => [version, readFileSync(new URL(`pap_${version}.dtd`, schemas), 'utf8')]),
  ) as Record<PapVersion, string>;
  return createPapValidator(dtds);
}
