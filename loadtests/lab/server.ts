import express from 'express';
import { chargeEndpoint } from '../../services/balance/contract.ts';
import { parseConfig } from '../../services/core/config.ts';
import { mountHealth } from '../../services/core/http/health.ts';
import { mountMetrics } from '../../services/core/http/metrics-endpoint.ts';
import { type Route, refuseUnknown, route, serve } from '../../services/core/http/serve.ts';
import { listen } from '../../services/core/http/server.ts';
import { newId } from '../../services/core/ids.ts';
import { openKafka } from '../../services/core/kafka.ts';
import { createLogger } from '../../services/core/log.ts';
import { createMetrics } from '../../services/core/metrics.ts';
import { openWritePool } from '../../services/core/mysql.ts';
import { namesOf } from '../../services/core/names.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { openRedis } from '../../services/core/redis.ts';
import { issueEndpoint } from '../../services/coupon/contract.ts';
import { placeOrderEndpoint } from '../../services/order/contract.ts';
import { strategyNamed } from './arguments.ts';
import type { Strategy } from './strategies.ts';
import type { Deps } from './strategy.ts';

/** The write of the contract that the strategy serves. HTTP in and out is that of the services: only the way differs. */
async function routesOf(strategy: Strategy, deps: Deps): Promise<Route[]> {
  if ('charge' in strategy) {
    const charge = strategy.charge(deps);
    return [
      route(chargeEndpoint, ({ params, body, key, deadline }) =>
        charge(
          { userId: params.userId, amount: body.amount, key: key ?? body.transactionId ?? newId('auto') },
          deadline,
        ),
      ),
    ];
  }
  if ('issue' in strategy) {
    const issue = await strategy.issue(deps);
    return [
      route(issueEndpoint, ({ params, body, key, deadline }) =>
        issue({ couponId: params.couponId, userId: body.userId, key: key ?? newId('auto') }, deadline),
      ),
    ];
  }
  if ('order' in strategy) {
    const order = strategy.order(deps);
    return [
      route(placeOrderEndpoint, ({ body, key, deadline }) =>
        order({ userId: body.userId, key: key ?? newId('auto') }, deadline),
      ),
    ];
  }
  throw new Error(`${strategy.write}/${strategy.name} is the services themselves: npm start`);
}

/** node run.mjs loadtests/lab/server.ts charge/row-lock: serves one write by one strategy, with the services' settings. */
runAsProgram('loadtests/lab/server.ts', async () => {
  const strategy = strategyNamed(process.argv[2] ?? '');
  const config = parseConfig(process.env);
  const logger = createLogger(config);
  const metrics = createMetrics();
  const stops: (() => Promise<void>)[] = [];
  const pool = openWritePool({
    databaseUrl: config.databaseUrl,
    connections: config.writePool,
    lockWaitTimeoutS: config.lockWaitTimeoutS,
    metrics: metrics.locks,
  });
  stops.push(() => pool.close());
  const redis = openRedis(config.redisUrl, 'lab', logger);
  stops.push(async () => redis.disconnect());
  await redis.connect();
  const deps: Deps = {
    pool,
    redis,
    kafka: openKafka(config, 'lab'),
    namespace: config.namespace,
    names: namesOf(config.namespace),
    metrics,
    logger,
    atStop: (stop) => stops.push(stop),
  };

  const routes = await routesOf(strategy, deps);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const state = { ready: true };
  mountHealth(app, state);
  mountMetrics(app, metrics.registry.contentType, () => metrics.registry.metrics(), metrics.http.exemplars);
  serve(app, routes, {
    logger,
    metrics: metrics.http,
    requestTimeoutMs: config.requestTimeoutMs,
    isEngineAway: () => false,
  });
  refuseUnknown(app, routes);
  const { host, port, maxInFlight } = config;
  const server = await listen(app, { host, port, maxInFlight, metrics: metrics.http });
  logger.info({ strategy: strategy.name }, `${strategy.write} on http://${host}:${server.port}`);

  process.once('SIGTERM', async () => {
    state.ready = false;
    await server.close(10_000);
    for (const stop of stops.reverse()) await stop();
    process.exit(0);
  });
});
