import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that a process has used so far, all of its threads together, by the kernel's own count. Microseconds. */
export function cpuMicroseconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // A thread that has ended since the list was read.
    }
  }
  return nanoseconds / 1000;
}
