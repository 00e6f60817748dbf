import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inState, logFile } from '../../engines/directory.ts';
import { BenchFailure } from './failure.ts';

/** Starting, and a drain that the APIs were asked for, may take this long. Milliseconds. */
const PATIENCE = 60_000;
const STOP = 25_000;

export interface Apis {
  baseUrl: string;
  /** They serve /live. */
  live: boolean;
  pid: number;
  /** How they ended, if they did so unasked. */
  ended(): string | undefined;
  stop(): Promise<void>;
  /** Lets them run on after this program. */
  leave(): void;
}

/**
 * Heap of a process that answers requests. Left alone, V8 lets the young generation grow to 128 MiB, more than a cache holds,
 * and the old one until the machine is full; requests leave little behind (docs/performance.md). MiB. Also in `npm start` and the
 * Dockerfile.
 */
const HEAP = ['--max-semi-space-size=16', '--max-old-space-size=256'];

/**
 * What a run has that its environment leaves open: where there is more than one core, relaying and consuming get a process of
 * their own, as they have pods of their own in a cluster. One event loop for all would have answers wait behind batches.
 */
export const environmentOfApis = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...environment,
  ONRUSH_BACKGROUND: environment.ONRUSH_BACKGROUND || (availableParallelism() > 1 ? 'apart' : 'within'),
});

/**
 * Starts all three APIs and their workers as `npm start` does, but with carts that are kept after an order, and waits
 * until they are ready. They get a process group of their own: Ctrl-C reaches them through `stop` only.
 * @param directory the checkout whose program it is.
 * @throws BenchFailure
 */
export async function startApis(port: number, directory = '.'): Promise<Apis> {
  await assertFree(port);
  const log = logFile('apis');
  mkdirSync(dirname(log), { recursive: true });
  const out = openSync(log, 'w');
  // The live page costs nothing until somebody opens it.
  const live = process.env.ONRUSH_LIVE || 'on';
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...HEAP, 'services/main.ts'], {
    stdio: ['ignore', out, out],
    cwd: directory,
    // What a process keeps goes to this checkout's directory wherever its program lies: traces would else be files in the
    // one and lines of log in the other.
    env: {
      ...environmentOfApis(process.env),
      ONRUSH_DIR: inState(),
      PORT: String(port),
      AUTH: 'off',
      ONRUSH_CART_AFTER_ORDER: 'keep',
      ONRUSH_LIVE: live,
    },
    detached: true,
  });
  closeSync(out);
  let end: string | undefined;
  child.on('error', (error) => {
    end = error.message;
  });
  child.on('exit', (code, signal) => {
    end = signal ? `ended by ${signal}` : `ended with code ${code}`;
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  try {
    await untilReady(baseUrl, () => end);
  } catch (error) {
    await stop(child, () => end);
    throw new BenchFailure(`the APIs did not start: ${(error as Error).message}; ${log} ends:\n${lastLines(log)}`);
  }
  return {
    baseUrl,
    live: live === 'on',
    pid: child.pid ?? 0,
    ended: () => end,
    stop: () => stop(child, () => end),
    leave: () => child.unref(),
  };
}

async function assertFree(port: number): Promise<void> {
  const inUse = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)));
  });
  if (inUse)
    throw new BenchFailure(
      `port ${port} is in use: set PORT to a free one, or judge what runs there with --base-url http://127.0.0.1:${port}`,
    );
}

async function untilReady(baseUrl: string, ended: () => string | undefined): Promise<void> {
  for (const until = Date.now() + PATIENCE; ; ) {
    const end = ended();
    if (end) throw new Error(end);
    const ready = await fetch(`${baseUrl}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    if (Date.now() > until) throw new Error(`${baseUrl}/health/ready was not 200 within ${PATIENCE / 1000} s`);
    await sleep(100);
  }
}

async function stop(child: ChildProcess, ended: () => string | undefined): Promise<void> {
  if (ended() !== undefined) return;
  child.kill('SIGTERM');
  for (const until = Date.now() + STOP; ended() === undefined; await sleep(50)) {
    if (Date.now() > until) child.kill('SIGKILL');
  }
}

const lastLines = (path: string): string => readFileSync(path, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
