import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { runningPid } from '../../engines/native/daemon.ts';

/** CPU seconds that named processes have used so far, that all programs have, and that the machine was kept waiting for by its host. */
export interface Used {
  by: Record<string, number>;
  all: number;
  stolen: number;
}

/** Engines that run here as processes of ours; containers and other machines' cannot be told apart. */
export async function enginePids(): Promise<Record<string, number>> {
  const pids: Record<string, number> = {};
  for (const [label, name] of [
    ['MySQL', 'mysql'],
    ['Redis', 'redis'],
    ['Kafka', 'kafka'],
  ] as const) {
    const pid = await runningPid(name);
    if (pid !== undefined) pids[label] = pid;
  }
  return pids;
}

export function readProcessors(pids: Record<string, number>): Used {
  const by: Record<string, number> = {};
  for (const [label, pid] of Object.entries(pids)) {
    const seconds = cpuSeconds(pid);
    if (seconds !== undefined) by[label] = seconds;
  }
  const all = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
  return { by, all, stolen: stolenSeconds() };
}

/** What a virtual machine wanted to run and its host gave to others; 0 where that is not told. */
function stolenSeconds(): number {
  try {
    return Number(/^cpu +(?:\d+ +){7}(\d+)/.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0) / 100;
  } catch {
    return 0;
  }
}

/** User and system time of a process; Linux counts it in hundredths of a second, other systems do not say. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

/** Cores that each used between two readings; what began in between counts from zero. */
export function coresUsed(before: Used, after: Used, seconds: number): Used {
  const by = Object.fromEntries(
    Object.entries(after.by).map(([label, used]) => [label, (used - (before.by[label] ?? 0)) / seconds]),
  );
  return { by, all: (after.all - before.all) / seconds, stolen: (after.stolen - before.stolen) / seconds };
}
