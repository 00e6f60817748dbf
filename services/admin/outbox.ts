import { parseArgs } from 'node:util';
import { maskUrl, parseConfig } from '../core/config.ts';
import { createMetrics } from '../core/metrics.ts';
import { openWritePool, type WritePool } from '../core/mysql.ts';
import { BadOption, parsed } from '../core/options.ts';
import { runAsProgram } from '../core/program.ts';
import { Unavailable } from '../core/unavailable.ts';
import { table } from './table.ts';

const USAGE = `npm run outbox -- --list [--status FAILED|PENDING] [--limit 50] [--json]
npm run outbox -- --redrive [--id ID …]
  --list     events that are not published, the oldest first: FAILED ones, given up by the relay, if no status is given
  --redrive  makes FAILED events PENDING again, with all their attempts before them: all, or those with --id (repeatable)
  --json     one event a line, whole
DATABASE_URL and the other settings of the environment. Exit code: 0, or 2 where an option is wrong or MySQL is away.`;

type Wanted =
  | { action: 'list'; status: 'FAILED' | 'PENDING'; limit: number; json: boolean }
  | { action: 'redrive'; ids: string[] | undefined };

/** @throws BadOption whose message names the option and what was expected */
export function parseOutboxOptions(args: string[]): Wanted | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values: given } = parsed(() =>
    parseArgs({
      args,
      options: {
        list: flag,
        redrive: flag,
        status: text,
        limit: text,
        json: flag,
        id: { type: 'string', multiple: true },
        help: flag,
      },
    }),
  );
  if (given.help) return 'help';
  if (given.list === given.redrive) throw new BadOption(`expected either --list or --redrive\n${USAGE}`);
  if (given.redrive) {
    for (const name of ['status', 'limit', 'json'] as const)
      if (given[name] !== undefined) throw new BadOption(`--${name} goes with --list`);
    for (const id of given.id ?? [])
      if (!/^[1-9]\d{0,15}$/.test(id)) throw new BadOption(`--id "${id}": expected the number of an event`);
    return { action: 'redrive', ids: given.id && [...new Set(given.id)] };
  }
  if (given.id !== undefined) throw new BadOption('--id goes with --redrive');
  const { status = 'FAILED', limit = '50', json = false } = given;
  if (status !== 'FAILED' && status !== 'PENDING')
    throw new BadOption(`--status "${status}": expected FAILED or PENDING`);
  if (!/^[1-9]\d{0,5}$/.test(limit))
    throw new BadOption(`--limit "${limit}": expected a whole number from 1 to 999999`);
  return { action: 'list', status, limit: Number(limit), json };
}

interface EventRow {
  id: number;
  aggregate_id: string;
  event_type: string;
  payload: unknown;
  status: string;
  attempts: number;
  next_attempt_at: Date;
  last_error: string | null;
  created_at: Date;
}

export function unpublishedEvents(pool: WritePool, status: string, limit: number): Promise<EventRow[]> {
  return pool.rows<EventRow>(
    soon(),
    `SELECT id, aggregate_id, event_type, payload, status, attempts, next_attempt_at, last_error, created_at
       FROM outbox_events WHERE status = ? ORDER BY id LIMIT ?`,
    [status, limit],
  );
}

const countOf = async (pool: WritePool, status: string): Promise<number> =>
  (await pool.rows<{ n: number }>(soon(), 'SELECT COUNT(*) AS n FROM outbox_events WHERE status = ?', [status]))[0]
    ?.n ?? 0;

/** Events made PENDING by one transaction: their rows stay locked for as long. */
const BATCH = 1_000;

/**
 * Makes FAILED events PENDING again, the oldest first, and returns how many. Each is taken up once, so that one which fails
 * again meanwhile does not keep this from ending. Locks only FAILED rows, which no relay asks for.
 * @throws BadOption if one of `ids` is no FAILED event; then nothing is changed
 */
export async function redrive(pool: WritePool, ids?: string[]): Promise<number> {
  if (ids) {
    return pool.transaction(soon(), async (tx) => {
      const failed = await tx.rows<{ id: number }>(
        `SELECT id FROM outbox_events WHERE id IN (?) AND status = 'FAILED' FOR UPDATE`,
        [ids],
      );
      const others = ids.filter((id) => !failed.some((row) => String(row.id) === id));
      if (others.length > 0) throw new BadOption(`--id ${others.join(', ')}: no FAILED event; nothing was changed`);
      return (await tx.write(AGAIN, [ids])).affectedRows;
    });
  }
  let sum = 0;
  for (let after = 0; ; ) {
    const [last, changed] = await pool.transaction(soon(), async (tx) => {
      const rows = await tx.rows<{ id: number }>(
        `SELECT id FROM outbox_events WHERE status = 'FAILED' AND id > ? ORDER BY id LIMIT ${BATCH} FOR UPDATE`,
        [after],
      );
      if (rows.length === 0) return [undefined, 0];
      return [rows.at(-1)?.id, (await tx.write(AGAIN, [rows.map(({ id }) => id)])).affectedRows];
    });
    if (last === undefined) return sum;
    sum += changed;
    after = last;
  }
}

const AGAIN = `UPDATE outbox_events SET status = 'PENDING', attempts = 0, next_attempt_at = NOW(3) WHERE id IN (?)`;
const soon = () => Date.now() + 30_000;

runAsProgram('services/admin/outbox.ts', async () => {
  const wanted = parseOutboxOptions(process.argv.slice(2));
  if (wanted === 'help') {
    console.log(USAGE);
    return;
  }
  const { databaseUrl, lockWaitTimeoutS } = parseConfig(process.env);
  const metrics = createMetrics({ on: false }).locks;
  const pool = openWritePool({ databaseUrl, connections: 1, lockWaitTimeoutS, metrics });
  try {
    if (wanted.action === 'redrive') {
      const events = await redrive(pool, wanted.ids);
      console.log(events === 0 ? 'no FAILED events' : `${events} events are PENDING again`);
      return;
    }
    const events = await unpublishedEvents(pool, wanted.status, wanted.limit);
    if (wanted.json) {
      for (const event of events) console.log(JSON.stringify(event));
      return;
    }
    if (events.length > 0) console.log(tableOf(events));
    const [failed, pending] = await Promise.all([countOf(pool, 'FAILED'), countOf(pool, 'PENDING')]);
    console.log(`${failed} FAILED, ${pending} PENDING; shown: ${events.length} ${wanted.status}`);
  } catch (error) {
    if (error instanceof Unavailable) throw new Error(`MySQL at ${maskUrl(databaseUrl)}: ${error.message}`);
    throw error;
  } finally {
    await pool.close();
  }
});

const tableOf = (events: EventRow[]): string =>
  table(
    ['id', 'aggregate', 'type', 'attempts', 'since', 'last error'],
    events.map((event) => [
      event.id,
      event.aggregate_id,
      event.event_type,
      event.attempts,
      event.created_at.toISOString(),
      event.last_error ?? '',
    ]),
  );
