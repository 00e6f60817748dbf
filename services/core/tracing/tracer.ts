import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import { Budget } from './budget.ts';
import { requestSpans, type TracedRoute } from './request-spans.ts';
import { RequestTrace } from './request-trace.ts';
import type { Span } from './span.ts';
import { readTraceparent } from './trace-context.ts';

export interface TracerOptions {
  /** Share of the requests without a caller's decision that are traced from the start. */
  ratio: number;
  /** By method and route as in the metrics: `POST /api/orders`. */
  routes: Map<string, TracedRoute>;
  /** Requests that no route took. */
  others: TracedRoute;
  metrics: Pick<Metrics, 'traces' | 'tracesSkipped'>;
  logger: Logger;
  write(spans: Span[]): void;
}

/** Failed and slow requests that one process traces in a second, and at once after a quiet time. */
const PER_SECOND = 100;
const BURST = 500;

/**
 * Decides which requests are traced, and writes their spans when they are over. The caller's decision counts where it
 * sends one; else a share is drawn. A request that fails (5xx) or takes longer than its route's objective is traced
 * whatever was decided, from the times that are noted anyway.
 */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #budget = new Budget(PER_SECOND, BURST);

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  begin(req: IncomingMessage, started: number): RequestTrace {
    const header = req.headers.traceparent;
    const parent = header === undefined ? undefined : readTraceparent(header);
    return new RequestTrace(started, parent ? parent.sampled : Math.random() < this.#options.ratio, parent);
  }

  /** Returns the trace's id if its spans are written. Call it when the answer is sent, or the client gone. */
  finished(trace: RequestTrace, req: IncomingMessage, res: ServerResponse, at: number): string | undefined {
    const route = (req as { route?: { path?: string } }).route?.path ?? 'none';
    const of = this.#options.routes.get(`${req.method} ${route}`) ?? this.#options.others;
    const status = res.headersSent ? res.statusCode : 499;
    const failed = status >= 500;
    if (!trace.sampled && !failed && at - trace.started <= of.slowAfter) return undefined;
    const because = trace.sampled ? 'sampled' : failed ? 'failed' : 'slow';
    const { metrics } = this.#options;
    if (because !== 'sampled' && !this.#budget.take()) {
      metrics.tracesSkipped.inc();
      return undefined;
    }
    metrics.traces.inc({ reason: because });
    const ended = { method: req.method ?? '', route, status, at, because } as const;
    this.#log(trace, of, ended);
    trace.dequeued();
    const running = trace.transactions.find((record) => !record.over);
    const write = () => this.write(requestSpans(trace, of, ended));
    // The request was answered at its deadline: what it waits for is known when the transaction is over.
    if (running) running.whenOver(write);
    else write();
    return trace.traceId;
  }

  write(spans: Span[]): void {
    this.#options.write(spans);
  }

  #log(
    trace: RequestTrace,
    { role }: TracedRoute,
    { method, route, status, at, because }: Parameters<typeof requestSpans>[2],
  ) {
    const { asked, outcome } = trace;
    const line = {
      traceId: trace.traceId,
      role,
      method,
      route,
      status,
      ms: Math.round((at - trace.started) * 100) / 100,
      because,
      ...(asked?.key === undefined ? {} : { key: asked.key }),
      ...(outcome?.ok === false ? { code: outcome.code } : {}),
    };
    if (status >= 500) this.#options.logger.warn(line, 'request');
    else this.#options.logger.info(line, 'request');
  }
}
