import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { labels } from '../../engines/engines.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { parseSlo } from '../k6/lib/slo.ts';
import { parseArguments, perSecond, type RushArguments, USAGE } from './arguments.ts';
import { type EngineSet, startEngineSet } from './engine-set.ts';
import { FaultFailure } from './failure.ts';
import type { Fault } from './fault.ts';
import { type Judgement, judge } from './judge.ts';
import { MATRIX_SECONDS, type MatrixRow, matrixFaults, matrixTable } from './matrix.ts';
import { type RunOptions, run } from './run.ts';
import { openScene, type SceneOptions } from './scene.ts';
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
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
  const engines = await startEngineSet();
  let verdict: Judgement['verdict'];
  try {
    if (interrupt.signal.aborted) throw new FaultFailure('interrupted while the engines started');
    verdict =
      given.matrix === undefined
        ? await once(engines, given, interrupt.signal)
        : await matrix(engines, given, given.matrix, interrupt.signal);
  } finally {
    await engines.stop();
  }
  process.exit(EXIT_CODES[verdict]);
});

const sceneFor = ({ seconds, rates, processes, faults }: RushArguments): SceneOptions => ({
  users: Math.max(500, rates.coupon * seconds, (rates.order * seconds) / ORDERS_OF_A_USER),
  processes,
  requestTimeoutMs: REQUEST_TIMEOUT,
  replica: faults.some(({ kind }) => kind === 'failover'),
});

function optionsFor(
  faults: Fault[],
  seconds: number,
  rates: RushArguments['rates'],
  interrupted: AbortSignal,
): RunOptions {
  const timeline = openTimeline(say);
  return {
    faults,
    seconds,
    rates,
    // A tenth of those who ask find it sold out.
    coupons: Math.ceil(rates.coupon * seconds * 0.8),
    interrupted,
    onFault: timeline.fault,
    onSample: timeline.second,
  };
}

async function once(engines: EngineSet, given: RushArguments, interrupted: AbortSignal) {
  const scene = await openScene(engines, sceneFor(given));
  try {
    const { faults, seconds, rates } = given;
    say(`${perSecond(rates)} for ${seconds} s; ✗ counts answers that are neither success nor a rule’s refusal`);
    const result = await run(scene, optionsFor(faults, seconds, rates, interrupted));
    const judgement = judge(result, REQUEST_TIMEOUT, slo);
    say(summary(result, judgement));
    return judgement.verdict;
  } finally {
    await scene.close();
  }
}

async function matrix(engines: EngineSet, given: RushArguments, file: string, interrupted: AbortSignal) {
  const rows: MatrixRow[] = [];
  const scene = await openScene(engines, sceneFor({ ...given, seconds: MATRIX_SECONDS * matrixFaults().length }));
  try {
    for (const fault of matrixFaults()) {
      say(`\n== ${labels[fault.engine]}: ${fault.kind}`);
      const result = await run(scene, optionsFor([fault], MATRIX_SECONDS, given.rates, interrupted));
      const judgement = judge(result, REQUEST_TIMEOUT, slo);
      say(summary(result, judgement));
      rows.push({ fault, result, judgement });
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${matrixTable(rows)}\n`);
    }
  } finally {
    await scene.close();
  }
  const verdicts = rows.map(({ judgement }) => judgement.verdict);
  const worst = (['FAIL', 'INCONCLUSIVE', 'PASS'] as const).find((one) => verdicts.includes(one)) ?? 'INCONCLUSIVE';
  say(`\n${file}: ${rows.length} runs\nverdict: ${worst}`);
  return worst;
}
