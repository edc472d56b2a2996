/** What a fresh clone depends on: a lock file that installs anywhere, settings that npm knows. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const at = (path: string) => new URL(`../../${path}`, import.meta.url);
const read = (path: string) => readFileSync(at(path), 'utf8');

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const manifest = JSON.parse(read('package.json'));
const lock: Record<string, LockedPackage> = JSON.parse(read('package-lock.json')).packages;
const locked = Object.entries(lock).filter(([path]) => path !== '');

describe('the lock file', () => {
  it('names no registry, so that every registry serves', () => {
    expect(locked.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  });

  it('holds a digest for every package', () => {
    expect(locked.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([]);
  });

  it('is made from package.json as it is', () => {
    const { dependencies, devDependencies } = lock[''] ?? {};
    expect({ dependencies, devDependencies }).toEqual({
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    });
  });

  it('holds no package with an install script that has not been decided on', () => {
    const named = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const undecided = locked
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => named(path))
      .filter((name) => manifest.allowScripts[name] === undefined && name !== 'fsevents');
    expect(undecided).toEqual([]);
  });
});

describe('.npmrc', () => {
  it('sets only what every npm from 10 on knows', () => {
    const keys = read('.npmrc')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('=')[0]);
    expect(keys.sort()).toEqual(['audit', 'fund', 'omit-lockfile-registry-resolved', 'update-notifier']);
  });
});

describe('package.json', () => {
  it('asks for the Node that the documentation names', () => {
    expect(manifest.engines.node).toBe('>=20.19');
    expect(read('CONTRIBUTING.md')).toContain('Node 20.19 or later');
  });
});

describe('scripts', () => {
  /** What they take from the built gateway, where no compiler looks: `const { a, b } = await load('folder/file.js')`. */
  const loaded = readdirSync(at('scripts'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.mjs'))
    .flatMap((file) =>
      [
        ...read(`scripts/${file}`).matchAll(/const \{ ([\w, ]+) \} = await load\('([\w./-]+)\.js'\)/g),
      ].flatMap(([, names = '', module = '']) =>
        names.split(', ').map((name) => [file, name, module] as const),
      ),
    );

  it('are seen to take something', () => {
    expect(loaded.map(([file]) => file)).toEqual(expect.arrayContaining(['config-reference.mjs']));
    expect(loaded.map(([file]) => file)).toEqual(
      expect.arrayContaining([expect.stringMatching('terminals')]),
    );
  });

  it.each(loaded)('%s takes %s from %s, which has it', async (_, name, module) => {
    const path = module.includes('/') ? module : `config/${module}`;
    expect(Object.keys(await import(at(`src/${path}.ts`).pathname))).toContain(name);
  });
});
