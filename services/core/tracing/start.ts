import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import type { TracedRoute } from './request-spans.ts';
import { Tracer } from './tracer.ts';

export interface Tracing {
  /** Absent where nothing is to be noted. */
  tracer: Tracer | undefined;
  /** By method and route; to be filled before the first request. */
  routes: Map<string, TracedRoute>;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** Spans of requests that no route took, and of those without an objective. Milliseconds. */
const SLOW = 1_000;

type TraceSettings = Pick<Config, 'traces' | 'traceRatio' | 'traceDirectory' | 'otlpEndpoint' | 'namespace' | 'roles'>;

export async function startTracing(config: TraceSettings, metrics: Metrics, logger: Logger): Promise<Tracing> {
  const routes = new Map<string, TracedRoute>();
  const directory = config.traceDirectory || join(process.env.ONRUSH_DIR ?? '.onrush', 'traces');
  const to = config.traces === 'auto' ? target(config, directory) : config.traces;
  if (to === 'off') return { tracer: undefined, routes, close: async () => {} };
  const sink =
    to === 'log'
      ? undefined
      : (await import('./export-spans.ts')).exportSpans({ to, directory, namespace: config.namespace, metrics });
  logger.info({ to, ratio: config.traceRatio, ...(to === 'file' ? { directory } : {}) }, 'traces');
  const [first = 'coupon-api'] = config.roles;
  const tracer = new Tracer({
    ratio: config.traceRatio,
    routes,
    others: { role: first, slowAfter: SLOW },
    metrics,
    logger,
    write: sink ? sink.write : () => {},
  });
  return { tracer, routes, close: async () => sink?.close() };
}

function target({ otlpEndpoint }: TraceSettings, directory: string): 'otlp' | 'file' | 'log' {
  if (otlpEndpoint !== '') return 'otlp';
  return existsSync(dirname(directory)) ? 'file' : 'log';
}
