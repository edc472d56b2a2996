/** `openapi.yaml` as tests use it: its operations, and the check of an answer against what is described. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { resolveReference, type Schema, schemaErrors } from './json-schema.js';

export const OPENAPI_FILE = new URL('../../openapi.yaml', import.meta.url);

export interface Described {
  readonly description?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
  readonly example?: unknown;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: Described & { readonly required: boolean };
  readonly responses: Readonly<Record<string, Described | { readonly $ref: string }>>;
}

export interface DescribedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly parameters: readonly Parameter[];
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];

export const OPENAPI = parse(readFileSync(OPENAPI_FILE, 'utf8')) as Readonly<Record<string, unknown>>;

/** Every operation with the parameters that it shares with its path. */
export const OPERATIONS: readonly DescribedOperation[] = Object.entries(
  OPENAPI['paths'] as Record<string, Record<string, unknown>>,
).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([method]) => METHODS.includes(method))
    .map(([method, value]) => {
      const operation = value as Operation;
      const shared = (item['parameters'] ?? []) as Operation['parameters'];
      const parameters = [...(shared ?? []), ...(operation.parameters ?? [])];
      return {
        method: method.toUpperCase(),
        path,
        operation,
        parameters: parameters.map(resolved<Parameter>),
      };
    }),
);

export function resolved<T>(part: T | { readonly $ref: string }): T {
  return typeof part === 'object' && part !== null && '$ref' in part
    ? (resolveReference(OPENAPI, part.$ref) as T)
    : (part as T);
}

/** What an answer of the gateway does other than described; nothing when it is as described. */
export function answerErrors(
  request: { readonly method: string; readonly path: string },
  answer: { readonly status: number; readonly contentType: string; readonly body: string },
): readonly string[] {
  const found = OPERATIONS.find(
    ({ method, path }) =>
      method === request.method &&
      new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`).test(request.path),
  );
  if (!found) return [`${request.method} ${request.path} is not described`];
  const response = found.operation.responses[String(answer.status)];
  if (!response) return [`${found.operation.operationId} has no response ${answer.status}`];
  const { content } = resolved<Described>(response);
  if (content === undefined) return answer.body === '' ? [] : ['a body where none is described'];
  const media = content[answer.contentType.split(';', 1)[0] ?? ''];
  if (!media) return [`${answer.contentType} is not described for ${answer.status}`];
  const isJson = /json$/.test(answer.contentType.split(';', 1)[0] ?? '');
  return schemaErrors(OPENAPI, media.schema, isJson ? JSON.parse(answer.body) : answer.body);
}
