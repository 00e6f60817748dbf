import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { inState } from '../../engines/directory.ts';
import { up } from '../../engines/up.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { describeMachine } from '../bench/machine.ts';
import { figure } from '../report/format.ts';
import { idOf, type LabArguments, parseLabArguments, USAGE } from './arguments.ts';
import { outcomeOf } from './outcome.ts';
import { openPlace } from './place.ts';
import { type Round, runRound } from './round.ts';
import { STRATEGIES, type Strategy } from './strategies.ts';
import { type LabResults, labMarkdown, labText } from './table.ts';

/** Each process gets so long to warm up. Seconds. */
const WARMUP = 1;

/** Runs the strategies in turn, as many rounds as were asked for: what the machine does meanwhile falls on all of them. */
async function lab({ strategies, seconds, rounds, users }: LabArguments): Promise<LabResults> {
  const began = new Date();
  const { mysql, redis, kafka } = await up();
  const place = await openPlace({ DATABASE_URL: mysql.url, REDIS_URL: redis.url, KAFKA_BROKERS: kafka.brokers });
  const found = new Map<Strategy, Round[]>(strategies.map((strategy) => [strategy, []]));
  try {
    for (let round = 1; round <= rounds; round++)
      for (const strategy of strategies) {
        const result = await runRound(place, strategy, { warmup: WARMUP, seconds }, users);
        found.get(strategy)?.push(result);
        const { tps, p95, verdict, red } = result;
        console.error(
          `round ${round} of ${rounds}  ${idOf(strategy).padEnd(24)}${figure(tps).padStart(8)}/s  p95 ${figure(p95)} ms  ${verdict} ${red.join(', ')}`,
        );
      }
  } finally {
    await place.close();
  }
  return {
    startedAt: began.toISOString(),
    seconds,
    rounds,
    machine: describeMachine('Node.js clients', { workers: 1, background: 'within' }),
    engines: [mysql, redis, kafka].map(({ version }) => version),
    outcomes: strategies.map((strategy) => outcomeOf(strategy, found.get(strategy) ?? [])),
  };
}

/** results.json and table.md in a directory of this run, which `latest` beside it then points to. */
function write(results: LabResults): string {
  const all = inState('results', 'lab');
  const directory = join(all, results.startedAt.replace(/[:.]/g, '-'));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(directory, 'table.md'), `${labMarkdown(results)}\n`);
  const latest = join(all, 'latest');
  rmSync(latest, { force: true });
  symlinkSync(basename(directory), latest);
  return directory;
}

runAsProgram('loadtests/lab/lab.ts', async () => {
  const given = parseLabArguments(process.argv.slice(2));
  if (given === 'help') {
    console.log(USAGE);
    return;
  }
  if (given === 'list') {
    for (const strategy of STRATEGIES)
      console.log(`${idOf(strategy).padEnd(26)}${strategy.title}${strategy.breaks.length > 0 ? ' (broken)' : ''}`);
    return;
  }
  const results = await lab(given);
  console.log(labText(results));
  console.error(`results: ${relative(process.cwd(), write(results))}`);
  if (results.outcomes.some(({ asExpected }) => !asExpected)) process.exitCode = 1;
});
