import cluster from 'node:cluster';
import { startApp } from './app.ts';
import { assertCallersKnown } from './core/auth/guard.ts';
import { answerMetricsQuestions } from './core/cluster-metrics.ts';
import { type Config, describeConfig, parseConfig } from './core/config.ts';
import { createLogger } from './core/log.ts';
import { runAsProgram } from './core/program.ts';

/** A process that has not stopped so long after its drain is ended. Milliseconds. */
const STOP = 20_000;

runAsProgram('services/main.ts', async () => {
  const config = parseConfig(process.env);
  if (!cluster.isWorker) assertCallersKnown(config);
  if (config.workers > 1 && cluster.isPrimary) superviseWorkers(config);
  else await runProcess(config);
});

async function runProcess(config: Config): Promise<void> {
  const logger = createLogger(config);
  if (!cluster.isWorker) logger.info({ config: describeConfig(config) }, 'starting');
  const app = await startApp(config, logger);
  logger.info({ port: app.port, roles: config.roles }, `listening on http://${config.host}:${app.port}`);
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    logger.info('stopping');
    setTimeout(() => process.exit(1), config.drainDelayMs + STOP).unref();
    app.stop().then(
      () => process.exit(0),
      (error) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // The primary is gone: nobody would pass connections on.
  process.on('disconnect', stop);
}

/** Keeps the configured number of processes on one port. One that ends unasked is replaced; one that cannot start ends all. */
function superviseWorkers(config: Config): void {
  const logger = createLogger(config);
  logger.info({ config: describeConfig(config) }, 'starting');
  answerMetricsQuestions();
  let stopping = false;
  const listening = new Set<number>();
  cluster.on('listening', (worker) => listening.add(worker.id));
  cluster.on('exit', (worker, code, signal) => {
    if (stopping) {
      if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(process.exitCode ?? 0);
      return;
    }
    if (!listening.has(worker.id)) {
      logger.error({ code, signal }, 'a process could not start');
      process.exitCode = 2;
      stop();
      return;
    }
    logger.error({ code, signal }, 'a process ended; starting another');
    cluster.fork();
  });
  const stop = () => {
    if (stopping) return;
    stopping = true;
    const workers = Object.values(cluster.workers ?? {});
    if (workers.length === 0) process.exit(process.exitCode ?? 0);
    for (const worker of workers) worker?.process.kill('SIGTERM');
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  for (let n = 0; n < config.workers; n++) cluster.fork();
}
