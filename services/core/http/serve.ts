import type { IncomingMessage } from 'node:http';
import type { Express, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Authenticate, Caller } from '../auth/authenticate.ts';
import type { RateLimit } from '../auth/rate-limit.ts';
import { userAt } from '../auth/user-of.ts';
import { newTraceId } from '../ids.ts';
import { type Outcome, REFUSALS, type Refusal, refuse } from '../refusals.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import { readTraceparent } from '../tracing/trace-context.ts';
import { Unavailable } from '../unavailable.ts';
import { type Endpoint, IDEMPOTENCY_KEY, none, routeOf } from './endpoint.ts';
import type { HttpMetrics } from './metrics.ts';
import { BODY_LIMIT, type BodyError, readJson } from './read-json.ts';

/** What a handler gets: everything validated, nothing of Express. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  params: Params;
  query: Query;
  body: Body;
  /** The Idempotency-Key header, where the endpoint takes one and the client sent one. */
  key: string | undefined;
  /** Milliseconds since the epoch; no answer is awaited past it. */
  deadline: number;
  /** What the operation notes of its waits; absent where nothing is traced. */
  trace: RequestTrace | undefined;
}

/** A request with what is known of it so far (server.ts). */
export type Traced = IncomingMessage & { trace?: RequestTrace | undefined };
/** A request whose token was verified. */
type Called = Traced & { caller?: Caller };

// biome-ignore lint/suspicious/noExplicitAny: a route list holds endpoints of every shape
type AnyEndpoint = Endpoint<any, any, any, any>;
type Parsed<S> = S extends z.ZodType ? z.infer<S> : undefined;

export interface Route {
  endpoint: AnyEndpoint;
  // biome-ignore lint/suspicious/noExplicitAny: see above; `route` below checks each pair
  handle: (call: Call<any, any, any>) => Promise<Outcome<unknown>>;
}

/** Pairs an endpoint with the function that serves it; a handler whose answer is not the contract's does not compile. */
export function route<E extends AnyEndpoint>(
  endpoint: E,
  handle: (
    call: Call<Parsed<E['params']>, Parsed<E['query']>, Parsed<E['body']>>,
  ) => Promise<Outcome<E['answer'] extends z.ZodType ? z.input<E['answer']> : undefined>>,
): Route {
  return { endpoint, handle };
}

export interface ServeOptions {
  logger: Logger;
  metrics: HttpMetrics;
  requestTimeoutMs: number;
  /** True for errors by which a model says that its engine is away. Writes say themselves what became of them. */
  isEngineAway(error: unknown): boolean;
  /** Absent where anybody may act for anybody. */
  guard?: Guard | undefined;
}

/** Stands before every route alike. */
export interface Guard {
  authenticate: Authenticate;
  limit?: RateLimit | undefined;
  /** Named to those who lack it. */
  adminScope: string;
}

/** Mounts the routes. Every write body is JSON of at most 16 KiB; one that says it is larger is not read at all. */
export function serve(app: Express, routes: Route[], options: ServeOptions): void {
  for (const { endpoint, handle } of routes) {
    const path = routeOf(endpoint);
    const answer = answerer(endpoint, handle, options);
    const admitted = guarded(endpoint, options);
    if (!endpoint.body) {
      app[endpoint.method](
        path,
        admitted((req, res) => answer(req, res, undefined)),
      );
      continue;
    }
    const read = (req: Request, res: Response) => {
      if (Number(req.headers['content-length']) > BODY_LIMIT) {
        send(req, res, refuse('COMMON413'), endpoint, options.metrics);
        return;
      }
      readJson(req, res, (error, body) => {
        if (error) send(req, res, bodyRefusal(error), endpoint, options.metrics);
        else if (!res.headersSent) answer(req, res, body);
      });
    };
    app[endpoint.method](path, admitted(read));
  }
}

type Handler = (req: Request, res: Response) => void;

/**
 * Lets in who has a valid token, the scope that the endpoint needs, and calls left. All that is asked before a body is read;
 * whose the call is, only the body may tell.
 */
function guarded(endpoint: AnyEndpoint, { guard, metrics }: ServeOptions): (next: Handler) => RequestHandler {
  if (!guard) return (next) => next;
  const { authenticate, limit, adminScope } = guard;
  const challenge = `Bearer error="insufficient_scope", scope="${adminScope}"`;
  return (next) => (req, res, failed) => {
    const decide = (caller: Caller | Refusal) => {
      if ('ok' in caller) {
        if (caller.code === 'A401')
          res.setHeader('WWW-Authenticate', req.headers.authorization ? 'Bearer error="invalid_token"' : 'Bearer');
        send(req, res, caller, endpoint, metrics);
        return;
      }
      const wait = limit?.(caller.user) ?? 0;
      if (wait > 0) {
        res.setHeader('Retry-After', Math.ceil(wait / 1_000));
        send(req, res, refuse('A429'), endpoint, metrics);
        return;
      }
      if (endpoint.admin && !caller.admin) {
        res.setHeader('WWW-Authenticate', challenge);
        send(req, res, refuse('A403', { scope: adminScope }), endpoint, metrics);
        return;
      }
      (req as Called).caller = caller;
      next(req, res);
    };
    const caller = authenticate(req.headers.authorization);
    if (caller instanceof Promise) caller.then(decide).catch(failed);
    else decide(caller);
  };
}

function answerer(
  endpoint: AnyEndpoint,
  handle: Route['handle'],
  { logger, metrics, requestTimeoutMs, isEngineAway, guard }: ServeOptions,
) {
  const owners = guard ? userAt(endpoint) : [];
  const isAnothers = (part: object, req: Request) =>
    (part as { userId?: unknown }).userId !== (req as Called).caller?.user;
  return (req: Request, res: Response, sent: unknown): void => {
    const call = validate(endpoint, req, sent, Date.now() + requestTimeoutMs);
    if ('ok' in call) {
      send(req, res, call, endpoint, metrics);
      return;
    }
    if (call.trace) call.trace.asked = call;
    if (owners.some((part) => part !== 'answer' && isAnothers(call[part] as object, req))) {
      send(req, res, refuse('COMMON403'), endpoint, metrics);
      return;
    }
    const timer = setTimeout(
      () => send(req, res, unanswered(endpoint, 'deadline passed'), endpoint, metrics),
      requestTimeoutMs,
    );
    // What a handler throws before its first await is no different from what it throws later.
    new Promise<Outcome<unknown>>((resolve) => resolve(handle(call)))
      .then((outcome) => {
        clearTimeout(timer);
        const hidden = owners.includes('answer') && outcome.ok && isAnothers(outcome.value as object, req);
        send(req, res, hidden ? refuse('COMMON403') : outcome, endpoint, metrics);
      })
      .catch((error: unknown) => {
        clearTimeout(timer);
        if (error instanceof Unavailable) {
          send(req, res, refuse(error.code, error.message ? { reason: error.message } : undefined), endpoint, metrics);
          return;
        }
        if (isEngineAway(error)) {
          send(req, res, unanswered(endpoint, 'the database is out of reach'), endpoint, metrics);
          return;
        }
        const traceId = traceIdOf(req);
        logger.error({ err: error, operation: endpoint.operation, traceId }, 'request failed');
        send(req, res, refuse('COMMON500'), endpoint, metrics, traceId);
      });
  };
}

/** A read that failed did nothing; what became of a write is unknown. */
const unanswered = (endpoint: AnyEndpoint, reason: string): Refusal =>
  endpoint.method === 'get' ? refuse('COMMON503', { reason }) : refuse('COMMON504');

const NO_QUERY = { success: true, data: {} } as const;

function validate(endpoint: AnyEndpoint, req: Request, sent: unknown, deadline: number): Call | Refusal {
  const params = endpoint.params.safeParse(req.params);
  if (!params.success) return invalid(params.error, 'path');
  // Express parses the query whenever it is looked at.
  const query = endpoint.query === none && !req.url.includes('?') ? NO_QUERY : endpoint.query.safeParse(req.query);
  if (!query.success) return invalid(query.error, 'query');
  let body: unknown;
  if (endpoint.body) {
    if (sent === undefined) return { ...refuse('COMMON415', { field: 'Content-Type' }) };
    const parsed = endpoint.body.safeParse(sent);
    if (!parsed.success) return invalid(parsed.error, 'body');
    body = parsed.data;
  }
  const key = endpoint.idempotent ? req.headers['idempotency-key'] : undefined;
  if (key !== undefined && (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)))
    return refuse('COMMON400', { field: 'Idempotency-Key', problem: 'expected 1 to 64 printable ASCII characters' });
  // Node joins repeated headers by a comma, which a key may hold.
  if (key?.includes(',') && (req.headersDistinct['idempotency-key']?.length ?? 0) > 1)
    return refuse('COMMON400', { field: 'Idempotency-Key', problem: 'given more than once' });
  return { params: params.data, query: query.data, body, key, deadline, trace: (req as Traced).trace };
}

function invalid(error: z.ZodError, where: string): Refusal {
  const problems = error.issues.flatMap((issue) => {
    const fields =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((name) => [...issue.path, name].join('.'))
        : [issue.path.join('.')];
    return fields.map((field) => ({ field: field || where, problem: issue.message }));
  });
  return refuse('COMMON400', { ...problems[0], ...(problems.length > 1 ? { problems } : {}) });
}

function bodyRefusal({ type, status }: BodyError): Refusal {
  if (type === 'entity.too.large') return refuse('COMMON413');
  if (status === 415) return refuse('COMMON415');
  return refuse('COMMON400', { field: 'body', problem: type === 'request.aborted' ? 'incomplete' : 'not valid JSON' });
}

/** The caller's trace id where it sent a valid one (W3C: neither version ff nor an id of zeros), else a new one. */
export function traceIdOf(req: Traced): string {
  return req.trace?.traceId ?? readTraceparent(req.headers.traceparent)?.traceId ?? newTraceId();
}

/** Headers of every API answer. */
const HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;
const FLAT_HEADERS = Object.entries(HEADERS).flat();

function send(
  req: Request,
  res: Response,
  outcome: Outcome<unknown>,
  endpoint: AnyEndpoint,
  metrics: HttpMetrics,
  traceId?: string,
): void {
  if (res.headersSent || res.destroyed) return;
  const { trace } = req as Traced;
  if (trace) trace.outcome = outcome;
  const status = outcome.ok ? endpoint.status : (outcome.status ?? REFUSALS[outcome.code].status);
  metrics.refused(endpoint.operation, outcome);
  if (outcome.ok && outcome.value === undefined) {
    res.writeHead(status, { 'Cache-Control': 'no-store' });
    res.end();
    return;
  }
  const text = JSON.stringify(outcome.ok ? outcome.value : refusalBody(outcome, traceId ?? traceIdOf(req)));
  const headers = [...FLAT_HEADERS, 'Content-Length', String(Buffer.byteLength(text))];
  if (outcome.ok && outcome.replayed) headers.push('Idempotency-Replayed', 'true');
  if (status === 503) headers.push('Retry-After', '1');
  // The rest of a body that was refused unread must not be taken for the next request.
  if (status === 413 || ((status === 401 || status === 429) && mayBeLong(req))) headers.push('Connection', 'close');
  res.writeHead(status, headers);
  res.end(text);
}

const mayBeLong = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > BODY_LIMIT;

export const refusalBody = ({ code, details }: Refusal, traceId: string) => ({
  code,
  message: REFUSALS[code].message,
  timestamp: new Date().toISOString(),
  traceId,
  ...(details ? { details } : {}),
});

/** Everything that no route took. */
export function refuseUnknown(app: Express, routes: Route[]): void {
  const patterns = routes.map(({ endpoint }) => ({
    pattern: new RegExp(`^${endpoint.path.replace(/\{\w+\}/g, '[^/]+')}/?$`),
    fixed: !endpoint.path.includes('{'),
    methods: endpoint.method === 'get' ? ['GET', 'HEAD'] : [endpoint.method.toUpperCase()],
  }));
  app.use((req: Request, res: Response) => {
    const matching = patterns.filter(({ pattern }) => pattern.test(req.path));
    // /api/coupons/validate is no coupon.
    const fixed = matching.filter(({ fixed }) => fixed);
    const allowed = (fixed.length > 0 ? fixed : matching).flatMap(({ methods }) => methods);
    const details = { path: req.path.slice(0, 200) };
    if (allowed.length === 0) sendRefusal(req, res, refuse('COMMON404', details));
    else sendRefusal(req, res, refuse('COMMON405', details), { Allow: [...new Set(allowed)].sort().join(', ') });
  });
  // Express calls this for a path that is not valid percent-encoding, and for what nobody foresaw.
  app.use((error: unknown, req: Request, res: Response, _next: unknown) => {
    const { status = 500 } = error as { status?: number };
    if (status === 400) sendRefusal(req, res, refuse('COMMON400', { field: 'path', problem: 'not a valid URL' }));
    else if (status > 400 && status < 500)
      sendRefusal(req, res, { ...refuse('COMMON400', { field: 'headers' }), status });
    else sendRefusal(req, res, refuse('COMMON500'));
  });
}

function sendRefusal(req: Request, res: Response, refusal: Refusal, headers: Record<string, string> = {}): void {
  if (res.headersSent) return;
  const text = JSON.stringify(refusalBody(refusal, traceIdOf(req)));
  res.writeHead(refusal.status ?? REFUSALS[refusal.code].status, {
    ...HEADERS,
    ...headers,
    'Content-Length': Buffer.byteLength(text),
  });
  res.end(text);
}
