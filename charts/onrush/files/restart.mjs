// In development: runs services/main.ts, and again when a file under services/ changed. Watches directories, because
// `node --watch` loses a file that is replaced, as skaffold's tar does. A program that ends by itself waits for a change.
import { spawn } from 'node:child_process';
import { readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

const root = '/app/services';
const watched = new Set();
let child;
let stopping = false;
let timer;

function watchAll() {
  const inside = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const path of [root, ...inside.map((entry) => join(entry.parentPath, entry.name))]) {
    if (watched.has(path)) continue;
    watched.add(path);
    const watcher = watch(path, () => {
      clearTimeout(timer);
      timer = setTimeout(restart, 100);
    });
    watcher.on('error', () => watched.delete(path));
  }
}

function start() {
  // With what is compiled already, a start takes half of its CPU; all pods start again at once.
  const env = { ...process.env, NODE_COMPILE_CACHE: '/tmp/compiled' };
  child = spawn(process.execPath, ['services/main.ts'], { stdio: 'inherit', env });
  child.on('exit', (code) => {
    child = undefined;
    if (stopping) process.exit(code ?? 0);
    if (code !== 0) console.log(`ended with ${code}; waiting for a change`);
  });
}

function restart() {
  watchAll();
  console.log('code changed: starting again');
  if (!child) start();
  else {
    child.removeAllListeners('exit');
    child.on('exit', start);
    child.kill('SIGTERM');
  }
}

for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, () => {
    stopping = true;
    if (!child) process.exit(0);
    child.removeAllListeners('exit');
    child.on('exit', (code) => process.exit(code ?? 0));
    child.kill('SIGTERM');
  });
watchAll();
start();
