/** What is written from the schema is current: the JSON Schema for editors and the tables of docs/configuration.md. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configJsonSchema, configKeys, keysOfSchema } from '../../src/config/config-keys.js';
import { schemaReference, withReference } from '../../src/config/config-reference.js';
import { terminalPolicyJsonSchema } from '../../src/config/terminal-policy.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/configuration.md');

describe('the JSON Schema of the configuration', () => {
  it('is the one in schemas/ (npm run docs:config)', () => {
    expect(JSON.parse(read('schemas/config.schema.json'))).toEqual(
      JSON.parse(JSON.stringify(configJsonSchema())),
    );
  });

  it('describes every key', () => {
    const silent = configKeys().filter(({ schema }) => (schema.description ?? '') === '');
    expect(silent).toEqual([]);
  });

  it('marks everything that holds a secret', () => {
    const secrets = configKeys().filter(({ schema }) => schema.writeOnly === true);
    expect(secrets.map(({ path }) => path)).toEqual([
      'redis.url',
      'admin.token',
      'admin.viewerToken',
      'pushInitiators[].password',
      'smpp[].password',
      'otaHttp.terminalSecret',
      'wsp.terminalSecret',
      'httpCallback.secret',
      'httpCallback.tenants[].secret',
      'webPush.privateKey',
      'delegates[].password',
    ]);
  });
});

describe('docs/configuration.md', () => {
  it('has the tables of the schema (npm run docs:config)', () => {
    expect(page).toBe(withReference(page));
  });
});

describe('the policy file of the reference terminal', () => {
  const schema = terminalPolicyJsonSchema();

  it('has its schema in schemas/ (npm run docs:config)', () => {
    expect(JSON.parse(read('schemas/terminal-policy.schema.json'))).toEqual(
      JSON.parse(JSON.stringify(schema)),
    );
  });

  it('has its keys in docs/terminal.md, each with what it means (npm run docs:config)', () => {
    const terminalPage = read('docs/terminal.md');
    expect(terminalPage).toBe(withReference(terminalPage, schemaReference(schema)));
    expect(keysOfSchema(schema).filter((key) => (key.schema.description ?? '') === '')).toEqual([]);
  });
});
