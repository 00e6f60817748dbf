import { parseArgs } from 'node:util';
import { parseConfig } from '../../services/core/config.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { startMonitoring } from './start.ts';

/** Prometheus (--port, 9090) and exporters beside `npm start` or the bench, without containers, until it is interrupted: npm run monitor. */
runAsProgram('dashboards/monitor/monitor.ts', async () => {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '9090' } } });
  const { databaseUrl, redisUrl, port } = parseConfig(process.env);
  const monitoring = await startMonitoring({
    targets: [{ address: `127.0.0.1:${port}`, service: 'onrush', pod: 'onrush' }],
    databaseUrl,
    redisUrl,
    port: Number(values.port),
    namespace: 'local',
  });
  console.log(`Prometheus: ${monitoring.url}`);
  console.log(`a load run that is recorded: ONRUSH_BENCH_PROMETHEUS=${monitoring.url} npm run bench`);
  console.log(`the dashboards as pictures:  npm run pictures -- ${monitoring.url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => monitoring.stop().then(() => process.exit(0)));
});
