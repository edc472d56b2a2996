/**
 * The shape of the source, as sentences that fail when it is broken: which folder may know which, where each library may be
 * used, and what stays out of the parts that tests must be able to control. Every rule carries its reason.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

interface SourceFile {
  /** Below `src`, e.g. `push/journey.ts`. */
  readonly path: string;
  readonly folder: string;
  /** Without comments and without the text of strings. */
  readonly code: string;
  /** Imported modules; those of the project as paths below `src`. */
  readonly imports: readonly string[];
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map(readSource);

function readSource(path: string): SourceFile {
  const source = withoutComments(readFileSync(join(SRC, path), 'utf8'));
  const specifiers = [...source.matchAll(/\b(?:from|import)\s*\(?\s*(['"])([^'"]+)\1/g)].map(
    (match) => match[2] ?? '',
  );
  const imports = specifiers.map((specifier) =>
    specifier.startsWith('.') ? relative(SRC, join(SRC, dirname(path), specifier)) : specifier,
  );
  const folder = path.split('/')[0] ?? '';
  return { path, folder: folder.endsWith('.ts') ? 'main' : folder, code: withoutStrings(source), imports };
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/[^\n]*/g, '');
}

function withoutStrings(source: string): string {
  return source.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
}

const DOMAIN = ['registry', 'push', 'lane', 'offline', 'cpm', 'mail'] as const;
const PURE = ['kernel', 'protocols', ...DOMAIN] as const;
const ADAPTERS = ['endpoints', 'bearers', 'peers', 'stores', 'queues'] as const;
const INNER = ['kernel', 'protocols', ...DOMAIN];

/** Folder → the other folders that it may import, and why no more. */
const MAY_IMPORT: Readonly<Record<string, { readonly folders: readonly string[]; readonly reason: string }>> =
  {
    kernel: { folders: [], reason: 'everything stands on it, so it stands on nothing' },
    protocols: { folders: ['kernel'], reason: 'codecs are tested by vectors and used on both sides' },
    config: { folders: ['kernel'], reason: 'settings are read before anything that they set' },
    telemetry: { folders: ['kernel'], reason: 'whoever tells what happens must not depend on what it tells' },
    registry: {
      folders: ['kernel', 'protocols'],
      reason: 'who can be reached does not depend on what is sent',
    },
    lane: {
      folders: ['kernel', 'protocols', 'registry'],
      reason: 'it carries cargo of several systems and knows none',
    },
    push: {
      folders: ['kernel', 'protocols', 'registry', 'lane'],
      reason: 'systems meet each other only through ports',
    },
    offline: {
      folders: ['kernel', 'protocols', 'registry', 'lane'],
      reason: 'systems meet each other only through ports',
    },
    cpm: {
      folders: ['kernel', 'protocols', 'registry', 'lane'],
      reason: 'systems meet each other only through ports',
    },
    mail: {
      folders: ['kernel', 'protocols', 'registry', 'lane'],
      reason: 'systems meet each other only through ports',
    },
    transports: { folders: INNER, reason: 'stacks are shared by those who call us and those whom we call' },
    terminal: {
      folders: ['kernel', 'protocols', 'registry', 'transports'],
      reason: 'the reference terminal is a peer of the gateway and must not share its inside',
    },
    ...Object.fromEntries(
      ADAPTERS.map((adapter) => [
        adapter,
        {
          folders: [...INNER, 'transports', 'config', 'telemetry'],
          reason: 'adapters are replaced one at a time, so none knows another',
        },
      ]),
    ),
    app: {
      folders: [...INNER, ...ADAPTERS, 'transports', 'config', 'telemetry', 'terminal'],
      reason: 'it wires everything and is itself used by the entry point only',
    },
    main: { folders: ['app'], reason: 'the entry point runs the command line and nothing else' },
  };

describe('folders', () => {
  it('are all known to this test', () => {
    expect(files.map(({ folder }) => folder).filter((folder) => MAY_IMPORT[folder] === undefined)).toEqual(
      [],
    );
  });

  it.each(Object.entries(MAY_IMPORT))('%s imports no other than it may', (folder, { folders, reason }) => {
    const broken = files
      .filter((file) => file.folder === folder)
      .flatMap(({ path, imports }) =>
        imports
          .filter((target) => isOurs(target) && ![folder, ...folders].includes(folderOf(target)))
          .map((target) => `${path} imports ${target}`),
      );
    expect(broken, reason).toEqual([]);
  });
});

describe('files', () => {
  it('never import each other in a circle, types included', () => {
    const importsOf = new Map(
      files.map(({ path, imports }) => [path, imports.map((target) => target.replace(/\.js$/, '.ts'))]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, way: readonly string[]): void => {
      const start = way.indexOf(path);
      if (start >= 0) circles.push([...way.slice(start), path].join(' → '));
      if (start >= 0 || done.has(path)) return;
      for (const target of importsOf.get(path) ?? []) visit(target, [...way, path]);
      done.add(path);
    };
    for (const { path } of files) visit(path, []);
    expect(circles, 'what is read in a circle has no place to begin').toEqual([]);
  });
});

/** Library → the folders that may import it, and why. */
const LIBRARIES: readonly { library: RegExp; name: string; folders: readonly string[]; reason: string }[] = [
  { name: 'koa', library: /^(?:koa|@koa\/.*)$/, folders: ['endpoints'], reason: 'one place to upgrade' },
  {
    name: 'sip.js',
    library: /^sip\.js(?:\/|$)/,
    folders: ['transports'],
    reason: 'behind the SipStack seam',
  },
  {
    name: 'ioredis',
    library: /^ioredis$/,
    folders: ['stores', 'queues'],
    reason: 'the truth is kept in two places',
  },
  {
    name: 'bullmq',
    library: /^bullmq$/,
    folders: ['queues'],
    reason: 'it is the alarm clock, not the truth',
  },
  { name: 'pino', library: /^pino$/, folders: ['telemetry'], reason: 'others get a plain function' },
  {
    name: 'prom-client',
    library: /^prom-client$/,
    folders: ['telemetry'],
    reason: 'metric names stand in one file',
  },
  { name: 'yaml', library: /^yaml$/, folders: ['config'], reason: 'only the configuration is YAML' },
  {
    name: 'commander',
    library: /^commander$/,
    folders: ['app'],
    reason: 'only the command line has options',
  },
  {
    name: 'an XML library',
    library: /^(?:fast-xml-parser|libxml2-wasm)$/,
    folders: ['protocols'],
    reason: 'bytes become values in codecs only',
  },
  {
    name: 'zod',
    library: /^zod$/,
    folders: ['config', 'registry', 'endpoints'],
    reason: 'shapes are checked where values enter',
  },
];

describe('libraries', () => {
  it.each(LIBRARIES)('$name is imported where it belongs', ({ library, folders, reason }) => {
    const broken = files.filter(
      ({ folder, imports }) => !folders.includes(folder) && imports.some((name) => library.test(name)),
    );
    expect(
      broken.map(({ path }) => path),
      reason,
    ).toEqual([]);
  });

  it('of Node stay out of the pure folders, but for octets and digests', () => {
    const allowed = ['node:buffer', 'node:crypto'];
    const broken = filesIn(PURE).flatMap(({ path, imports }) =>
      imports
        .filter((name) => name.startsWith('node:') && !allowed.includes(name))
        .map((name) => `${path} imports ${name}`),
    );
    expect(broken, 'the rules outlive sockets and files').toEqual([]);
  });
});

/** What a folder must not mention, and why. */
const FORBIDDEN_CODE: readonly { what: string; code: RegExp; folders: readonly string[]; reason: string }[] =
  [
    {
      what: 'the time',
      code: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.|\bprocess\.hrtime\b/,
      folders: PURE,
      reason: 'tests control time',
    },
    {
      what: 'timers',
      code: /\b(?:setTimeout|setInterval|setImmediate)\b/,
      folders: PURE,
      reason: 'tests control time',
    },
    {
      what: 'chance',
      code: /\bMath\.random\b|\bgetRandomValues\b|\bimport\s*\{[^}]*\brandom(?:Bytes|UUID|Int)\b[^}]*\}/,
      folders: PURE,
      reason: 'tests control chance',
    },
    {
      what: 'the console',
      code: /\bconsole\./,
      folders: [...PURE, ...ADAPTERS, 'transports', 'config', 'telemetry', 'app'],
      reason: 'what happens is told through the log',
    },
    {
      what: 'the process',
      code: /\bprocess\.(?!emitWarning)/,
      folders: PURE,
      reason: 'a codec or a rule does not know where it runs',
    },
  ];

describe('pure folders', () => {
  it.each(FORBIDDEN_CODE)('do not use $what', ({ code, folders, reason }) => {
    const broken = filesIn(folders).filter((file) => code.test(file.code));
    expect(
      broken.map(({ path }) => path),
      reason,
    ).toEqual([]);
  });
});

describe('the environment', () => {
  it('is read in config only', () => {
    const broken = files.filter(({ folder, code }) => folder !== 'config' && /\bprocess\.env\b/.test(code));
    expect(
      broken.map(({ path }) => path),
      'one list of every setting',
    ).toEqual([]);
  });
});

describe('every file', () => {
  it('says at its top what it is', () => {
    const silent = files.filter(({ path }) => {
      const text = readFileSync(join(SRC, path), 'utf8').replace(/^#!.*\n/, '');
      return !/^\s*(?:import [^;]*;\s*)*\/[*/]/.test(text);
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });
});

function filesIn(folders: readonly string[]): SourceFile[] {
  return files.filter(({ folder }) => folders.includes(folder));
}

function isOurs(target: string): boolean {
  return (
    /\.js(?:on)?$/.test(target) && !target.startsWith('..') && MAY_IMPORT[folderOf(target)] !== undefined
  );
}

function folderOf(target: string): string {
  return target.includes('/') ? (target.split('/')[0] ?? '') : 'main';
}
