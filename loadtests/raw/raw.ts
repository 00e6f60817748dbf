import { findSysbench } from '../../engines/sysbench.ts';
import { parseConfig } from '../../services/core/config.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { createRawDatabase } from './database.ts';
import type { RawLoad, RawRun } from './load.ts';
import { LOOP_CONNECTIONS, runLoop } from './loop.ts';
import { runSysbench } from './sysbench.ts';

/** Clients of the engine at once: few, as many as a sane pool has; many, as many as there are virtual users. */
const SYSBENCH_THREADS = [16, 64, 100];

/** The engine's own pace with this load, by every means there is. Each run lasts `seconds`. */
export async function measureRaw(
  sysbench: string | undefined,
  databaseUrl: string,
  load: RawLoad,
  seconds: number,
  interrupted: AbortSignal,
  onRun: (label: string) => void,
): Promise<RawRun[]> {
  const runs: RawRun[] = [];
  for (const threads of sysbench ? SYSBENCH_THREADS : []) {
    if (interrupted.aborted) return runs;
    const label = `sysbench, ${threads} threads`;
    onRun(label);
    runs.push({ label, perSecond: await runSysbench(sysbench as string, databaseUrl, load, threads, seconds) });
  }
  if (interrupted.aborted) return runs;
  const label = `mysql2 loop, ${LOOP_CONNECTIONS} connections`;
  onRun(label);
  runs.push({ label, perSecond: await runLoop(databaseUrl, load, seconds) });
  return runs;
}

// node run.mjs loadtests/raw/raw.ts [seconds]: the ceilings alone.
runAsProgram('loadtests/raw/raw.ts', async () => {
  const seconds = Number(process.argv[2] ?? 10);
  const { databaseUrl } = parseConfig(process.env);
  const sysbench = await findSysbench();
  const database = await createRawDatabase(databaseUrl);
  try {
    for (const load of [
      { kind: 'charge', users: 10 },
      { kind: 'charge', users: 10_000 },
      { kind: 'order', users: 10_000 },
    ] satisfies RawLoad[])
      for (const { label, perSecond } of await measureRaw(
        sysbench,
        database.url,
        load,
        seconds,
        new AbortController().signal,
        () => {},
      ))
        console.log(`${load.kind} on ${load.users} users, ${label}: ${perSecond.toFixed(0)}/s`);
  } finally {
    await database.drop();
  }
});
