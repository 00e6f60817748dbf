import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { BareExpress } from '../report/results.ts';
import { cpuSeconds } from './processors.ts';
import { runWrk, type WrkLoad } from './wrk.ts';

/** Seconds. */
const WARM_UP = 2;

/**
 * What bare Express makes of this load: answers a second, and CPU of its process for each.
 * @throws Error if wrk told nothing or an answer was no success.
 */
export async function measureBare(
  wrk: string,
  load: WrkLoad,
  env: Record<string, string>,
  seconds: number,
  signal: AbortSignal,
): Promise<Pick<BareExpress, 'perSecond' | 'microsecondsPerRequest'>> {
  const server = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'loadtests/raw/bare-express.ts'],
    // What Express itself asks for in production; nothing else is set.
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_ENV: 'production' } },
  );
  try {
    const ended = once(server, 'exit').then(([code]) => Promise.reject(new Error(`bare Express ended with ${code}`)));
    const [port] = (await Promise.race([once(createInterface(server.stdout), 'line'), ended])) as [string];
    ended.catch(() => {});
    const BASE_URL = `http://127.0.0.1:${port}`;
    // The APIs serve all rounds from one process: the compiler's work is no part of what is compared.
    await runWrk(wrk, load, { ...env, BASE_URL }, WARM_UP, signal, () => {});
    const before = cpuSeconds(server.pid as number) ?? Number.NaN;
    const { summary, crash } = await runWrk(wrk, load, { ...env, BASE_URL }, seconds, signal, () => {});
    const used = (cpuSeconds(server.pid as number) ?? Number.NaN) - before;
    const [request] = Object.values(summary?.requests ?? {});
    if (!summary || crash || !request || request.failed > 0) throw new Error(`bare Express: ${crash ?? 'no answers'}`);
    return { perSecond: request.perSecond, microsecondsPerRequest: (used / request.count) * 1e6 };
  } finally {
    server.kill();
  }
}
