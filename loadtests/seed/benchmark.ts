import { parseConfig } from '../../services/core/config.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { parseSeedOptions, USAGE } from './options.ts';
import { seed } from './seed.ts';

const RUNS = 5;

/*
 * npm run seed's own time over five runs, each on the full tables that the one before left:
 *   node run.mjs loadtests/seed/benchmark.ts [options of npm run seed]
 *
 * Measured 2026-11-23 for 100,000 users, MariaDB 10.11, durable settings, 2 cores and nothing else running: median 2.73 s
 * (2.72 to 3.54). Beside other work on the same cores (load average 7 to 19) it took 3 to 12 s. MySQL 9.7 with its binary
 * log, load average 10, three runs: 8.5, 10.0, 14.2 s.
 */
runAsProgram('loadtests/seed/benchmark.ts', async () => {
  const data = parseSeedOptions(process.argv.slice(2));
  if (data === 'help') {
    console.log(USAGE);
    return;
  }
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = parseConfig(process.env);
  const seconds: number[] = [];
  for (let run = 1; run <= RUNS; run++) {
    const report = await seed({ ...data, databaseUrl, redisUrl, kafkaBrokers, namespace });
    console.log(`run ${run}: ${report.seconds.toFixed(2)} s`);
    seconds.push(report.seconds);
  }
  seconds.sort((a, b) => a - b);
  const [min, median, max] = [seconds[0], seconds[Math.floor(RUNS / 2)], seconds[RUNS - 1]];
  console.log(`median ${median?.toFixed(2)} s, min ${min?.toFixed(2)} s, max ${max?.toFixed(2)} s`);
});
