import { HOLD_PLACES, OPERATIONS, RETRY_REASONS, WAIT_PLACES } from '../../services/core/metrics.ts';
import { mysql, onrush } from './metrics.ts';
import { atLeast, DASHBOARD, divide, like, max, or, overTime, queries, sum, unlike } from './promql.ts';
import type { DashboardSpec, Panel } from './spec.ts';

const { value, range, rate, increase, rateOfSum, quantile } = queries(DASHBOARD);

const rows = like('.+_row');

const where: Panel[] = [
  {
    kind: 'chart',
    title: 'Requests waiting, by place',
    description:
      'How many wait at a time, on average. The widest band holds everything back; combiner means the transaction before, pool and read pool a connection, a row another transaction.',
    width: 16,
    unit: 'short',
    decimals: 2,
    stacked: true,
    names: WAIT_PLACES,
    queries: [
      { legend: '{{at}}', expr: sum(rateOfSum(onrush.lockWait), ['at']) },
      {
        legend: 'read pool',
        expr: sum(overTime('avg', range(onrush.pool, { pool: 'read', state: 'waiting' }, '$__rate_interval'))),
        colour: 'grey',
      },
    ],
  },
  {
    kind: 'bars',
    title: 'Slowest 5 % wait at least',
    description:
      'p95 of a single wait, by place. One that is long and rarely used is no bottleneck: compare with the bands.',
    width: 8,
    height: 8,
    unit: 's',
    queries: [{ legend: '{{at}}', expr: quantile(0.95, onrush.lockWait, {}, ['at']) }],
    limits: { attention: 0.05, bad: 0.25 },
  },
];

const rowLocks: Panel[] = [
  {
    kind: 'chart',
    title: 'Rows: time until locked (p95)',
    description:
      'The locking statement’s whole time, so an upper bound. One kind rises: those rows are contended by several processes, or held by somebody outside.',
    width: 8,
    unit: 's',
    names: WAIT_PLACES,
    queries: [{ legend: '{{at}}', expr: quantile(0.95, onrush.lockWait, { at: rows }, ['at']) }],
  },
  {
    kind: 'chart',
    title: 'Time held (p95)',
    description:
      'From having a lock to giving it back. Whoever waits, waits for this: long holds mean slow statements, slow fsyncs or a program that pauses inside a transaction.',
    width: 8,
    unit: 's',
    names: HOLD_PLACES,
    queries: [{ legend: '{{at}}', expr: quantile(0.95, onrush.lockHold, {}, ['at']) }],
  },
  {
    kind: 'chart',
    title: 'Row lock time, as InnoDB counts it',
    description:
      'Transactions that wait for a row at a time, whoever they are. Far above the program’s own bands: another client of the database holds rows.',
    width: 8,
    unit: 'short',
    decimals: 2,
    queries: [
      { legend: 'waiting in the engine', expr: divide(sum(rate(mysql.rowLockMilliseconds)), 1000), colour: 'orange' },
      { legend: 'seen by the program', expr: sum(rateOfSum(onrush.lockWait, { at: rows })), colour: 'blue' },
    ],
  },
  {
    kind: 'bars',
    title: 'Hottest tables and indexes',
    description:
      'Waits that the sampler saw in the chosen time. The row itself, its statement and its blocker are in the gatekeeper’s log: “a transaction waits for a row”.',
    width: 8,
    unit: 'short',
    queries: [
      { legend: '{{table}} {{index}}', expr: sum(increase(onrush.lockWaits, {}, '$__range'), ['table', 'index']) },
    ],
    none: 'none seen',
  },
  {
    kind: 'chart',
    title: 'Transactions that wait for a row',
    description:
      'At the last sample. More than a few for seconds: somebody holds that row; the log names the blocking connection, which can be killed if it is nobody’s.',
    width: 8,
    height: 7,
    unit: 'short',
    queries: [{ legend: '{{table}} {{index}}', expr: sum(value(onrush.lockWaiters), ['table', 'index']) }],
    none: 'none seen',
  },
  {
    kind: 'chart',
    title: 'Longest wait for a row',
    description: 'At the last sample. At 3 s the engine gives up (1205) and the transaction is run again or refused.',
    width: 8,
    height: 7,
    unit: 's',
    queries: [{ legend: '{{table}} {{index}}', expr: max(value(onrush.lockOldest), ['table', 'index']) }],
    limit: { at: 3, bad: 'above' },
    none: 'none seen',
  },
];

const transactions: Panel[] = [
  {
    kind: 'chart',
    title: 'Transaction time (p95)',
    description:
      'From the connection to the end. It rises with waits for rows, with batches and with slow fsyncs; compare with the panels above.',
    width: 8,
    unit: 's',
    names: OPERATIONS,
    queries: [
      {
        legend: '{{operation}}',
        expr: quantile(0.95, onrush.transaction, { operation: unlike('other|outbox') }, ['operation']),
      },
    ],
  },
  {
    kind: 'chart',
    title: 'Transactions a second',
    description: 'By operation. Few and large is how it works: one transaction serves a whole batch of requests.',
    width: 8,
    unit: 'ops',
    names: OPERATIONS,
    queries: [{ legend: '{{operation}}', expr: sum(rate(onrush.transaction), ['operation']) }],
  },
  {
    kind: 'chart',
    title: 'Transactions without effect',
    description:
      'Rolled back, failed or unknown. Unknown means a connection broke at COMMIT: the keys are looked up again, nothing is lost.',
    width: 8,
    unit: 'ops',
    queries: [
      {
        legend: '{{operation}} {{outcome}}',
        expr: sum(rate(onrush.transaction, { outcome: unlike('committed') }), ['operation', 'outcome']),
      },
    ],
    none: 'all committed',
  },
  {
    kind: 'chart',
    title: 'Transactions run again',
    description:
      'Whole transactions, by reason. Deadlocks: something takes rows in another order. Timeouts: a row is held for seconds.',
    width: 12,
    height: 7,
    unit: 'ops',
    names: RETRY_REASONS,
    queries: [{ legend: '{{reason}}', expr: sum(rate(onrush.retries), ['reason']) }],
  },
  {
    kind: 'chart',
    title: 'Deadlocks in the engine',
    description:
      'Of all clients. The program takes rows in one order and should cause none: look for a second client, or SHOW ENGINE INNODB STATUS.',
    width: 12,
    height: 7,
    unit: 'ops',
    queries: [
      {
        legend: 'deadlocks',
        expr: or(sum(rate(mysql.deadlocks)), sum(rate(mysql.deadlocksOfMariaDb))),
        colour: 'vermilion',
      },
    ],
  },
];

const perPool = ['service', 'pool'] as const;
const queues: Panel[] = [
  {
    kind: 'chart',
    title: 'Connections in use, of those there are',
    description:
      'At 100 % requests wait for a connection. Shorter transactions help; more connections only while MySQL has cores to spare.',
    width: 8,
    unit: 'percentunit',
    max: 1,
    queries: [
      {
        legend: '{{service}} {{pool}}',
        expr: divide(sum(value(onrush.pool, { state: 'in_use' }), perPool), sum(value(onrush.poolSize), perPool)),
      },
    ],
    limit: { at: 0.9, bad: 'above' },
  },
  {
    kind: 'chart',
    title: 'Requests that wait for a connection',
    description: 'More than a few for long: the pool is the bottleneck, see OnrushPoolSaturated in the runbooks.',
    width: 8,
    unit: 'short',
    queries: [{ legend: '{{service}} {{pool}}', expr: sum(value(onrush.pool, { state: 'waiting' }), perPool) }],
  },
  {
    kind: 'chart',
    title: 'Requests for one transaction',
    description:
      'Average batch of a combiner. It grows with contention, which is what keeps hot rows fast; at 64 it can grow no further.',
    width: 8,
    unit: 'short',
    decimals: 1,
    queries: [
      {
        legend: '{{combiner}}',
        expr: divide(
          sum(rateOfSum(onrush.batchSize), ['combiner']),
          atLeast(sum(rate(onrush.batchSize), ['combiner']), 0.001),
        ),
      },
    ],
    names: ['charge', 'checkout'],
    limit: { at: 64, bad: 'above' },
  },
  {
    kind: 'chart',
    title: 'Queue of the next transaction',
    description:
      'Requests that wait in a combiner. At 1,000 in a lane the next one is refused with 503 before any work.',
    width: 12,
    height: 7,
    unit: 'short',
    queries: [{ legend: '{{combiner}}', expr: sum(value(onrush.queued), ['combiner']) }],
    names: ['charge', 'checkout'],
  },
  {
    kind: 'chart',
    title: 'Order lock in Redis',
    description:
      'p95 of taking a user’s order lock, and of holding it. Slow to take: Redis is slow (an order goes on without it after 50 ms).',
    width: 12,
    height: 7,
    unit: 's',
    queries: [
      { legend: 'taken within', expr: quantile(0.95, onrush.lockWait, { at: 'redlock' }), colour: 'blue' },
      { legend: 'held for', expr: quantile(0.95, onrush.lockHold, { at: 'redlock' }), colour: 'orange' },
    ],
  },
];

export const lockWait: DashboardSpec = {
  uid: 'onrush-lock-wait',
  title: 'Onrush / Lock wait',
  description: 'Where requests wait, for whom, and how long.',
  rows: [
    { title: 'Where time is spent waiting', panels: where },
    { title: 'Row locks', panels: rowLocks },
    { title: 'Transactions', panels: transactions },
    { title: 'Pools, combiners and the order lock', panels: queues },
  ],
};
