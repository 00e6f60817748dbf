import { Coalescer } from '../core/coalesce.ts';
import { Combiner } from '../core/combiner.ts';
import type { Config } from '../core/config.ts';
import { type Route, route } from '../core/http/serve.ts';
import type { Metrics } from '../core/metrics.ts';
import type { WritePool } from '../core/mysql.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import { Unavailable } from '../core/unavailable.ts';
import type { Models } from '../database/models.ts';
import { type Charge, chargeAll, madeUpKey } from './charge.ts';
import { balanceEndpoint, type ChargeResponse, chargeEndpoint, historyEndpoint } from './contract.ts';
import { readBalance, readHistory } from './reads.ts';

export interface BalanceDeps {
  config: Config;
  models: Models;
  pool: WritePool;
  metrics: Metrics;
}

export function balanceRoutes({ config, models, pool, metrics }: BalanceDeps): Route[] {
  const combiner = new Combiner<Charge, Outcome<ChargeResponse>>({
    operation: 'charge',
    lanes: config.chargeLanes,
    maxBatch: config.maxBatch,
    maxQueue: config.maxQueue,
    maxWaitMs: config.maxWaitMs,
    laneKey: ({ userId }) => userId,
    run: (charges, deadline, record) => chargeAll(pool, charges, deadline, record),
    isShared: (error) => error instanceof Unavailable,
    onBatch: (size) => metrics.batchSize.observe({ combiner: 'charge' }, size),
    onQueue: (waiting) => metrics.queued.set({ combiner: 'charge' }, waiting),
    onWait: (milliseconds) => metrics.locks.waited('combiner', milliseconds),
  });
  const running = new Coalescer<ChargeResponse>();

  return [
    route(chargeEndpoint, ({ params: { userId }, body: { amount, transactionId }, key, deadline }) => {
      if (key !== undefined && transactionId !== undefined && key !== transactionId) {
        const problem = 'differs from the Idempotency-Key header';
        return Promise.resolve(refuse('COMMON400', { field: 'transactionId', problem }));
      }
      const given = key ?? transactionId;
      if (given === undefined) return combiner.submit({ userId, amount, key: madeUpKey() }, deadline);
      return running.run(`${userId} ${given}`, String(amount), () =>
        combiner.submit({ userId, amount, key: given }, deadline),
      );
    }),
    route(balanceEndpoint, ({ params }) => readBalance(models, params.userId)),
    route(historyEndpoint, ({ params, query }) => readHistory(models, params.userId, query)),
  ];
}
