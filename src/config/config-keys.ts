/**
 * The configuration keys as a flat list, read off the JSON Schema of the configuration: what each takes in words, its
 * default, its environment variable. Errors, environment variables and docs/configuration.md all use this one list.
 */
import { z } from 'zod';
import { configSchema } from './schema.js';

/** The part of JSON Schema that our own schema makes use of. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly writeOnly?: boolean;
  /** What a text with a form of its own takes; a keyword that editors know, too. */
  readonly patternErrorMessage?: string;
}

export interface ConfigKey {
  /** Dotted; `[]` marks the entries of a list: `pushInitiators[].id`. */
  readonly path: string;
  /** Absent for a key inside a list: the whole list is set as JSON. */
  readonly environmentVariable?: string;
  readonly schema: SchemaNode;
}

/** JSON Schema (2020-12) of the configuration file. */
export function configJsonSchema(): SchemaNode {
  return z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode;
}

/** Every key that holds a value (sections are not keys), in the order of the schema. */
export function configKeys(): readonly ConfigKey[] {
  return keysOf(configJsonSchema(), '');
}

/** The keys of another file, in the order of its schema. */
export function keysOfSchema(schema: SchemaNode): readonly Omit<ConfigKey, 'environmentVariable'>[] {
  return keysOf(schema, '').map(({ path, schema: node }) => ({ path, schema: node }));
}

function keysOf(node: SchemaNode, path: string): ConfigKey[] {
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([key, child]) =>
      keysOf(child, path === '' ? key : `${path}.${key}`),
    );
  }
  const key = path.includes('[]')
    ? { path, schema: node }
    : { path, schema: node, environmentVariable: environmentVariableOf(path) };
  const inside = node.items?.properties === undefined ? [] : keysOf(node.items, `${path}[]`);
  return [key, ...inside];
}

/** `push.maxContentBytes` → `CARILLON_PUSH_MAX_CONTENT_BYTES`. */
function environmentVariableOf(path: string): string {
  return `CARILLON_${path
    .replace(/([A-Z])/g, '_$1')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

/** The schema node of a value's path; list positions are numbers. Undefined when there is no such key. */
export function schemaAt(
  path: readonly PropertyKey[],
  root: SchemaNode = configJsonSchema(),
): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const step of path) {
    node = typeof step === 'number' ? node?.items : node?.properties?.[String(step)];
  }
  return node;
}

/** What a key takes, as the end of a sentence: "an integer from 0 to 65535". */
export function allowedValues(node: SchemaNode): string {
  if (node.patternErrorMessage !== undefined) return node.patternErrorMessage;
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  switch (node.type) {
    case 'integer':
      return `an integer from ${node.minimum} to ${node.maximum}`;
    case 'number':
      return `a number from ${node.minimum} to ${node.maximum}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list of ${node.minItems ?? 0} to ${node.maxItems} entries, each ${
        node.items === undefined ? 'anything' : allowedValues(node.items)
      }`;
    case 'object':
      return `a section with the keys ${Object.keys(node.properties ?? {}).join(', ')}`;
    default:
      return node.maxLength === undefined
        ? 'text'
        : `text of ${node.minLength ?? 0} to ${node.maxLength} characters`;
  }
}
