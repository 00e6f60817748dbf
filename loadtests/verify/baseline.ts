import { parseArgs } from 'node:util';
import { readKafka } from '../../engines/running/kafka.ts';
import { readMysql } from '../../engines/running/mysql.ts';
import { readRedis } from '../../engines/running/redis.ts';
import { type Config, parseConfig } from '../../services/core/config.ts';
import { BadOption, parsed } from '../../services/core/options.ts';
import { runAsProgram } from '../../services/core/program.ts';
import type { Before } from './figures.ts';
import { openStack } from './stack.ts';

const USAGE = `node run.mjs loadtests/verify/baseline.ts [options]
  Waits until nothing is left to do, then prints what the database holds and what the engines are: one line of JSON.
  --wait SECONDS   how long the queues may take to empty (default 120); one that did not is told in the output
  --gate COUPON    first wait until this coupon can be admitted: requests before that are refused
DATABASE_URL, REDIS_URL and KAFKA_BROKERS of the environment. Exit code: 0, or 2 where that could not be read.`;

/** What a load run in a cluster begins with, read inside the cluster where the engines are. */
export interface Baseline {
  before: Before;
  /** Until the queues were empty. */
  seconds: number;
  /** What still waited after that, one line each. */
  reasons: string[];
  engines: { name: string; version: string; durability: Record<string, string> }[];
}

/** @throws EngineAway */
async function readBaseline(config: Config, gate: string | undefined, waitMs: number): Promise<Baseline> {
  const stack = await openStack(config);
  try {
    if (gate) await stack.untilGateOpen(gate);
    const { seconds, reasons } = await stack.untilDrained(waitMs);
    return { before: await stack.before(), seconds, reasons, engines: await enginesOf(config) };
  } finally {
    await stack.close();
  }
}

async function enginesOf({ databaseUrl, redisUrl, kafkaBrokers }: Config): Promise<Baseline['engines']> {
  const [mysql, redis, kafka] = await Promise.all([
    readMysql(databaseUrl),
    readRedis(redisUrl),
    readKafka(kafkaBrokers.join(',')),
  ]);
  return [
    { name: 'mysql', ...mysql },
    { name: 'redis', ...redis },
    // Which version it is, a Kafka broker does not say.
    { name: 'kafka', version: 'Kafka', ...kafka },
  ];
}

runAsProgram('loadtests/verify/baseline.ts', async () => {
  const text = { type: 'string' } as const;
  const { values } = parsed(() =>
    parseArgs({ args: process.argv.slice(2), options: { wait: text, gate: text, help: { type: 'boolean' } } }),
  );
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const wait = values.wait ?? '120';
  if (!/^\d{1,4}$/.test(wait)) throw new BadOption(`--wait ${wait}: expected a whole number of seconds`);
  console.log(JSON.stringify(await readBaseline(parseConfig(process.env), values.gate, Number(wait) * 1000)));
});
