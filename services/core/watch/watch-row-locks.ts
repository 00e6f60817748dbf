import type { Logger } from 'pino';
import { pause, type Running, runLoop } from '../lifecycle.ts';
import type { Metrics } from '../metrics.ts';
import type { WritePool } from '../mysql.ts';
import { isMariaDb, type RowLockWait, rowLockWaits, someoneWaits } from './row-lock-waits.ts';

export interface RowLockWatch {
  pool: WritePool;
  metrics: Pick<Metrics, 'lockWaiters' | 'lockOldest' | 'lockWaits' | 'lockSamples'>;
  logger: Logger;
}

/** Between looks while nobody waits, and while somebody does. Milliseconds. */
const QUIET = 1_000;
const BUSY = 250;
/** An engine that is busy with its locks is not asked for longer than this. Milliseconds. */
const PATIENCE = 1_000;
/** A wait that has become so long is logged, once. Seconds. */
const LONG = 0.1;
const LINES = 10;

/**
 * Says who waits for whom: totals by table and index as metrics, each long wait as a line of log. Reads the engine's lists
 * only while a cheap number says that somebody waits. One process of all does this (the one that keeps the gates).
 */
export function watchRowLocks({ pool, metrics, logger }: RowLockWatch): Running {
  let mariaDb: boolean | undefined;
  /** Places where somebody has waited: their series stay, at zero while nobody waits there. */
  const places = new Map<string, { table: string; index: string }>();
  let before = new Set<string>();
  let logged = new Set<string>();
  const loop = runLoop('row-lock-watch', logger, async (signal) => {
    try {
      const waits = await sample();
      before = new Set(waits.map(({ id }) => id));
      logged = new Set([...logged].filter((id) => before.has(id)));
      await pause(waits.length > 0 ? BUSY : QUIET, signal);
    } catch (error) {
      metrics.lockSamples.inc({ result: 'failed' });
      throw error;
    }
  });
  return {
    name: loop.name,
    async stop() {
      await loop.stop();
      show([]);
    },
  };

  async function sample(): Promise<RowLockWait[]> {
    const deadline = Date.now() + PATIENCE;
    mariaDb ??= await isMariaDb(pool, deadline);
    const waits = (await someoneWaits(pool, deadline)) ? await rowLockWaits(pool, deadline, mariaDb) : [];
    metrics.lockSamples.inc({ result: waits.length > 0 ? 'read' : 'quiet' });
    show(waits);
    for (const { id, table, index } of waits) if (!before.has(id)) metrics.lockWaits.inc({ table, index });
    log(waits);
    return waits;
  }

  function show(waits: RowLockWait[]): void {
    for (const { table, index } of waits) places.set(`${table} ${index}`, { table, index });
    for (const place of places.values()) {
      const here = waits.filter(({ table, index }) => table === place.table && index === place.index);
      metrics.lockWaiters.set(place, new Set(here.map(({ waiting }) => waiting.connection)).size);
      metrics.lockOldest.set(place, Math.max(0, ...here.map(({ seconds }) => seconds)));
    }
  }

  function log(waits: RowLockWait[]): void {
    const long = waits.filter(({ id, seconds }) => seconds >= LONG && !logged.has(id)).slice(0, LINES);
    for (const wait of long) {
      logged.add(wait.id);
      const { id, ...told } = wait;
      logger.info(told, 'a transaction waits for a row');
    }
  }
}
