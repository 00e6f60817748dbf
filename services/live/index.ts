import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from '../core/config.ts';
import { type Endpoint, routeOf } from '../core/http/endpoint.ts';
import { VERSION } from '../core/version.ts';
import { lastVerdictOf } from './last-verdict.ts';
import { Live } from './live.ts';
import type { LiveApi } from './measure.ts';
import { readingOf } from './reading.ts';

/** The three that have a target, in the page's order. */
const TITLES: Record<string, string> = { issueCoupon: 'Coupon issue', charge: 'Balance charge', placeOrder: 'Order' };

/** The live page of a process with these routes. */
export function openLive({
  config,
  routes,
  registry,
  readMetrics,
  logger,
}: {
  config: Pick<Config, 'roles' | 'workers'>;
  routes: readonly { endpoint: Endpoint }[];
  registry: Registry;
  /** The metrics of all processes that share the port. */
  readMetrics: () => Promise<string>;
  logger: Logger;
}): Live {
  const apis = Object.entries(TITLES).flatMap(([operation, title]): LiveApi[] => {
    const endpoint = routes.map((route) => route.endpoint).find((one) => one.operation === operation);
    if (!endpoint) return [];
    return [{ title, method: endpoint.method.toUpperCase(), route: routeOf(endpoint), target: endpoint.slowAfter }];
  });
  const latest = join(process.env.ONRUSH_DIR ?? '.onrush', 'results', 'latest', 'results.json');
  return new Live({
    apis,
    about: { version: VERSION, roles: config.roles, processes: config.workers },
    read: readingOf(registry, readMetrics),
    lastVerdict: lastVerdictOf(latest),
    logger,
  });
}
