import { Coalescer } from '../core/coalesce.ts';
import { Combiner } from '../core/combiner.ts';
import type { Config } from '../core/config.ts';
import { type Route, route } from '../core/http/serve.ts';
import type { Metrics } from '../core/metrics.ts';
import type { WritePool } from '../core/mysql.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { RequestTrace } from '../core/tracing/request-trace.ts';
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
    onQueue: metrics.queueOf('charge'),
    onWait: (milliseconds) => metrics.locks.waited('combiner', milliseconds),
  });
  const running = new Coalescer<ChargeResponse>();
  const charge = async (wanted: Charge, deadline: number, trace: RequestTrace | undefined) => {
    const outcome = await combiner.submit(wanted, deadline, trace);
    if (outcome.ok && !outcome.replayed) metrics.moved.charged.inc(wanted.amount);
    return outcome;
  };

  return [
    route(chargeEndpoint, ({ params: { userId }, body: { amount, transactionId }, key, deadline, trace }) => {
      if (key !== undefined && transactionId !== undefined && key !== transactionId) {
        const problem = 'differs from the Idempotency-Key header';
        return Promise.resolve(refuse('COMMON400', { field: 'transactionId', problem }));
      }
      const given = key ?? transactionId;
      if (given === undefined) {
        const made = madeUpKey();
        if (trace) trace.madeUpKey = made;
        return charge({ userId, amount, key: made }, deadline, trace);
      }
      return running.run(`${userId} ${given}`, String(amount), () =>
        charge({ userId, amount, key: given }, deadline, trace),
      );
    }),
    route(balanceEndpoint, ({ params }) => readBalance(models, params.userId)),
    route(historyEndpoint, ({ params, query }) => readHistory(models, params.userId, query)),
  ];
}
