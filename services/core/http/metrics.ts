import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Counter, Gauge, Histogram } from 'prom-client';
import type { Outcome } from '../refusals.ts';
import { Exemplars } from './exemplars.ts';

/** The metrics of core/metrics.ts that the HTTP server observes. */
export interface HttpMetricsOf {
  duration: Histogram<'method' | 'route' | 'status'>;
  refusals: Counter<'operation' | 'code'>;
  replays: Counter<'operation'>;
  inFlight: Gauge;
}

export type HttpMetrics = ReturnType<typeof httpMetrics>;

export function httpMetrics({ duration, refusals, replays, inFlight }: HttpMetricsOf) {
  // prom-client hashes the labels at every call; a child looked up once per series costs half as much.
  const children = new Map<string, ReturnType<typeof duration.labels>>();
  const exemplars = new Exemplars();
  const counts: (() => number)[] = [];
  (inFlight as { collect?: () => void }).collect = () => {
    if (counts.length > 0) inFlight.set(counts.reduce((sum, count) => sum + count(), 0));
  };
  return {
    exemplars,
    /** Tells the number of running requests, of all ports together, whenever somebody asks. */
    countInFlight(count: () => number): void {
      counts.push(count);
    },
    /**
     * Observes a finished request. Label values are route templates and numbers only; 499 is a client that went away
     * before it got an answer. `traceId` where the request's spans are written.
     */
    finished(req: IncomingMessage, res: ServerResponse, seconds: number, traceId?: string): void {
      const route = (req as { route?: { path?: string } }).route?.path ?? 'none';
      const status = res.headersSent ? res.statusCode : 499;
      const series = `${req.method} ${status} ${route}`;
      let child = children.get(series);
      if (!child) {
        child = duration.labels(req.method ?? '', route, String(status));
        children.set(series, child);
      }
      child.observe(seconds);
      if (traceId !== undefined)
        exemplars.note(`method="${req.method}",route="${route}",status="${status}"`, seconds, traceId);
    },
    refused(operation: string, outcome: Outcome<unknown>): void {
      if (!outcome.ok) refusals.inc({ operation, code: outcome.code });
      else if (outcome.replayed) replays.inc({ operation });
    },
  };
}
