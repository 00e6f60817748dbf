import { up } from '../../engines/up.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { idOf, parseLabArguments, USAGE } from './arguments.ts';
import { openPlace } from './place.ts';
import { runRound } from './round.ts';
import { STRATEGIES } from './strategies.ts';

runAsProgram('loadtests/lab/lab.ts', async () => {
  const given = parseLabArguments(process.argv.slice(2));
  if (given === 'help') {
    console.log(USAGE);
    return;
  }
  if (given === 'list') {
    console.log(STRATEGIES.map((s) => `${idOf(s)}  ${s.title}`).join('\n'));
    return;
  }
  const engines = await up();
  process.env.DATABASE_URL = engines.mysql.url;
  process.env.REDIS_URL = engines.redis.url;
  process.env.KAFKA_BROKERS = engines.kafka.brokers;
  const place = await openPlace(process.env);
  try {
    for (let round = 1; round <= given.rounds; round++)
      for (const strategy of given.strategies) {
        const began = Date.now();
        const { seen, ...result } = await runRound(place, strategy, { warmup: 1, seconds: given.seconds });
        console.log(
          idOf(strategy),
          ((Date.now() - began) / 1000).toFixed(1),
          JSON.stringify(result),
          JSON.stringify(seen),
        );
      }
  } finally {
    await place.close();
  }
});
