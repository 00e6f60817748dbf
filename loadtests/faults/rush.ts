import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { labels } from '../../engines/engines.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { parseSlo } from '../k6/lib/slo.ts';
import { parseArguments, perSecond, type RushArguments, USAGE } from './arguments.ts';
import { type EngineSet, startEngineSet } from './engine-set.ts';
import { type Judgement, judge } from './judge.ts';
import { MATRIX_SECONDS, type MatrixRow, matrixFaults, matrixTable } from './matrix.ts';
import { type RunOptions, run } from './run.ts';
import { summary } from './summary.ts';
import { openTimeline } from './timeline.ts';

const EXIT_CODES = { PASS: 0, FAIL: 1, INCONCLUSIVE: 2 } as const;
/** What the services take by default. Milliseconds. */
const REQUEST_TIMEOUT = 5_000;
/** Each order takes 30,000 of a wallet's 1,000,000 won, and a wallet is charged now and then. */
const ORDERS_OF_A_USER = 20;

const slo = parseSlo(readFileSync('loadtests/slo.yaml', 'utf8'));
const say = (line: string) => console.log(line);

runAsProgram('loadtests/faults/rush.ts', async () => {
  const given = parseArguments(process.argv.slice(2));
  if (given === 'help') {
    console.log(USAGE);
    return;
  }
  console.error('starting engines of the fault runs’ own in .onrush/faults');
  const engines = await startEngineSet();
  let verdict: Judgement['verdict'];
  try {
    verdict = given.matrix === undefined ? await once(engines, given) : await matrix(engines, given, given.matrix);
  } finally {
    await engines.stop();
  }
  process.exit(EXIT_CODES[verdict]);
});

function optionsFor({ faults, seconds, rates, processes }: Omit<RushArguments, 'matrix'>): RunOptions {
  const timeline = openTimeline(say);
  return {
    faults,
    seconds,
    rates,
    processes,
    users: Math.max(500, Math.ceil((rates.coupon * seconds * 11) / 10), (rates.order * seconds) / ORDERS_OF_A_USER),
    // A tenth of those who ask find it sold out.
    coupons: Math.ceil(rates.coupon * seconds * 0.8),
    requestTimeoutMs: REQUEST_TIMEOUT,
    onFault: timeline.fault,
    onSample: timeline.second,
  };
}

async function once(engines: EngineSet, given: RushArguments): Promise<Judgement['verdict']> {
  say(
    `${perSecond(given.rates)} for ${given.seconds} s; ✗ counts answers that are neither success nor a rule’s refusal`,
  );
  const result = await run(engines, optionsFor(given));
  const judgement = judge(result, REQUEST_TIMEOUT, slo);
  say(summary(result, judgement));
  return judgement.verdict;
}

async function matrix(engines: EngineSet, given: RushArguments, file: string): Promise<Judgement['verdict']> {
  const rows: MatrixRow[] = [];
  const verdicts: Judgement['verdict'][] = [];
  for (const fault of matrixFaults()) {
    say(`\n== ${labels[fault.engine]}: ${fault.kind}`);
    const result = await run(engines, optionsFor({ ...given, faults: [fault], seconds: MATRIX_SECONDS }));
    const judgement = judge(result, REQUEST_TIMEOUT, slo);
    say(summary(result, judgement));
    rows.push({ fault, result });
    verdicts.push(judgement.verdict);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${matrixTable(rows, REQUEST_TIMEOUT, slo)}\n`);
  }
  const worst = (['FAIL', 'INCONCLUSIVE', 'PASS'] as const).find((one) => verdicts.includes(one)) ?? 'INCONCLUSIVE';
  say(`\n${file}: ${rows.length} runs\nverdict: ${worst}`);
  return worst;
}
