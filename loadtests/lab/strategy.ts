import type { Redis } from 'ioredis';
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { ChargeResponse } from '../../services/balance/contract.ts';
import type { Metrics } from '../../services/core/metrics.ts';
import type { WritePool } from '../../services/core/mysql.ts';
import type { Names } from '../../services/core/names.ts';
import type { Outcome } from '../../services/core/refusals.ts';
import type { IssueResponse } from '../../services/coupon/contract.ts';
import type { OrderResponse } from '../../services/order/contract.ts';

/** The three writes that strategies compete at. */
export const WRITES = ['coupon', 'charge', 'order'] as const;
export type Write = (typeof WRITES)[number];

/** What a strategy has to work with; the same for all. */
export interface Deps {
  pool: WritePool;
  redis: Redis;
  kafka: Kafka;
  /** First part of every Redis key. */
  namespace: string;
  names: Names;
  metrics: Metrics;
  logger: Logger;
  /** Called in reverse order when the process stops. */
  atStop(stop: () => Promise<void>): void;
}

export interface ChargeRequest {
  userId: string;
  amount: number;
  key: string;
}

export interface IssueRequest {
  couponId: string;
  userId: string;
  key: string;
}

export interface OrderRequest {
  userId: string;
  key: string;
}

/** Serves one request; `deadline` is milliseconds since the epoch. */
export type Serve<Request, Response> = (request: Request, deadline: number) => Promise<Outcome<Response>>;

export type ChargeStrategy = (deps: Deps) => Serve<ChargeRequest, ChargeResponse>;
/** One that works in the background as well is ready when the promise resolves. */
export type CouponStrategy = (
  deps: Deps,
) => Serve<IssueRequest, IssueResponse> | Promise<Serve<IssueRequest, IssueResponse>>;
export type OrderStrategy = (deps: Deps) => Serve<OrderRequest, OrderResponse>;
