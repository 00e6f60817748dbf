import { createMetrics, OPERATIONS, RETRY_REASONS, WAIT_PLACES } from './metrics.ts';

const series = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const named = (text: string, name: string) => series(text).filter((line) => line.startsWith(`${name}{`));

describe('the names', () => {
  it('follow the conventions: ours begin with onrush_, counters end in _total, units are base units', async () => {
    const { registry } = createMetrics();
    const ours = (await registry.getMetricsAsJSON()).filter(({ name }) => !/^(process|nodejs)_/.test(name));
    expect(ours.length).toBeGreaterThan(30);
    for (const { name, type, help } of ours) {
      expect(name).toMatch(/^onrush_[a-z_]+$/);
      expect([name, name.endsWith('_total')]).toEqual([name, String(type) === 'counter']);
      expect(name).not.toMatch(/_(ms|milliseconds|millis|count|sum|bucket)$/);
      if (String(type) === 'histogram') expect(name).toMatch(/_seconds$|_size$/);
      expect(help.length).toBeGreaterThan(10);
    }
  });

  it('have every series of an enumeration at zero before anything happened', async () => {
    const text = await createMetrics().registry.metrics();
    expect(named(text, 'onrush_lock_wait_seconds_count')).toEqual(
      WAIT_PLACES.map((at) => `onrush_lock_wait_seconds_count{at="${at}"} 0`),
    );
    expect(named(text, 'onrush_transaction_retries_total')).toHaveLength(OPERATIONS.length * RETRY_REASONS.length);
    expect(text).toContain('onrush_coupon_admissions_total{result="not_loaded"} 0');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).toContain('nodejs_gc_duration_seconds');
    expect(text).toContain('nodejs_heap_size_used_bytes');
  });
});

describe('switched off', () => {
  it('nothing is counted and nothing told', async () => {
    const metrics = createMetrics({ on: false });
    metrics.locks.waited('pool', 5);
    metrics.locks.ended('charge', 'committed', 5);
    metrics.locks.retried('charge', 'deadlock');
    metrics.admitted.admitted.inc();
    metrics.moved.paid.inc(1_000);
    metrics.batchSize.observe({ combiner: 'charge' }, 3);
    metrics.watchPools({
      write: { size: 1, usage: () => ({ inUse: 1, waiting: 1 }) },
      read: { size: 1, usage: () => ({ inUse: 1, waiting: 1 }) },
    });
    expect((await metrics.registry.metrics()).trim()).toBe('');
    // Held by the metric itself, were it still counting.
    expect((await metrics.lockWait.get()).values).toEqual([]);
    expect((await metrics.admissions.get()).values).toEqual([]);
  });
});

describe('locks', () => {
  it('are told in seconds', async () => {
    const metrics = createMetrics();
    metrics.locks.waited('user_row', 250);
    metrics.locks.held('user_row', 1_500);
    metrics.locks.ended('charge', 'rolled_back', 40);
    const text = await metrics.registry.metrics();
    expect(text).toContain('onrush_lock_wait_seconds_sum{at="user_row"} 0.25');
    expect(text).toContain('onrush_lock_hold_seconds_sum{at="user_row"} 1.5');
    expect(text).toContain('onrush_transaction_duration_seconds_sum{operation="charge",outcome="rolled_back"} 0.04');
  });
});
