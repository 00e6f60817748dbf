import cluster from 'node:cluster';
import { setFlagsFromString } from 'node:v8';
import { startApp } from './app.ts';
import { assertCallersKnown } from './core/auth/guard.ts';
import { answerMetricsQuestions } from './core/cluster-metrics.ts';
import { type Config, describeConfig, parseConfig, servesApi } from './core/config.ts';
import { createLogger } from './core/log.ts';
import { runAsProgram } from './core/program.ts';

/** What a process tells the one that supervises it when it can be asked. */
const STARTED = 'onrush:started';
/** A process that has not stopped so long after its drain is ended. Milliseconds. */
const STOP = 20_000;

/*
 * Where most objects of one kind live through a scavenge, V8 makes all later ones of that kind in the old generation, and hardly
 * ever takes it back. One second of long waits is enough, and then every request stays in memory until the next full collection:
 * two a second, and a quarter more CPU for a charge (docs/performance.md).
 */
setFlagsFromString('--no-allocation-site-pretenuring');

runAsProgram('services/main.ts', async () => {
  const config = parseConfig(process.env);
  if (!cluster.isWorker) assertCallersKnown(config);
  const kinds = processesOf(config);
  if (kinds.length > 1 && cluster.isPrimary) superviseProcesses(config, kinds);
  else await runProcess(config);
});

async function runProcess(config: Config): Promise<void> {
  const logger = createLogger(config);
  if (!cluster.isWorker) logger.info({ config: describeConfig(config) }, 'starting');
  const app = await startApp(config, logger);
  logger.info({ port: app.port, roles: config.roles }, `listening on http://${config.host}:${app.port}`);
  process.send?.({ type: STARTED });
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
  // Where the process that supervises is gone, Node ends this one.
}

/** What each process adds to the environment: the API processes share the port, the one apart has none that anybody asks. */
function processesOf({ workers, background, roles }: Config): Record<string, string>[] {
  const [apis, others] = [roles.filter(servesApi), roles.filter((role) => !servesApi(role))];
  const alike = (environment: Record<string, string>) => Array.from({ length: workers }, () => environment);
  if (background === 'within' || apis.length === 0 || others.length === 0) return alike({});
  const apart = { ROLES: others.join(','), PORT: '0', ONRUSH_ADMIN_PORT: '0', ONRUSH_LIVE: 'off' };
  return [...alike({ ROLES: apis.join(',') }), apart];
}

/** Keeps one process of each kind. One that ends unasked is replaced; one that cannot start ends all. */
function superviseProcesses(config: Config, kinds: Record<string, string>[]): void {
  const logger = createLogger(config);
  logger.info({ config: describeConfig(config) }, 'starting');
  answerMetricsQuestions();
  let stopping = false;
  const running = new Set<number>();
  const started = new Map<number, Record<string, string>>();
  const start = (kind: Record<string, string>) => started.set(cluster.fork(kind).id, kind);
  cluster.on('message', (worker, message: { type?: string }) => {
    if (message?.type === STARTED) running.add(worker.id);
  });
  cluster.on('exit', (worker, code, signal) => {
    if (stopping) {
      if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(process.exitCode ?? 0);
      return;
    }
    if (!running.has(worker.id)) {
      logger.error({ code, signal }, 'a process could not start');
      process.exitCode = 2;
      stop();
      return;
    }
    logger.error({ code, signal }, 'a process ended; starting another');
    start(started.get(worker.id) ?? {});
    started.delete(worker.id);
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
  for (const kind of kinds) start(kind);
}
