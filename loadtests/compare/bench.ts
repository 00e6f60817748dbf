import { readFileSync } from 'node:fs';
import { findWrk } from '../../engines/wrk.ts';
import { parseConfig } from '../../services/core/config.ts';
import type { BenchArguments } from '../bench/arguments.ts';
import { Clients } from '../bench/clients.ts';
import { COUPON, seedData, startEngines, verifyAll } from '../bench/prepare.ts';
import { Progress } from '../bench/progress.ts';
import { EXIT_CODES, judge } from '../bench/verdict.ts';
import { parseSlo } from '../k6/lib/slo.ts';
import { openStack } from '../verify/stack.ts';
import { checkOut, commitOf, ownCommit } from './checkout.ts';
import { comparePrograms, usersFor } from './compare.ts';
import { lastCommit, readLedger } from './ledger.ts';
import { comparisonText } from './table.ts';

/**
 * Runs another commit's program and this one in turn, judges rate and CPU of each write, and has the verifier judge what both
 * left behind. Returns the exit code: 1 for a loss or a violated invariant, 2 where nothing could be judged.
 */
export async function benchCompare(
  given: BenchArguments,
  against: NonNullable<BenchArguments['compare']>,
  interrupted: AbortSignal,
): Promise<number> {
  const progress = new Progress(process.stderr);
  const say = (line: string) => progress.say(line);
  const reference = commitOf(typeof against === 'string' ? against : lastCommit(readLedger()));
  const trees = { reference: checkOut(reference), changed: '.' };
  const slo = parseSlo(readFileSync('loadtests/slo.yaml', 'utf8'));
  const wrk = await findWrk();
  await startEngines(given, say);
  const config = parseConfig(process.env);
  await seedData(config, usersFor(given.scenarios, given.repeat), say);
  const stack = await openStack(config);
  try {
    const before = await stack.before();
    const clients = new Clients();
    const run = { wrk, slo, stack, clients, progress, interrupted };
    const comparisons = await comparePrograms(trees, given.scenarios, given.repeat, config.port, run);
    if (interrupted.aborted) return EXIT_CODES.INCONCLUSIVE;
    const { verdict, reasons } = judge([], await verifyAll(config, clients.figures(before, COUPON), say), {
      failed: [],
      open: [],
    });
    console.log(comparisonText(reference, ownCommit(), comparisons));
    for (const reason of reasons) console.log(`- ${reason}`);
    console.log(`verdict: ${verdict}`);
    return comparisons.some(({ result }) => result === 'loss') ? EXIT_CODES.FAIL : EXIT_CODES[verdict];
  } finally {
    await stack.close();
  }
}
