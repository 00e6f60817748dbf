import { parseArgs } from 'node:util';
import { watchDatabase } from '../../loadtests/verify/watch.ts';
import { parseConfig } from '../../services/core/config.ts';
import { createLogger } from '../../services/core/log.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { startMonitoring } from './start.ts';

/**
 * Prometheus (--port, 9090), the exporters and a verifier beside `npm start` or the bench, without containers, until it is interrupted: npm run monitor.
 */
runAsProgram('dashboards/monitor/monitor.ts', async () => {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '9090' } } });
  const config = parseConfig(process.env);
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = config;
  const port = Number(values.port);
  const verifier = await watchDatabase({
    judge: { databaseUrl, redisUrl, kafkaBrokers, namespace },
    every: 60,
    host: '127.0.0.1',
    port: port + 3,
    logger: createLogger({ logLevel: 'error' }),
  });
  const monitoring = await startMonitoring({
    targets: [
      { address: `127.0.0.1:${config.port}`, service: 'onrush', pod: 'onrush' },
      { address: `127.0.0.1:${verifier.port}`, service: 'verifier', pod: 'verifier' },
    ],
    databaseUrl,
    redisUrl,
    port,
    namespace: 'local',
  });
  console.log(`Prometheus: ${monitoring.url}`);
  console.log(`a load run that is recorded: ONRUSH_BENCH_PROMETHEUS=${monitoring.url} npm run bench`);
  console.log(`the dashboards as pictures:  npm run pictures -- ${monitoring.url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => Promise.all([monitoring.stop(), verifier.stop()]).then(() => process.exit(0)));
});
