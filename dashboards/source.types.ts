import { onrush } from './source/metrics.ts';
import { DASHBOARD, queries, sum } from './source/promql.ts';

/** For the compiler (npm run types): a label that a metric does not have does not compile. */
export const doesNotCompile = () => {
  const { rate } = queries(DASHBOARD);
  // @ts-expect-error: the outcome is a label of transactions
  rate(onrush.lockWait, { outcome: 'committed' });
  // @ts-expect-error: nothing is told of single users
  sum(rate(onrush.lockWait), ['user']);
  // @ts-expect-error: no such metric
  rate(onrush.lockWaitings);
  sum(rate(onrush.lockWait, { at: 'pool' }), ['at', 'pod']);
};
