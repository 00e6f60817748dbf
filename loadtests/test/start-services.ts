import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

export interface Started {
  url: string;
  child: ChildProcess;
  /** Resolves when the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts services/main.ts, or another program and its arguments, on a free port, unless `env` names one, and waits until
 * it is ready. Its log goes to .onrush/log/NAME.log.
 * @param root of the program: the checkout that is the process's directory.
 */
export async function startServices(
  env: Record<string, string>,
  name: string,
  [program, ...args]: [string, ...string[]] = ['services/main.ts'],
  root = '.',
): Promise<Started> {
  const port = Number(env.PORT) || (await freePort());
  const state = resolve(process.env.ONRUSH_DIR ?? '.onrush');
  const directory = join(state, 'log');
  mkdirSync(directory, { recursive: true });
  const log = openSync(join(directory, `${name}.log`), 'w');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', resolve(root, program), ...args], {
    cwd: root,
    // Whatever it keeps goes to this checkout's directory, wherever its program lies.
    env: { ...process.env, ONRUSH_DIR: state, ...env, PORT: String(port) },
    stdio: ['ignore', log, log],
  });
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  const url = `http://127.0.0.1:${port}`;
  const until = Date.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`the services ended at start (${child.exitCode}): see ${directory}/${name}.log`);
    if (Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`the services were not ready within 60 s: see ${directory}/${name}.log`);
    }
    const ready = await fetch(`${url}/health/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) break;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  return {
    url,
    child,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
