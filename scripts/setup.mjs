/**
 * The set-up that every command shares: the right Node, the dependencies of the lock file, a current build, the programs
 * that are needed. Plain Node without dependencies, because it runs before there are any. Does nothing that is done
 * already, says in one line what it does, and ends with one sentence when it cannot go on.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** sysexits: something that is needed is not there. */
const UNAVAILABLE = 69;

/** Ends the process with one sentence. */
export function stop(sentence, status = UNAVAILABLE) {
  process.stderr.write(`carillon: ${sentence}\n`);
  process.exit(status);
}

function say(line) {
  process.stderr.write(`carillon: ${line}\n`);
}

/** Node as recent as package.json asks for. */
export function checkNode() {
  const { engines } = readJson('package.json');
  const wanted = engines.node.replace('>=', '').split('.').map(Number);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= (wanted[1] ?? 0))) return;
  stop(`Node ${engines.node} is needed, this is ${process.versions.node}: see https://nodejs.org/.`);
}

/** `npm ci` when node_modules is not what the lock file says. */
export function installDependencies() {
  if (isInstalled()) return;
  say('installing dependencies (npm ci)');
  // Development dependencies are needed to build, whatever NODE_ENV says.
  const ci = [...npm(), 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // A registry that could not be reached for a moment is asked once more.
  if (tryRun(...ci) !== undefined) run(...ci);
}

/** Every package of the lock file is there in its version; packages for other platforms need not be. */
function isInstalled() {
  const installedFile = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = readJson('node_modules/.package-lock.json').packages;
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, { version, optional }]) =>
      path === '' || installed[path]?.version === version || (optional && installed[path] === undefined),
  );
}

/** The npm that runs us, or the one on the path. */
function npm() {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js') && existsSync(script) ? [process.execPath, script] : ['npm'];
}

/** Compiles `src` to `dist` when anything is newer than the last build. A failed build leaves the old one in place. */
export function build() {
  const builtAt = statSync(join(ROOT, 'dist/.built'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  if (builtAt > Math.max(...sources.map((name) => lastChange(join(ROOT, name))))) return;
  say('building');
  const fresh = join(ROOT, `dist.${process.pid}`);
  const startedAt = new Date();
  const failure = tryRun(
    process.execPath,
    bin('typescript', 'tsc'),
    '-p',
    'tsconfig.build.json',
    '--outDir',
    fresh,
  );
  if (failure === undefined) {
    copyOtherFiles(join(ROOT, 'src'), fresh);
    writeFileSync(join(fresh, '.built'), '');
    // Sources that change while they are compiled are newer than this.
    utimesSync(join(fresh, '.built'), startedAt, startedAt);
    replaceDirectory(join(ROOT, 'dist'), fresh);
  }
  rmSync(fresh, { recursive: true, force: true });
  if (failure !== undefined) stop(`the build failed (${failure}).`, 1);
}

/** Puts `fresh` in the place of `directory`, also while another build does the same. */
function replaceDirectory(directory, fresh) {
  const old = `${fresh}.old`;
  for (let isReplaced = false; !isReplaced; ) {
    rmSync(old, { recursive: true, force: true });
    try {
      if (existsSync(directory)) renameSync(directory, old);
      renameSync(fresh, directory);
      isReplaced = true;
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
    }
  }
  rmSync(old, { recursive: true, force: true });
}

/** What the compiler leaves behind: DTDs, tables and the like that are read at run time. */
function copyOtherFiles(from, to) {
  cpSync(from, to, {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || !/\.[cm]?tsx?$/.test(path),
  });
}

/** Time of the last change at or below a path; a directory changes when a file in it is added or removed. */
function lastChange(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => lastChange(join(path, name))));
}

/** Absolute path of a dependency's program, run with this Node: no shell, no npx. */
export function bin(packageName, name) {
  const manifest = readJson(`node_modules/${packageName}/package.json`);
  const path = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[name];
  return join(ROOT, 'node_modules', packageName, path);
}

/** A Redis for a gateway that is not pointed at one: installed when that is possible, else one sentence with the choices. */
export function ensureRedis() {
  if (isOnPath('redis-server') || isOnPath('valkey-server')) return;
  if (installPackages(['redis-server'])) return;
  stop(
    'there is no Redis. Set REDIS_URL (or redis.url) to one, or install redis-server (on Debian: apt-get install redis-server) so that the gateway can run its own.',
  );
}

/** Programs that tests talk to: program → Debian package. */
const TEST_PEERS = {
  'redis-server': 'redis-server',
  kamailio: 'kamailio',
  bearerbox: 'kannel',
  curl: 'curl',
  nginx: 'nginx-light',
  openssl: 'openssl',
  sipp: 'sip-tester',
  tshark: 'tshark',
  wbxml2xml: 'libwbxml2-utils',
};

/** Parts of such programs that Debian packs apart: file below a library directory → Debian package. */
const TEST_PEER_PARTS = {
  'kamailio/modules/outbound.so': 'kamailio-outbound-modules',
  'kamailio/modules/presence.so': 'kamailio-presence-modules',
  'kamailio/modules/tls.so': 'kamailio-tls-modules',
  'kamailio/modules/websocket.so': 'kamailio-websocket-modules',
  'kannel/test/fakewap': 'kannel-extras',
};

export function ensureTestPeers() {
  const programs = Object.keys(TEST_PEERS).filter((program) => !isOnPath(program));
  const parts = Object.keys(TEST_PEER_PARTS).filter((part) => !isInLibraries(part));
  const missing = [...programs, ...parts];
  if (missing.length === 0) return;
  const packages = missing.map((name) => TEST_PEERS[name] ?? TEST_PEER_PARTS[name]);
  if (installPackages(packages)) return;
  stop(
    `the tests need ${missing.join(', ')} (Debian packages ${packages.join(', ')}); "npm run check" does without.`,
  );
}

/** Installs Debian packages when this is root on a machine with apt. True when all are there afterwards. */
function installPackages(packages) {
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) return false;
  say(`installing ${packages.join(', ')} (apt-get)`);
  // No questions (tshark has one); and no service: a run level of 1 keeps the packages' own start scripts from starting one.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = () => apt(env, 'install', '-y', '--no-install-recommends', ...packages);
  const failure = withoutServices(packages, () => {
    if (install() === undefined) return undefined;
    apt(env, 'update'); // it may not get all lists, and still enough of them
    return install();
  });
  if (failure !== undefined) process.stderr.write(failure);
  return failure === undefined;
}

/** Undefined when it went well, else what it printed. */
function apt(env, ...args) {
  const options = ['DPkg::Lock::Timeout=120', 'Dpkg::Use-Pty=0', 'Acquire::Retries=3'];
  // It hands files on to a user without rights, and installs some for all.
  const umask = process.umask(0o022);
  const { status, stdout, stderr } = spawnSync(
    'apt-get',
    ['-qq', ...options.flatMap((option) => ['-o', option]), ...args],
    { env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  process.umask(umask);
  return status === 0 ? undefined : stdout + stderr;
}

/** Packages that bring a service: package → service. */
const SERVICES = {
  'redis-server': 'redis-server',
  kamailio: 'kamailio',
  kannel: 'kannel',
  'nginx-light': 'nginx',
};

/** On a machine that systemd runs, a freshly installed server would be started and enabled: we need the program only. */
function withoutServices(packages, install) {
  const units = packages.flatMap((name) => (name in SERVICES ? [`${SERVICES[name]}.service`] : []));
  if (units.length === 0 || !existsSync('/run/systemd/system')) return install();
  spawnSync('systemctl', ['mask', '--runtime', '--quiet', ...units]);
  try {
    return install();
  } finally {
    spawnSync('systemctl', ['unmask', '--runtime', '--quiet', ...units]);
    spawnSync('systemctl', ['disable', '--quiet', ...units]);
  }
}

/** Where programs are looked for: servers lie where the PATH of many users does not lead. */
function places() {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/local/bin', '/usr/bin', '/usr/sbin'];
}

/** For what we start, tests for instance: finds what `isOnPath` finds. */
export function completePath() {
  process.env.PATH = [...new Set(places())].filter((place) => place !== '').join(delimiter);
}

export function isOnPath(program) {
  return places().some((place) => {
    try {
      accessSync(join(place, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** True when the file is below one of the places where Debian and others keep libraries. */
function isInLibraries(path) {
  const places = ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/local/lib64'].filter(existsSync);
  const architectures = readdirSync('/usr/lib').filter((name) => name.includes('-linux-'));
  return [...places, ...architectures.map((name) => join('/usr/lib', name))].some((place) =>
    existsSync(join(place, path)),
  );
}

/** Runs a program in the project's directory with its output shown; ends the process with its status when it fails. */
export function run(command, ...args) {
  const failure = tryRun(command, ...args);
  if (failure !== undefined) stop(`${[command, ...args].join(' ')} failed (${failure}).`, 1);
}

/** The same, but returns how it failed; undefined when it did not. */
function tryRun(command, ...args) {
  const { status, error, signal } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status === 0) return undefined;
  return error?.message ?? signal ?? `exit status ${status}`;
}

/** All of it, for commands that run the gateway. */
export function setUp() {
  checkNode();
  installDependencies();
  build();
}

/** Runs a `carillon` command in this very process, so that signals and the exit status need no passing on. */
export async function runCarillon(...args) {
  const main = join(ROOT, 'dist/main.js');
  process.argv = [process.execPath, main, ...args];
  await import(pathToFileURL(main).href);
}

function readJson(path) {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
}
