import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { refuse } from '../refusals.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { HttpMetrics } from './metrics.ts';
import { refusalBody, type Traced, traceIdOf } from './serve.ts';

export interface HttpServer {
  port: number;
  /**
   * From now on every answer asks its connection to be closed, so that clients and proxies that keep connections let go of
   * this process before it stops listening. Without it a rolling restart under 780 requests/s failed 109 of 23,427.
   */
  drain(): void;
  /** Stops listening at once, lets running requests end, closes what is left after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

export interface HttpServerOptions {
  host: string;
  port: number;
  /** No other process listens here: connections come straight, not from the process that supervises. */
  exclusive?: boolean;
  maxInFlight: number;
  /**
   * A connection on which nothing moved for so long is closed: a client that does not read its answer keeps its place until
   * then. More than the longest answer takes. Milliseconds.
   */
  silenceMs?: number;
  metrics: HttpMetrics;
  tracer?: Tracer | undefined;
}

/**
 * Listens for the app. Express sets the prototype of every request and answer it gets (`Object.setPrototypeOf`, which
 * makes V8 drop its optimized code: 9.4k instead of 29.7k POSTs a second on one core, expressjs #5998). Here they are
 * born with those prototypes, so setting them again changes nothing.
 */
export async function listen(
  app: Express,
  { host, port, exclusive = false, maxInFlight, silenceMs = 30_000, metrics, tracer }: HttpServerOptions,
): Promise<HttpServer> {
  const AppRequest = bornWith(IncomingMessage, app.request);
  const AppResponse = bornWith(ServerResponse, app.response);

  let inFlight = 0;
  metrics.countInFlight(() => inFlight);
  let draining = false;
  const finished = (req: Traced, res: ServerResponse, started: number) => {
    const now = performance.now();
    const traceId = req.trace && tracer?.finished(req.trace, req, res, now);
    metrics.finished(req, res, (now - started) / 1000, traceId);
  };
  const server: Server = createServer({
    IncomingMessage: AppRequest,
    ServerResponse: AppResponse,
    keepAliveTimeout: 65_000,
    // How often Node looks for requests that take too long to arrive; by default only every 30 s.
    connectionsCheckingInterval: 1_000,
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  server.timeout = silenceMs;
  server.maxRequestsPerSocket = 0;
  server.on('request', (req: Traced, res: ServerResponse) => {
    if (draining) res.shouldKeepAlive = false;
    const observed = isObserved(req.url ?? '');
    if (observed) {
      const started = performance.now();
      req.trace = tracer?.begin(req, started);
      if (inFlight >= maxInFlight) {
        refuseBusy(req, res);
        finished(req, res, started);
        return;
      }
      let counted = false;
      // A body on its way is no work: clients that send it slowly must not keep others out. Those that come to their end
      // together find the places taken; serve.ts does not begin what is answered here. A body that nobody reads ends only
      // after the answer, when Node throws it away: then nothing begins, and nothing would take the place back.
      const begin = () => {
        if (res.headersSent || res.destroyed) return;
        if (inFlight >= maxInFlight) {
          refuseBusy(req, res);
          return;
        }
        counted = true;
        inFlight++;
      };
      if (awaitsBody(req)) req.once('end', begin);
      else begin();
      res.once('close', () => {
        if (counted) inFlight--;
        finished(req, res, started);
      });
    }
    app(req as never, res as never);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive, backlog: 1024 }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    drain() {
      draining = true;
    },
    close: (timeoutMs) => close(server, timeoutMs),
  };
}

/** Not those who look at the process: a watcher of /live would count as a request that takes minutes. */
const isObserved = (url: string): boolean =>
  !url.startsWith('/health') && url !== '/metrics' && !/^\/live(?![^/?])/.test(url);

/** Whether work begins with the end of a body: those of other methods, like GET and DELETE, are read by no route. */
const awaitsBody = ({ method, headers }: IncomingMessage): boolean =>
  (method === 'POST' || method === 'PATCH') &&
  (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0');

/** The class `base` whose instances have `prototype`, which itself inherits from the base's. */
function bornWith<Base extends new (...args: never[]) => object>(base: Base, prototype: object): Base {
  function Born(...args: unknown[]) {
    return Reflect.construct(base, args, Born);
  }
  Born.prototype = prototype;
  return Born as unknown as Base;
}

function refuseBusy(req: IncomingMessage, res: ServerResponse): void {
  const text = JSON.stringify(
    refusalBody(refuse('COMMON503', { reason: 'too many requests in flight' }), traceIdOf(req)),
  );
  res.writeHead(503, {
    'Content-Type': 'application/json; charset=utf-8',
    'Retry-After': 1,
    'Content-Length': Buffer.byteLength(text),
  });
  res.end(text);
}

async function close(server: Server, timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A kept-alive connection is told to close with its next answer; idle ones go now and then.
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
