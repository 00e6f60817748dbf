import express from 'express';
import { pino } from 'pino';
import { endpoint, methodAndRoute } from '../http/endpoint.ts';
import { type Route, refuseUnknown, route, serve } from '../http/serve.ts';
import { type HttpServer, listen } from '../http/server.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { refuse } from '../refusals.ts';
import type { Span } from './span.ts';
import { Tracer } from './tracer.ts';

/** A server with routes that answer at once, late, wrongly and not at all; every request is one of them. */
const of = (operation: string) =>
  endpoint({ operation, method: 'get', path: `/api/${operation}`, summary: operation, slowAfter: 80 });
const routes: Route[] = [
  route(of('quick'), async () => ({ ok: true, value: undefined })),
  route(of('slow'), async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { ok: true, value: undefined };
  }),
  // Of the same path, and never slow.
  route({ ...of('slow'), method: 'delete', slowAfter: 60_000 }, async () => ({ ok: true, value: undefined })),
  route(of('fails'), () => Promise.reject(new TypeError('a bug'))),
  route(of('refuses'), async () => refuse('COMMON403')),
];
const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

let server: HttpServer | undefined;
let metrics: Metrics;
let spans: Span[];
async function start(ratio: number): Promise<void> {
  spans = [];
  metrics = createMetrics();
  const logger = pino({ level: 'silent' });
  const tracer = new Tracer({
    ratio,
    routes: new Map(
      routes.map(({ endpoint }) => [methodAndRoute(endpoint), { role: 'order-api', slowAfter: endpoint.slowAfter }]),
    ),
    others: { role: 'order-api', slowAfter: 1_000 },
    metrics,
    logger,
    write: (written) => void spans.push(...written),
  });
  const app = express();
  serve(app, routes, { logger, metrics: metrics.http, requestTimeoutMs: 5_000, isEngineAway: () => false });
  refuseUnknown(app, routes);
  server = await listen(app, { host: '127.0.0.1', port: 0, maxInFlight: 100, metrics: metrics.http, tracer });
}
afterEach(() => server?.close(1_000));

async function ask(operation: string, flags?: string) {
  const traceparent = `00-${CALLER.traceId}-${CALLER.spanId}-${flags}`;
  const answer = await fetch(`http://127.0.0.1:${server?.port}/api/${operation}`, {
    headers: flags === undefined ? {} : { traceparent },
  });
  const text = await answer.text();
  // The request ends after its answer was sent.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}
const count = async (name: 'traces' | 'tracesSkipped', reason?: string) =>
  (await metrics[name].get()).values.find(({ labels }) => labels.reason === reason)?.value ?? 0;

describe('who decides', () => {
  it('is the caller, where it says something: recorded is recorded, not recorded is not', async () => {
    await start(0);
    await ask('quick', '01');
    expect(spans).toMatchObject([{ ...CALLER, spanId: expect.any(String), parent: CALLER, name: 'GET /api/quick' }]);
    expect(spans[0]?.spanId).not.toBe(CALLER.spanId);
    await server?.close(1_000);
    await start(1);
    await ask('quick', '00');
    expect(spans).toEqual([]);
  });

  it('is the ratio, where the caller says nothing or nonsense', async () => {
    await start(1);
    await ask('quick');
    await ask('quick', 'zz');
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(2);
    expect(spans.map(({ traceId }) => traceId)).not.toContain(CALLER.traceId);
    await server?.close(1_000);
    await start(0);
    await ask('quick');
    expect(spans).toEqual([]);
  });
});

describe('a request that was not to be traced', () => {
  it('is, if it failed or took longer than its objective, and says why', async () => {
    await start(0);
    await ask('slow', '00');
    await ask('fails');
    await ask('refuses');
    await ask('quick');
    expect(spans.map(({ name, attributes }) => [name, attributes['onrush.traced']])).toEqual([
      ['GET /api/slow', 'slow'],
      ['GET /api/fails', 'failed'],
    ]);
    expect(spans[0]).toMatchObject(CALLER.traceId ? { traceId: CALLER.traceId, parent: CALLER } : {});
    expect([await count('traces', 'slow'), await count('traces', 'failed')]).toEqual([1, 1]);
  });

  it('has its refusal under the trace id that its spans have', async () => {
    await start(0);
    const { body } = await ask('fails');
    expect(spans.map(({ traceId }) => traceId)).toEqual([body.traceId]);
  });

  it('tells the objective’s edge nothing: a request that no route took is traced by its status alone', async () => {
    await start(0);
    expect((await ask('nothing')).status).toBe(404);
    expect(spans).toEqual([]);
  });
});

describe('when everything fails', () => {
  it('only so many are traced, and the others are counted', async () => {
    await start(0);
    const { port } = server as HttpServer;
    const all = 700;
    for (let done = 0; done < all; done += 50)
      await Promise.all(
        Array.from({ length: 50 }, () => fetch(`http://127.0.0.1:${port}/api/fails`).then((a) => a.text())),
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const traced = await count('traces', 'failed');
    expect(traced).toBeGreaterThanOrEqual(500);
    expect(traced).toBe(spans.length);
    expect(traced + (await count('tracesSkipped'))).toBe(all);
  });
});

describe('a traced request', () => {
  it('is the exemplar of its bucket in OpenMetrics, and Prometheus’s own format has none', async () => {
    await start(0);
    await ask('slow', '01');
    await ask('quick', '00');
    const text = await metrics.registry.metrics();
    const open = metrics.http.exemplars.openMetrics(text);
    const buckets = open.split('\n').filter((line) => line.includes('trace_id'));
    expect(buckets).toHaveLength(1);
    expect(buckets[0]).toMatch(
      /^onrush_http_request_duration_seconds_bucket\{le="[\d.]+",method="GET",route="\/api\/slow",status="200"\} 1 # \{trace_id="0af7651916cd43dd8448eb211c80319c"\} 0\.\d+ \d+\.?\d*$/,
    );
    expect(text).not.toContain('trace_id');
    expect(open).toMatch(/\n# EOF\n$/);
    expect(open).toContain('# TYPE onrush_traces counter\n');
    expect(open).toMatch(/^onrush_traces_total\{reason="sampled"\} 1$/m);
  });
});
