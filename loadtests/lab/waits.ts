import { growth, labelValues, observed, type Reading } from '../bench/exposition.ts';

/** Time that requests spent waiting for what another one holds, by place, in milliseconds. */
export interface Wait {
  at: string;
  count: number;
  mean: number;
}

/** Between two readings of a server's metrics, longest first. Row figures are the locking statement's whole time. */
export function waitsBetween(before: Reading, after: Reading): Wait[] {
  return labelValues(after, 'onrush_lock_wait_seconds_count', 'at')
    .map((at) => {
      const { count, sum } = observed(before, after, 'onrush_lock_wait_seconds', { at });
      return { at, count, mean: count > 0 ? (sum / count) * 1000 : 0 };
    })
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.mean - a.mean);
}

/** Whole transactions that were run again, and CPU seconds of the server. */
export const effortBetween = (before: Reading, after: Reading): { retries: number; cpuSeconds: number } => ({
  retries: growth(before, after, 'onrush_transaction_retries_total'),
  cpuSeconds: growth(before, after, 'process_cpu_seconds_total'),
});
