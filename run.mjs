// Starts a TypeScript program of this repository: `node run.mjs engines/up.ts [arguments]`.
// Runs on any Node from 20 on; installs the locked packages first where they are missing, then goes on under the
// Node 24 that comes with them, so that nothing has to be set up beforehand.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const [program, ...args] = process.argv.slice(2);
if (!program) {
  console.error('usage: node run.mjs PROGRAM.ts [arguments]');
  process.exit(2);
}

/** The packages are installed if npm's own record of what it installed agrees with the lockfile. */
function packagesInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  );
}

if (!packagesInstalled()) {
  console.error('npm ci: installing the locked packages into node_modules');
  const installed = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (installed.status !== 0) {
    console.error('npm ci failed: see above');
    process.exit(2);
  }
}

const node = join(root, 'node_modules', 'node', 'bin', 'node');
if (!existsSync(node)) {
  console.error(`${node} is missing: the package "node" could not run its install script; try: npm rebuild node`);
  process.exit(2);
}
// What `npm run up` found or started; a variable that is set already is left alone.
const endpoints = resolve(root, process.env.ONRUSH_DIR || '.onrush', 'engines.env');
const child = spawn(
  node,
  [
    '--disable-warning=ExperimentalWarning',
    ...(existsSync(endpoints) ? [`--env-file=${endpoints}`] : []),
    program,
    ...args,
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` } },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
