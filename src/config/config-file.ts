/**
 * The configuration file: YAML 1.2 (JSON is YAML too), read with the line of every value kept for error messages.
 * Only syntax is judged here; keys and values are the schema's.
 */
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { ConfigError } from './config-error.js';

export interface ConfigDocument {
  /** Absolute path. */
  readonly file: string;
  readonly values: Record<string, unknown>;
  /** `carillon.yaml line 3`: the line of a value, or of the nearest section around one that is missing. */
  place(path: readonly PropertyKey[]): string;
}

/** Reads the text of a configuration file. Throws ConfigError on anything that is not a YAML mapping. */
export function parseConfigFile(file: string, text: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    throw new ConfigError([`${file} line ${line} is not valid YAML: ${error.message}.`]);
  }
  if (document.contents !== null && !isMap(document.contents)) {
    throw new ConfigError([
      `${file} must hold keys and values (such as "domain: example.test"), not a list or a single value.`,
    ]);
  }
  return {
    file,
    values: toValues(file, document),
    place: (path) => `${file} line ${lines.linePos(offsetOf(document, path)).line}`,
  };
}

function toValues(file: string, document: Document): Record<string, unknown> {
  try {
    return withoutEmpty(document.toJS({ maxAliasCount: 100 }) ?? {}) as Record<string, unknown>;
  } catch (error) {
    throw new ConfigError([`${file} is not valid YAML: ${(error as Error).message}.`]);
  }
}

/** A key with nothing after it ("http:" above lines that are all commented out) reads as null and means "not set". */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutEmpty(inner)]])),
  );
}

/** Where the deepest existing key or list entry of the path begins. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const step of path) {
    const next: { readonly place: unknown; readonly value: unknown } | undefined = isMap(node)
      ? pairOf(node, step)
      : isSeq(node) && typeof step === 'number'
        ? { place: node.items[step], value: node.items[step] }
        : undefined;
    if (next === undefined || !isNode(next.place) || !next.place.range) break;
    offset = next.place.range[0];
    node = next.value;
  }
  return offset;
}

function pairOf(map: YAMLMap, key: PropertyKey): { place: unknown; value: unknown } | undefined {
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  return pair === undefined ? undefined : { place: pair.key, value: pair.value };
}
