import type { Redis } from 'ioredis';
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { ChargeResponse } from '../../services/balance/contract.ts';
import type { Metrics } from '../../services/core/metrics.ts';
import type { WritePool } from '../../services/core/mysql.ts';
import type { Names } from '../../services/core/names.ts';
import type { Outcome } from '../../services/core/refusals.ts';

/** The three writes that strategies compete at. */
export const WRITES = ['coupon', 'charge', 'order'] as const;
export type Write = (typeof WRITES)[number];

/** What a strategy has to work with; the same for all. */
export interface Deps {
  pool: WritePool;
  redis: Redis;
  kafka: Kafka;
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

/** Serves one request; `deadline` is milliseconds since the epoch. */
export type Serve<Request, Response> = (request: Request, deadline: number) => Promise<Outcome<Response>>;

export type ChargeStrategy = (deps: Deps) => Serve<ChargeRequest, ChargeResponse>;
