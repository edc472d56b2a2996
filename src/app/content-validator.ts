/** Loads the DTDs of push content that ship with the package (`schemas/`) into a validator. Called once, at start. */
import { readFileSync } from 'node:fs';
import { createXmlValidator } from '../protocols/xml/index.js';
import { CONTENT_DTDS, type ContentGrammar, type ContentValidator } from '../push/content-conversion.js';

/** `schemas/` stands beside `src/` and beside `dist/`. */
const SCHEMAS = new URL('../../schemas/', import.meta.url);

/** Throws when a DTD is missing or unusable: the gateway must not start then. */
export function loadContentValidator(): ContentValidator {
  const texts = Object.entries(CONTENT_DTDS).map(([grammar, file]) => [
    grammar,
    readFileSync(new URL(file, SCHEMAS), 'utf8'),
  ]);
  return createXmlValidator(Object.fromEntries(texts) as Record<ContentGrammar, string>);
}
