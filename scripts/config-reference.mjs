/**
 * `npm run docs:config`: writes schemas/config.schema.json and the tables of docs/configuration.md from the schema, and the same for the
 * policy file of the reference terminal.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bin, ROOT, run, setUp } from './setup.mjs';

setUp();
const load = (path) => import(pathToFileURL(join(ROOT, 'dist/config', path)).href);
const { configJsonSchema } = await load('config-keys.js');
const { schemaReference, withReference } = await load('config-reference.js');
const { terminalPolicyJsonSchema } = await load('terminal-policy.js');

function writeSchema(name, schema) {
  const file = join(ROOT, 'schemas', name);
  writeFileSync(file, JSON.stringify(schema));
  run(process.execPath, bin('@biomejs/biome', 'biome'), 'format', '--write', file);
}

function writePage(name, reference) {
  const page = join(ROOT, 'docs', name);
  writeFileSync(page, withReference(readFileSync(page, 'utf8'), reference));
}

writeSchema('config.schema.json', configJsonSchema());
writePage('configuration.md');
const policy = terminalPolicyJsonSchema();
writeSchema('terminal-policy.schema.json', policy);
writePage('terminal.md', schemaReference(policy));
