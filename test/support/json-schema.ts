/**
 * Checks values against the part of JSON Schema that `openapi.yaml` uses. A keyword outside that part is an error, so that nothing in
 * the description is silently not checked.
 */

export type Schema = Readonly<Record<string, unknown>>;

const ANNOTATIONS = new Set(['description', 'title', 'default', 'example', 'readOnly', 'writeOnly']);

type Check = (value: unknown, argument: unknown, schema: Schema, check: Checker) => string | undefined;
type Checker = (schema: Schema, value: unknown, path: string) => readonly string[];

/** What is wrong with `value`, each line with its path; nothing when it fits. `root` is the document that `$ref` points into. */
export function schemaErrors(root: unknown, schema: Schema, value: unknown, path = '$'): readonly string[] {
  const nested: Checker = (part, item, at) => schemaErrors(root, part, item, at);
  const errors: string[] = [];
  for (const [keyword, argument] of Object.entries(schema)) {
    if (ANNOTATIONS.has(keyword)) continue;
    if (keyword === '$ref') {
      errors.push(...nested(resolveReference(root, String(argument)) as Schema, value, path));
    } else if (keyword === 'properties' || keyword === 'additionalProperties' || keyword === 'items') {
      errors.push(...checkParts(schema, keyword, value, path, nested));
    } else if (keyword === 'oneOf') {
      const fitting = (argument as Schema[]).filter((part) => nested(part, value, path).length === 0);
      if (fitting.length !== 1) errors.push(`${path}: fits ${fitting.length} of the alternatives`);
    } else {
      const check = CHECKS[keyword];
      if (!check) throw new Error(`${path}: this checker does not know the keyword "${keyword}"`);
      const error = check(value, argument, schema, nested);
      if (error !== undefined) errors.push(`${path}: ${error}`);
    }
  }
  return errors;
}

/** The part of a document that a local reference names. Throws when there is none. */
export function resolveReference(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#/')) throw new Error(`not a local reference: ${reference}`);
  let found: unknown = root;
  for (const step of reference.slice(2).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    found = isObject(found) ? found[key] : undefined;
    if (found === undefined) throw new Error(`nothing at ${reference}`);
  }
  return found;
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

const CHECKS: Readonly<Record<string, Check>> = {
  type: (value, type) => (TYPES[String(type)]?.(value) ? undefined : `has to be of type ${String(type)}`),
  enum: (value, allowed) =>
    (allowed as unknown[]).includes(value)
      ? undefined
      : `has to be one of ${(allowed as unknown[]).join(', ')}`,
  const: (value, only) => (value === only ? undefined : `has to be ${String(only)}`),
  required: (value, names) => {
    const missing = (names as string[]).filter((name) => isObject(value) && value[name] === undefined);
    return missing.length === 0 ? undefined : `lacks ${missing.join(', ')}`;
  },
  pattern: (value, pattern) =>
    typeof value !== 'string' || new RegExp(String(pattern), 'u').test(value)
      ? undefined
      : `breaks ${pattern}`,
  format: (value, format) => {
    if (format !== 'date-time') throw new Error(`this checker does not know the format "${String(format)}"`);
    const isInstant = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
    return isInstant && !Number.isNaN(Date.parse(value)) ? undefined : 'is no instant';
  },
  minimum: (value, bound) => (Number(value) >= Number(bound) ? undefined : `is less than ${bound}`),
  maximum: (value, bound) => (Number(value) <= Number(bound) ? undefined : `is more than ${bound}`),
  minLength: (value, bound) =>
    String(value).length >= Number(bound) ? undefined : `is shorter than ${bound}`,
  maxLength: (value, bound) =>
    String(value).length <= Number(bound) ? undefined : `is longer than ${bound}`,
  minItems: (value, bound) =>
    !Array.isArray(value) || value.length >= Number(bound) ? undefined : `has fewer than ${bound} items`,
  maxItems: (value, bound) =>
    !Array.isArray(value) || value.length <= Number(bound) ? undefined : `has more than ${bound} items`,
};

function checkParts(
  schema: Schema,
  keyword: 'properties' | 'additionalProperties' | 'items',
  value: unknown,
  path: string,
  check: Checker,
): readonly string[] {
  if (keyword === 'items') {
    if (!Array.isArray(value)) return [];
    return value.flatMap((item, index) => check(schema['items'] as Schema, item, `${path}[${index}]`));
  }
  if (!isObject(value)) return [];
  const named = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
  if (keyword === 'properties') {
    return Object.entries(named).flatMap(([name, part]) =>
      value[name] === undefined ? [] : check(part, value[name], `${path}.${name}`),
    );
  }
  const others = Object.keys(value).filter((name) => named[name] === undefined);
  const rule = schema['additionalProperties'] as boolean | Schema;
  if (rule === true) return [];
  if (rule === false) return others.map((name) => `${path}: has the unknown property ${name}`);
  return others.flatMap((name) => check(rule, value[name], `${path}.${name}`));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
