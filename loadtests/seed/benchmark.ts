import { parseConfig } from '../../services/core/config.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { parseSeedOptions, USAGE } from './options.ts';
import { seed } from './seed.ts';

const RUNS = 5;

/*
 * npm run seed's own time over five runs, each on the full tables that the one before left:
 *   node run.mjs loadtests/seed/benchmark.ts [options of npm run seed]
 *
 * Measured 2026-11-23 for 100,000 users, MariaDB 10.11, durable settings. The 2 cores were never free, so there are three
 * series, by load average: 8: median 6.83 s (4.55 to 7.33); 9: 3.35 s (2.87 to 4.45); 7 rising to 19: 9.42 s (4.99 to
 * 12.33). The engine's CPU time, seen once, was 2.6 s. MySQL 9.7 with its binary log, load 10, three runs: 8.5, 10.0, 14.2 s.
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
