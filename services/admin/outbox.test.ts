import { pino } from 'pino';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { runProgram } from '../../loadtests/test/run-program.ts';
import { eventually } from '../../loadtests/test/stack.ts';
import { createMetrics } from '../core/metrics.ts';
import { openWritePool } from '../core/mysql.ts';
import { startOutboxRelay } from '../core/outbox.ts';
import { parseOutboxOptions } from './outbox.ts';

let own: OwnStack;
beforeAll(async () => {
  own = await ownStack('redrive', { topics: true });
}, 60_000);
afterAll(() => own.remove());
beforeEach(() => own.db.query('DELETE FROM outbox_events'));

const insert = (status: string, from: number, count: number) =>
  own.db.query(
    `INSERT INTO outbox_events (aggregate_id, event_type, payload, status, attempts, last_error, next_attempt_at, created_at)
     VALUES ?`,
    [
      Array.from({ length: count }, (_, n) => {
        const now = new Date();
        return [
          `order-${from + n}`,
          'TEST',
          '{"n":1}',
          status,
          20,
          status === 'FAILED' ? 'the disk is\nfull' : null,
          now,
          now,
        ];
      }),
    ],
  );
const countOf = (status: string, attempts: number) =>
  own.value('SELECT COUNT(*) FROM outbox_events WHERE status = ? AND attempts = ?', [status, attempts]);

const run = (args: string[], env: Record<string, string> = {}) =>
  runProgram('services/admin/outbox.ts', args, { ...own.env, ...env });

describe('npm run outbox', () => {
  it('lists what the relay gave up, with the reason, and counts what waits', async () => {
    await insert('FAILED', 1, 3);
    await insert('PENDING', 4, 2);
    await insert('PUBLISHED', 6, 1);
    const { code, out } = await run(['--list', '--limit', '2']);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^id +aggregate +type +attempts +since +last error$/);
    expect(lines[1]).toMatch(/^\d+ +order-1 +TEST +20 +\d{4}-\d\d-\d\dT[\d:.]+Z +the disk is\\x0afull$/);
    expect(lines.slice(2)).toEqual([expect.stringContaining('order-2'), '3 FAILED, 2 PENDING; shown: 2 FAILED']);
    expect(code).toBe(0);

    const pending = await run(['--list', '--status', 'PENDING', '--json']);
    const events = pending.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ aggregate_id }) => aggregate_id)).toEqual(['order-4', 'order-5']);
  });

  it('makes every FAILED event PENDING again with all attempts before it, and no other', async () => {
    await insert('FAILED', 1, 2_500);
    await insert('PENDING', 3_001, 2);
    await insert('PUBLISHED', 3_003, 1);
    expect((await run(['--redrive'])).out).toBe('2500 events are PENDING again\n');
    expect(await countOf('PENDING', 0)).toBe(2_500);
    expect([await countOf('PENDING', 20), await countOf('PUBLISHED', 20)]).toEqual([2, 1]);
    expect((await run(['--redrive'])).out).toBe('no FAILED events\n');
  });

  it('takes single events, and changes nothing if one of them is not FAILED', async () => {
    await insert('FAILED', 1, 3);
    await insert('PENDING', 4, 1);
    const [rows] = await own.db.query('SELECT id FROM outbox_events ORDER BY id');
    const [one, two, , pending] = (rows as { id: number }[]).map(({ id }) => String(id)) as [
      string,
      string,
      string,
      string,
    ];
    const wrong = await run(['--redrive', '--id', one, '--id', pending, '--id', '99999']);
    expect(wrong.err).toBe(`BadOption: --id ${pending}, 99999: no FAILED event; nothing was changed\n`);
    expect(wrong.code).toBe(2);
    expect(await countOf('FAILED', 20)).toBe(3);
    expect((await run(['--redrive', '--id', one, '--id', two, '--id', one])).out).toBe('2 events are PENDING again\n');
    expect([await countOf('FAILED', 20), await countOf('PENDING', 0)]).toEqual([1, 2]);
  });

  it('gives the relay events that it then publishes', async () => {
    await insert('FAILED', 1, 20);
    const metrics = createMetrics();
    const pool = openWritePool({
      databaseUrl: own.config.databaseUrl,
      connections: 2,
      lockWaitTimeoutS: 3,
      metrics: metrics.locks,
    });
    const relay = startOutboxRelay({
      pool,
      kafka: own.kafka,
      topic: own.names.orderTopic,
      metrics,
      logger: pino({ level: 'silent' }),
      maxAttempts: 20,
    });
    const failed = async () =>
      (await metrics.registry.getSingleMetricAsString('onrush_outbox_backlog')).includes('{status="FAILED"} 20');
    await eventually(failed, (told) => told);
    await run(['--redrive']);
    await eventually(
      () => own.value("SELECT COUNT(*) FROM outbox_events WHERE status = 'PUBLISHED'"),
      (count) => count === 20,
    );
    await relay.stop();
    await pool.close();
  });

  it('says what is wrong in one line', async () => {
    const [nothing, both, status, limit, id, unknown, away] = await Promise.all([
      run([]),
      run(['--list', '--redrive']),
      run(['--list', '--status', 'failed']),
      run(['--list', '--limit', '0']),
      run(['--redrive', '--id', 'order-1']),
      run(['--redriev']),
      run(['--list'], { DATABASE_URL: 'mysql://nobody:secret@127.0.0.1:1/none' }),
    ]);
    expect(nothing.err).toContain('expected either --list or --redrive');
    expect(both.err).toContain('expected either --list or --redrive');
    expect(status.err).toBe('BadOption: --status "failed": expected FAILED or PENDING\n');
    expect(limit.err).toBe('BadOption: --limit "0": expected a whole number from 1 to 999999\n');
    expect(id.err).toBe('BadOption: --id "order-1": expected the number of an event\n');
    expect(unknown.err).toContain("Unknown option '--redriev'");
    expect(away.err).toBe('Error: MySQL at mysql://nobody:****@127.0.0.1:1/none: the database is out of reach\n');
    for (const one of [nothing, both, status, limit, id, unknown, away]) expect(one.code).toBe(2);
    expect(() => parseOutboxOptions(['--redrive', '--status', 'FAILED'])).toThrow('--status goes with --list');
    expect(() => parseOutboxOptions(['--list', '--id', '1'])).toThrow('--id goes with --redrive');
  });
});
