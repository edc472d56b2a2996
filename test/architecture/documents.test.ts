/** What the documents name is there: files, sections, configuration keys, variables, commands, options, routes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configJsonSchema, configKeys, type SchemaNode } from '../../src/config/config-keys.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const below = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);

const pages = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'deploy', 'schemas'].flatMap(below).filter((name) => name.endsWith('.md')),
].map((path) => ({ path, text: read(path) }));
const everyPage = pages.map(({ path, text }) => [path, text] as const);
/** Everything that can be told on a command line, and what it says of itself. */
const programs = ['src/app', 'scripts']
  .flatMap(below)
  .filter((path) => /\.(?:ts|mjs)$/.test(path))
  .map(read)
  .join('\n');
const routes = [...read('openapi.yaml').matchAll(/^ {2}(\/[^\n:]+):$/gm)].map(([, route = '']) => route);
/** Of the libraries that we speak of, and of bodies; what else looks like a key is one. */
const NO_KEYS = ['sip.js', 'notify.url', 'webPush.publicKey'];

/** What stands between backticks, code blocks apart. */
function quotedIn(text: string): readonly string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, inside = '']) => inside);
}

/** Anchors of the headings, as forges make them. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(everyPage)('%s', (path, text) => {
  it('links to what is there', () => {
    const broken = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const place = file === '' ? path : join(dirname(path), file);
        if (!existsSync(join(ROOT, place))) return true;
        return anchor !== undefined && !anchorsOf(read(place)).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('names files that are there', () => {
    const missing = quotedIn(text)
      .filter((name) => /^(?:src|test|scripts|docs|deploy|schemas)\/[\w./-]+$/.test(name))
      .filter((name) => !existsSync(join(ROOT, name)));
    expect(missing).toEqual([]);
  });

  it('names configuration keys that exist', () => {
    const unknown = quotedIn(text)
      .map((name) => name.replace(/: .*$/, '').replace(/\[\]|\.\*$/g, ''))
      .filter((name) => /^[a-zA-Z]+(?:\.[a-zA-Z]+)+$/.test(name) && isOfASection(name))
      .filter((name) => nodeAt(name) === undefined && !NO_KEYS.includes(name));
    expect(unknown).toEqual([]);
  });

  it('names variables that exist', () => {
    const known = new Set(configKeys().map(({ environmentVariable }) => environmentVariable));
    // One is read before any configuration, and the others are examples of what an orchestrator sets.
    const others = new Set(['CARILLON_CONFIG', 'CARILLON_PORT', 'CARILLON_SERVICE_HOST', 'CARILLON_']);
    const named = text.match(/\bCARILLON_[A-Z_]*/g) ?? [];
    expect(named.filter((name) => !known.has(name) && !others.has(name))).toEqual([]);
  });

  it('names scripts of package.json', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = [...text.matchAll(/\bnpm (?:run (?:-s )?)([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

describe('the commands in the documents', () => {
  it.each(everyPage)('%s: have the options that they are given', (_, text) => {
    const own = text
      .replace(/\\\n/g, '')
      .split('\n')
      .filter((line) => /\bcarillon [a-z]|dist\/main\.js|\bnpm (?:start|test|run)\b/.test(line));
    const options = [...own, ...quotedIn(text).filter((name) => name.startsWith('--'))]
      .flatMap((line) => line.match(/(?<![\w-])--[a-z][a-z-]+/g) ?? [])
      .filter((option) => option !== '--help');
    expect(options.filter((option) => !programs.includes(option))).toEqual([]);
  });
});

describe('the routes in the documents', () => {
  const isKnown = (path: string) =>
    routes.some((route) => {
      const steps = route.split('/');
      const given = path.split('/');
      return (
        steps.length === given.length &&
        steps.every((step, index) => step.startsWith('{') || step === given[index])
      );
    });

  it.each(everyPage)('%s: are in openapi.yaml', (_, text) => {
    const named = [...text.matchAll(/\b(?:GET|POST|PUT|PATCH|DELETE) (\/(?:admin\/)?v1\/[^\s`?)]+)/g)]
      .map(([, path = '']) => path.replace(/[.,;:]$/, ''))
      .filter((path) => !path.includes('…'));
    expect(named.filter((path) => !isKnown(path))).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  it('quotes the log and the refusals as they are', () => {
    const code = below('src')
      .filter((path) => path.endsWith('.ts'))
      .map(read)
      .join('\n');
    const quoted = quotedIn(read('docs/operations.md')).filter((text) =>
      /^[A-Za-z][a-z,]+(?: [A-Za-z]+,?){2,}$/.test(text),
    );
    expect(quoted.length).toBeGreaterThan(8);
    expect(quoted.filter((text) => !code.includes(text))).toEqual([]);
  });
});

describe('README.md', () => {
  it('leads to every page of docs', () => {
    const unlinked = pages.filter(
      ({ path }) => /^docs\/[\w-]+\.md$/.test(path) && !read('README.md').includes(`(${path}`),
    );
    expect(unlinked.map(({ path }) => path)).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('is read in one go', () => {
    expect(read('ARCHITECTURE.md').split('\n').length).toBeLessThanOrEqual(300);
  });

  it('names files of src that are there', () => {
    const named = quotedIn(read('ARCHITECTURE.md')).filter((name) =>
      /^[a-z]+(?:\/[\w-]+)*\/[\w.-]+\.ts$/.test(name),
    );
    const missing = named.filter(
      (name) => !existsSync(join(ROOT, name)) && !existsSync(join(ROOT, 'src', name)),
    );
    expect(missing).toEqual([]);
  });
});

const schema = configJsonSchema();

function nodeAt(path: string): SchemaNode | undefined {
  let node: SchemaNode | undefined = schema;
  for (const step of path.split('.')) node = (node?.items ?? node)?.properties?.[step];
  return node;
}

function isOfASection(path: string): boolean {
  return schema.properties?.[path.slice(0, path.indexOf('.'))] !== undefined;
}
