import type { IncomingMessage, ServerResponse } from 'node:http';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Outcome } from '../refusals.ts';

/** Seconds. Every threshold of loadtests/slo.yaml is an edge here, so that the share within it is counted, not guessed. */
export const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.097, 0.131, 0.2, 0.288, 0.5, 1, 2.5, 5, 10];

export type HttpMetrics = ReturnType<typeof httpMetrics>;

export function httpMetrics(registry: Registry) {
  const duration = new Histogram({
    name: 'onrush_http_request_duration_seconds',
    help: 'Time from the request’s headers to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  const refusals = new Counter({
    name: 'onrush_refusals_total',
    help: 'Requests refused, by operation and code',
    labelNames: ['operation', 'code'] as const,
    registers: [registry],
  });
  const replays = new Counter({
    name: 'onrush_idempotent_replays_total',
    help: 'Answers given again because the Idempotency-Key was known',
    labelNames: ['operation'] as const,
    registers: [registry],
  });
  // prom-client hashes the labels at every call; a child looked up once per series costs half as much.
  const children = new Map<string, ReturnType<typeof duration.labels>>();
  return {
    /**
     * Observes a finished request. Label values are route templates and numbers only; 499 is a client that went away
     * before it got an answer.
     */
    finished(req: IncomingMessage, res: ServerResponse, started: number): void {
      const route = (req as { route?: { path?: string } }).route?.path ?? 'none';
      const status = res.headersSent ? res.statusCode : 499;
      const series = `${req.method} ${status} ${route}`;
      let child = children.get(series);
      if (!child) {
        child = duration.labels(req.method ?? '', route, String(status));
        children.set(series, child);
      }
      child.observe((performance.now() - started) / 1000);
    },
    refused(operation: string, outcome: Outcome<unknown>): void {
      if (!outcome.ok) refusals.inc({ operation, code: outcome.code });
      else if (outcome.replayed) replays.inc({ operation });
    },
  };
}
