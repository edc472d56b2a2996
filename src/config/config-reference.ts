/**
 * The reference part of docs/configuration.md, written from the schema: a table for each section with every key, its
 * environment variable, what it takes, its default and what it decides. Used by `npm run docs:config` and by the test that
 * the page is current; the gateway itself does not need it.
 */
import {
  allowedValues,
  type ConfigKey,
  configJsonSchema,
  configKeys,
  keysOfSchema,
  type SchemaNode,
} from './config-keys.js';

/** Between these lines the page is generated. */
const REFERENCE_START = '<!-- keys: written by "npm run docs:config" -->';
const REFERENCE_END = '<!-- end of keys -->';

/** Markdown: one heading and table for each section, keys without a section first. */
function configReference(): string {
  const sections = new Map<string, ConfigKey[]>();
  for (const key of configKeys()) {
    const section = sectionOf(key.path);
    sections.set(section, [...(sections.get(section) ?? []), key]);
  }
  return [...sections].map(([section, keys]) => sectionText(section, keys)).join('\n\n');
}

/** The keys of another file as one table. */
export function schemaReference(schema: SchemaNode): string {
  const rows = keysOfSchema(schema).map(rowOf).join('\n');
  return `| Key | Takes | Default | Meaning |\n|---|---|---|---|\n${rows}`;
}

/** The page with its reference part replaced, by that of the configuration when nothing else is given. Throws when it has none. */
export function withReference(page: string, reference = configReference()): string {
  const [before, rest] = page.split(`${REFERENCE_START}\n`);
  const after = rest?.split(REFERENCE_END)[1];
  if (before === undefined || after === undefined) throw new Error('the page has no place for the reference');
  return `${before}${REFERENCE_START}\n${reference}\n\n${REFERENCE_END}${after}`;
}

function sectionOf(path: string): string {
  const first = path.split(/[.[]/)[0] ?? '';
  return first === path ? (configJsonSchema().properties?.[path]?.items?.properties ? path : '') : first;
}

function sectionText(section: string, keys: readonly ConfigKey[]): string {
  const title = section === '' ? '### At the top' : `### ${section}`;
  const description = section === '' ? '' : (configJsonSchema().properties?.[section]?.description ?? '');
  const rows = keys.map(rowOf).join('\n');
  const table = `| Key | Takes | Default | Meaning |\n|---|---|---|---|\n${rows}`;
  return [title, description, table].filter((part) => part !== '').join('\n\n');
}

function rowOf({ path, schema, environmentVariable }: ConfigKey): string {
  const name =
    environmentVariable === undefined ? `\`${path}\`` : `\`${path}\`<br>\`${environmentVariable}\``;
  const takes = takesOf(schema, environmentVariable);
  const fallback = schema.default === undefined ? 'none' : `\`${JSON.stringify(schema.default)}\``;
  return `| ${[name, takes, fallback, schema.description ?? ''].map(cell).join(' | ')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function takesOf(schema: SchemaNode, environmentVariable: string | undefined): string {
  if (schema.items?.properties !== undefined) {
    return environmentVariable === undefined ? 'a list' : 'a list; in the variable as JSON';
  }
  const isAnything = schema.type === undefined && schema.enum === undefined;
  return isAnything && schema.patternErrorMessage === undefined ? 'any value' : allowedValues(schema);
}
