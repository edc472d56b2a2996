/**
 * What is wrong with a file of settings, as sentences: each names the key, where its value came from, and what is allowed. For the
 * configuration and for every other file whose shape is a schema of ours.
 */
import type { z } from 'zod';
import type { ConfigDocument } from './config-file.js';
import { allowedValues, type SchemaNode, schemaAt } from './config-keys.js';
import { nearest } from './nearest.js';

export interface Origin {
  readonly raw: Record<string, unknown>;
  readonly document: ConfigDocument | undefined;
  /** Dotted path → the variable that set it. */
  readonly variables: ReadonlyMap<string, string>;
  /** JSON Schema of the whole. */
  readonly schema: SchemaNode;
}

/** One problem of the schema, as sentences. */
export function sentences(issue: z.core.$ZodIssue, origin: Origin): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schemaAt(issue.path, origin.schema)?.properties ?? {});
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return `${written(path)} (${whereFrom(path, origin)}) is not a configuration key${
        nearest(key, known) || `; known here: ${known.join(', ')}.`
      }`;
    });
  }
  const node = schemaAt(issue.path, origin.schema) ?? {};
  const allowed =
    issue.code === 'custom' || issue.code === 'invalid_format' ? issue.message : allowedValues(node);
  const value = valueAt(origin.raw, issue.path);
  const where = whereFrom(issue.path, origin);
  if (value === undefined) return [`${written(issue.path)} (${where}) is missing; it takes ${allowed}.`];
  const quoteIt = node.type === 'string' && typeof value === 'number' ? ', in quotes' : '';
  return [
    `${written(issue.path)} (${where}) cannot be ${shown(value, node.writeOnly)}; it takes ${allowed}${quoteIt}.`,
  ];
}

/** `pushInitiators[0].id`; the whole file is "the configuration". */
function written(path: readonly PropertyKey[]): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return text === '' ? 'the configuration' : text.replace(/^\./, '');
}

/** The value as the operator wrote it, cut short; never a secret. */
function shown(value: unknown, isSecret = false): string {
  if (isSecret) return 'this value (not shown)';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'this list' : 'this section';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function whereFrom(path: readonly PropertyKey[], { variables, document }: Origin): string {
  for (let length = path.length; length > 0; length--) {
    const variable = variables.get(path.slice(0, length).join('.'));
    if (variable !== undefined) return `environment variable ${variable}`;
  }
  return document?.place(path) ?? 'not set anywhere';
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
