import express, { type Express } from 'express';
import type { Logger } from 'pino';
import { balanceRoutes } from './balance/index.ts';
import { cartRoutes } from './cart/index.ts';
import { catalogRoutes, startRanking } from './catalog/index.ts';
import { openGuard } from './core/auth/guard.ts';
import { metricsReader } from './core/cluster-metrics.ts';
import { type Config, type Role, servesApi } from './core/config.ts';
import { mountDocs } from './core/http/docs.ts';
import { methodAndRoute } from './core/http/endpoint.ts';
import { mountHealth } from './core/http/health.ts';
import { mountMetrics } from './core/http/metrics-endpoint.ts';
import { openapi } from './core/http/openapi.ts';
import { type Route, refuseUnknown, serve } from './core/http/serve.ts';
import { listen } from './core/http/server.ts';
import { openKafka } from './core/kafka.ts';
import type { Running } from './core/lifecycle.ts';
import { createMetrics, type Work } from './core/metrics.ts';
import { openWritePool } from './core/mysql.ts';
import { namesOf } from './core/names.ts';
import { startOutboxRelay } from './core/outbox.ts';
import { connectFirst, openRedis } from './core/redis.ts';
import { RedisInstance } from './core/redis-instance.ts';
import { startTracing } from './core/tracing/start.ts';
import { VERSION } from './core/version.ts';
import { watchConsumerLag } from './core/watch/watch-consumer-lag.ts';
import { watchRowLocks } from './core/watch/watch-row-locks.ts';
import { couponRoutes, Gate, startConsumer, startGatekeeper } from './coupon/index.ts';
import { SCHEMA_VERSION, schemaVersion } from './database/migrate.ts';
import { defineModels } from './database/models.ts';
import { isEngineAway, openSequelize, readPoolUsage } from './database/sequelize.ts';
import { openLive } from './live/index.ts';
import { OrderLock, orderRoutes } from './order/index.ts';

export interface App {
  port: number;
  /** Stops taking requests, lets running ones end, stops the workers, closes the engines' connections; in that order. */
  stop(): Promise<void>;
}

/** Requests and batches that are running get this long to end. Milliseconds. */
const DRAIN = 10_000;
/** Clients get this long beyond a request's own time to read something of an answer. Milliseconds. */
const UNREAD = 25_000;

/** Starts the configured roles in this process. */
export async function startApp(config: Config, logger: Logger): Promise<App> {
  const names = namesOf(config.namespace);
  const metrics = createMetrics({ on: config.metrics, work: workOf(config.roles) });
  // One reader for all: in a process that shares its port a second one would have each question answered twice. And early:
  // whoever is ready first asks those that still start.
  const readMetrics = metricsReader(metrics.registry);
  const tracing = await startTracing(config, metrics, logger);
  const { tracer } = tracing;
  const has = (...roles: Role[]) => roles.some((role) => config.roles.includes(role));
  const sequelize = openSequelize(config.databaseUrl, config.readPool, {
    lockWaitTimeoutS: config.lockWaitTimeoutS,
    silenceMs: 2 * config.requestTimeoutMs,
  });
  await untilSchema(() => schemaVersion(sequelize), logger);
  const models = defineModels(sequelize);
  const pool = openWritePool({
    databaseUrl: config.databaseUrl,
    connections: config.writePool,
    lockWaitTimeoutS: config.lockWaitTimeoutS,
    metrics: metrics.locks,
  });
  const clients = {
    // These two gather requests themselves: their calls are not to wait for another turn.
    gate: openRedis(config.redisUrl, 'gate', logger, { autoPipelining: false }),
    // An order waits no longer than this for its lock, and goes on without it.
    locks: openRedis(config.redisUrl, 'locks', logger, { autoPipelining: false, commandTimeout: 50 }),
    work: openRedis(config.redisUrl, 'work', logger),
  };
  const instance = new RedisInstance(clients.gate);
  await Promise.all(Object.values(clients).map(connectFirst));
  const gate = new Gate(clients.gate, names, instance);
  const { gate: gateClient, work: redis } = clients;

  const routes: Route[] = [];
  const offer = (role: Role, offered: Route[]) => {
    routes.push(...offered);
    for (const { endpoint } of offered)
      tracing.routes.set(methodAndRoute(endpoint), { role, slowAfter: endpoint.slowAfter });
  };
  if (has('balance-api')) offer('balance-api', balanceRoutes({ config, models, pool, metrics }));
  if (has('coupon-api')) offer('coupon-api', couponRoutes({ models, redis, gate, names, metrics }));
  if (has('order-api')) {
    const lock = new OrderLock(clients.locks, names, config.orderLockMs, metrics.locks);
    offer('order-api', catalogRoutes({ models, redis, names }));
    offer('order-api', cartRoutes({ models, sequelize }));
    offer('order-api', orderRoutes({ config, models, pool, metrics, lock }));
  }

  const workers: Running[] = [];
  const by = (role: Role) => logger.child({ role });
  if (has('coupon-gatekeeper')) {
    const kafka = openKafka(config, 'gatekeeper');
    const logger = by('coupon-gatekeeper');
    workers.push(
      startGatekeeper({
        config,
        names,
        logger,
        metrics,
        redis: gateClient,
        instance,
        kafka,
        sequelize,
        models,
        tracer,
        whileLeading: () => [
          watchRowLocks({ pool, metrics, logger }),
          watchConsumerLag({ kafka, names, metrics, logger }),
        ],
      }),
    );
  }
  if (has('coupon-consumer')) {
    const kafka = openKafka(config, 'coupon-consumer');
    workers.push(await startConsumer({ kafka, names, pool, gate, metrics, logger: by('coupon-consumer'), tracer }));
  }
  if (has('outbox-relay')) {
    const kafka = openKafka(config, 'outbox-relay');
    const settings = { topic: names.orderTopic, maxAttempts: config.outboxAttempts };
    workers.push(startOutboxRelay({ ...settings, pool, kafka, metrics, logger: by('outbox-relay'), tracer }));
  }
  if (has('projections')) {
    const kafka = openKafka(config, 'projections');
    workers.push(await startRanking({ kafka, redis, names, metrics, logger: by('projections'), tracer }));
  }
  for (const role of config.roles) by(role).info('role started');

  const guard = routes.length > 0 ? await openGuard(config, logger) : undefined;
  const state = { ready: true };
  // It shows nothing but metrics.
  if (config.live && !config.metrics) logger.warn('ONRUSH_LIVE=on serves no page where ONRUSH_METRICS is off');
  const live =
    config.live && config.metrics
      ? openLive({ config, routes, registry: metrics.registry, readMetrics, logger })
      : undefined;
  const appOf = (offered: Route[], more: (app: Express) => void): Express => {
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    const { requestTimeoutMs } = config;
    // Express tries one route after the other: those that a rush asks for stand first.
    const hotFirst = offered.toSorted((a, b) => Number(b.endpoint.idempotent) - Number(a.endpoint.idempotent));
    serve(app, hotFirst, { logger, metrics: metrics.http, requestTimeoutMs, isEngineAway, guard });
    mountHealth(app, state);
    more(app);
    refuseUnknown(app, offered);
    return app;
  };
  const mountInside = (app: Express) => {
    mountMetrics(app, metrics.registry.contentType, readMetrics, metrics.http.exemplars);
    live?.mount(app);
    mountDocs(app, openapi(routes, { title: 'Onrush', version: VERSION }, guard?.adminScope));
  };
  metrics.watchPools({
    write: { size: config.writePool, usage: pool.usage },
    read: { size: config.readPool, usage: () => readPoolUsage(sequelize) },
  });
  const { host, port, adminHost, adminPort, maxInFlight } = config;
  const silenceMs = config.requestTimeoutMs + UNREAD;
  const listening = { exclusive: config.workers === 1, maxInFlight, silenceMs, metrics: metrics.http, tracer };
  const [inside, outside] = adminPort === 0 ? [[], routes] : partition(routes, ({ endpoint }) => endpoint.admin);
  const server = await listen(appOf(outside, adminPort === 0 ? mountInside : () => {}), { host, port, ...listening });
  const adminServer =
    adminPort === 0
      ? undefined
      : await listen(appOf(inside, mountInside), { host: adminHost, port: adminPort, ...listening });

  return {
    port: server.port,
    async stop() {
      state.ready = false;
      server.drain();
      adminServer?.drain();
      await new Promise((resolve) => setTimeout(resolve, config.drainDelayMs));
      live?.close();
      await Promise.all([server.close(DRAIN), adminServer?.close(DRAIN)]);
      await Promise.allSettled(workers.map((worker) => worker.stop()));
      for (const client of Object.values(clients)) client.disconnect();
      await Promise.allSettled([pool.close(), sequelize.close(), tracing.close()]);
    },
  };
}

function workOf(roles: Role[]): Work {
  if (roles.every(servesApi)) return 'requests';
  return roles.some(servesApi) ? 'both' : 'background';
}

function partition<T>(all: T[], belongs: (one: T) => boolean): [T[], T[]] {
  return [all.filter(belongs), all.filter((one) => !belongs(one))];
}

/** Waits for the migrations, which run in another process. */
async function untilSchema(read: () => Promise<string | undefined>, logger: Logger): Promise<void> {
  const until = Date.now() + 60_000;
  for (let told = false; ; ) {
    const version = await read();
    // A newer schema serves too: after a rollback of the program the schema stays, and migrations only add.
    if (version !== undefined && version >= SCHEMA_VERSION) return;
    if (Date.now() > until)
      throw new Error(
        `the schema is at ${version ?? 'nothing'}, this program needs ${SCHEMA_VERSION}: npm run migrate`,
      );
    if (!told) logger.info({ version, needed: SCHEMA_VERSION }, 'waiting for the schema');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
