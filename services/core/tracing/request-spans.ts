import type { Attributes } from '@opentelemetry/api';
import type { Role } from '../config.ts';
import { epochOf } from './clock.ts';
import type { RequestTrace } from './request-trace.ts';
import type { Span } from './span.ts';
import { childOf } from './trace-context.ts';
import { transactionSpans } from './transaction-spans.ts';

/** What decides about a route's requests. */
export interface TracedRoute {
  role: Role;
  /** A request that took longer is traced whatever was drawn. Milliseconds. */
  slowAfter: number;
}

/** How a request ended. */
export interface Ended {
  method: string;
  route: string;
  status: number;
  /** By performance.now(). */
  at: number;
  because: 'sampled' | 'failed' | 'slow';
}

/** The spans of one request that is over, those of its transactions included, unless another request has written them. */
export function requestSpans(trace: RequestTrace, { role }: TracedRoute, ended: Ended): Span[] {
  const own = { traceId: trace.traceId, spanId: trace.spanId };
  const parts = trace.parts.map(
    ({ name, from, to, context, attributes = {} }): Span => ({
      ...(context ?? childOf(own)),
      role,
      name,
      kind: name === 'gate' ? 'producer' : 'internal',
      parent: own,
      from: epochOf(from),
      to: epochOf(to),
      attributes,
    }),
  );
  const transactions: Span[] = [];
  for (const record of trace.transactions) {
    if (record.span) continue;
    record.span = childOf(own);
    transactions.push(...transactionSpans(record, record.span, role, own, []));
  }
  const elsewhere = trace.transactions.flatMap(({ span }) => (span && span.traceId !== own.traceId ? [span] : []));
  const whole: Span = {
    ...own,
    role,
    name: `${ended.method} ${ended.route}`,
    kind: 'server',
    parent: trace.parent,
    links: elsewhere,
    from: epochOf(trace.started),
    to: epochOf(ended.at),
    attributes: {
      'http.request.method': ended.method,
      'http.route': ended.route,
      'http.response.status_code': ended.status,
      'onrush.traced': ended.because,
      ...about(trace),
    },
    failure: ended.status >= 500 ? `status ${ended.status}` : undefined,
  };
  return [whole, ...parts, ...transactions];
}

/** By these a request is found again: whom it was for, under which key, and what it was answered. */
function about({ asked, madeUpKey, outcome }: RequestTrace): Attributes {
  const given = { ...(asked?.params as object), ...(asked?.body as object | undefined) } as Record<string, unknown>;
  const key = asked?.key ?? given.transactionId ?? madeUpKey;
  const found: Attributes = {};
  if (typeof given.userId === 'string') found['onrush.user_id'] = given.userId;
  if (typeof given.couponId === 'string') found['onrush.coupon_id'] = given.couponId;
  if (typeof key === 'string') found['onrush.idempotency_key'] = key;
  if (outcome?.ok === false) found['onrush.refusal'] = outcome.code;
  if (outcome?.ok) {
    const { orderId } = (outcome.value ?? {}) as { orderId?: string };
    if (orderId !== undefined) found['onrush.order_id'] = orderId;
    if (outcome.replayed) found['onrush.replayed'] = true;
  }
  return found;
}
