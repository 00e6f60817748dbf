import express from 'express';
import { pino } from 'pino';
import { createMetrics } from '../metrics.ts';
import { endpoint } from './endpoint.ts';
import { type Route, refuseUnknown, route, serve } from './serve.ts';
import { type HttpServer, listen } from './server.ts';

const of = (operation: string) => endpoint({ operation, method: 'get', path: `/api/${operation}`, summary: operation });
const routes: Route[] = [
  route(of('throws'), () => {
    throw new TypeError('a bug before the first await');
  }),
  route(of('rejects'), () => Promise.reject(new TypeError('a bug later on'))),
  route(of('unserializable'), async () => ({ ok: true, value: 1n as never })),
];
const logged: string[] = [];
let server: HttpServer;
beforeAll(async () => {
  const app = express();
  const metrics = createMetrics().http;
  const logger = pino({ level: 'error' }, { write: (line: string) => void logged.push(line) });
  serve(app, routes, { logger, metrics, requestTimeoutMs: 1_000, isEngineAway: () => false });
  refuseUnknown(app, routes);
  server = await listen(app, { host: '127.0.0.1', port: 0, maxInFlight: 100, metrics });
});
afterAll(() => server.close(1_000));

describe('a handler with a bug', () => {
  it.each(['throws', 'rejects', 'unserializable'])(
    'is answered 500 and logged under its trace id (%s)',
    async (operation) => {
      const answer = await fetch(`http://127.0.0.1:${server.port}/api/${operation}`);
      const body = (await answer.json()) as { code: string; message: string; traceId: string };
      expect([answer.status, body.code]).toEqual([500, 'COMMON500']);
      expect(JSON.stringify(body)).not.toContain('bug');
      expect(logged.join('')).toContain(body.traceId);
    },
  );
});
