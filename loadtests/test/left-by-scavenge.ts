import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that each round leaves on the heap where only a scavenge follows it. */
export async function leftByScavenge(rounds: number, work: (round: number) => void | Promise<void>): Promise<number[]> {
  setFlagsFromString('--expose-gc');
  const collect: (options: { type: 'minor' | 'major' }) => void = runInNewContext('gc');
  const left: number[] = [];
  for (let round = 0; round < rounds; round++) {
    collect({ type: 'major' });
    const before = process.memoryUsage().heapUsed;
    await work(round);
    collect({ type: 'minor' });
    left.push(process.memoryUsage().heapUsed - before);
  }
  return left;
}
