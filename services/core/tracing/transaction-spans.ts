import type { Role } from '../config.ts';
import type { TransactionRecord } from '../transaction-record.ts';
import { epochOf } from './clock.ts';
import type { Span } from './span.ts';
import { childOf, type TraceContext } from './trace-context.ts';

const NAMES = {
  pool: 'wait pool',
  user_row: 'lock user_row',
  coupon_row: 'lock coupon_row',
  stock_row: 'lock stock_row',
  statements: 'statements',
  commit: 'commit',
  rollback: 'rollback',
  retry: 'wait retry',
};

/**
 * The spans of a transaction, under `parent`: the first traced request or message that it served. The others link to it,
 * and it to those that are known by then.
 */
export function transactionSpans(
  record: TransactionRecord,
  context: TraceContext,
  role: Role,
  parent: TraceContext,
  links: TraceContext[],
): Span[] {
  const { operation, size, steps, outcome } = record;
  const retries = steps.filter(({ name }) => name === 'retry').length;
  const whole: Span = {
    ...context,
    role,
    name: `transaction ${operation}`,
    kind: 'client',
    parent,
    links,
    from: epochOf(steps[0]?.from ?? performance.now()),
    to: epochOf(steps.at(-1)?.to ?? performance.now()),
    attributes: {
      'db.system.name': 'mysql',
      'onrush.batch_size': size,
      'onrush.outcome': outcome ?? 'unbegun',
      ...(retries > 0 ? { 'onrush.retries': retries } : {}),
    },
    failure: outcome === 'committed' || outcome === 'rolled_back' ? undefined : (outcome ?? 'no connection'),
  };
  const parts = steps.map(
    ({ name, from, to, reason }): Span => ({
      ...childOf(context),
      role,
      name: NAMES[name],
      kind: 'internal',
      parent: context,
      from: epochOf(from),
      to: epochOf(to),
      attributes: reason === undefined ? {} : { 'onrush.reason': reason },
    }),
  );
  return [whole, ...parts];
}
