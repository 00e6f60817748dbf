import type { PoolConnection, ResultSetHeader } from 'mysql2';
import mysql from 'mysql2';
import type { LockMetrics } from './metrics.ts';
import { Unavailable } from './unavailable.ts';

declare const begun: unique symbol;

/**
 * A connection inside a transaction. Functions that take or rely on row locks accept only this type, so that an
 * unlocked call does not compile.
 */
export interface Tx {
  readonly [begun]: true;
  rows<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Runs a statement that writes; `affectedRows` counts rows that changed, not rows found. */
  write(sql: string, values?: unknown[]): Promise<ResultSetHeader>;
}

/** The commit was sent and the connection broke: whether it took effect must be looked up. */
export class CommitUnknown extends Error {
  override name = 'CommitUnknown';
}

export interface WritePool {
  /**
   * Runs `work` in a transaction (READ COMMITTED) and commits. Deadlock, lock wait timeout and a changed record
   * (1213, 1205, 1020) run the whole of it again, up to five times within the deadline. A connection that failed, or
   * was not seen to commit or roll back, is destroyed and never goes back to the pool.
   * @throws Unavailable COMMON503 if no connection is to be had in time, or MySQL is away: nothing was committed.
   * @throws CommitUnknown if the connection broke while committing.
   */
  transaction<T>(deadline: number, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** As `transaction`, once, on a commit that may have happened: `work` is run again and must look up what took effect. */
  transactionUntilKnown<T>(deadline: number, work: (tx: Tx, again: boolean) => Promise<T>): Promise<T>;
  rows<Row>(deadline: number, sql: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
  usage(): { inUse: number; waiting: number };
}

export interface WritePoolOptions {
  databaseUrl: string;
  connections: number;
  lockWaitTimeoutS: number;
  metrics: LockMetrics;
}

const RETRIED = new Map([
  [1213, 'deadlock'],
  [1205, 'lock_wait_timeout'],
  [1020, 'record_changed'],
]);
const ATTEMPTS = 5;

/**
 * mysql2's own pool, for the hot writes. Its text protocol is used throughout: statements with IN lists and multi-row
 * inserts of every length would flood the cache of prepared ones.
 */
export function openWritePool({ databaseUrl, connections, lockWaitTimeoutS, metrics }: WritePoolOptions): WritePool {
  const pool = mysql.createPool({
    uri: databaseUrl.replace(/^mariadb:/, 'mysql:'),
    connectionLimit: connections,
    maxIdle: connections,
    timezone: 'Z',
    supportBigNumbers: true,
    connectTimeout: 3_000,
    enableKeepAlive: true,
    // Without this flag affectedRows counts the rows that an UPDATE or INSERT really changed.
    flags: ['-FOUND_ROWS'],
  });
  pool.on('connection', (connection) => {
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    connection.query(`SET SESSION innodb_lock_wait_timeout = ${lockWaitTimeoutS}`);
    connection.query("SET SESSION time_zone = '+00:00'");
  });

  async function transaction<T>(deadline: number, work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptOnce(deadline, work);
      } catch (error) {
        const reason = RETRIED.get((error as { errno?: number }).errno ?? 0);
        if (!reason) throw error;
        metrics.retried(reason);
        if (attempt === ATTEMPTS || Date.now() >= deadline)
          throw new Unavailable('COMMON503', `the rows stayed locked (${reason})`, { cause: error });
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * attempt));
      }
    }
  }

  async function attemptOnce<T>(deadline: number, work: (tx: Tx) => Promise<T>): Promise<T> {
    const asked = performance.now();
    const session = await acquire(deadline);
    metrics.waited('pool', performance.now() - asked);
    let committing = false;
    try {
      await session.query('START TRANSACTION');
      const result = await work({ rows: session.query, write: session.query } as unknown as Tx);
      committing = true;
      await session.query('COMMIT');
      session.release();
      return result;
    } catch (error) {
      if (isConnectionLoss(error)) {
        session.destroy();
        if (committing) throw new CommitUnknown('connection lost during COMMIT', { cause: error });
        throw new Unavailable('COMMON503', 'the database is out of reach', { cause: error });
      }
      // 1205 rolls back its statement only, so the rollback is always explicit.
      await session.query('ROLLBACK').then(session.release, session.destroy);
      throw error;
    }
  }

  let inUse = 0;
  let waiting = 0;

  function acquire(deadline: number): Promise<Session> {
    waiting++;
    return new Promise((resolve, reject) => {
      let gone = false;
      const timer = setTimeout(
        () => {
          gone = true;
          waiting--;
          reject(new Unavailable('COMMON503', 'no database connection was free in time'));
        },
        Math.max(1, deadline - Date.now()),
      );
      pool.getConnection((error, connection) => {
        clearTimeout(timer);
        if (gone) {
          connection?.release();
          return;
        }
        waiting--;
        if (error) {
          reject(new Unavailable('COMMON503', 'the database is out of reach', { cause: error }));
          return;
        }
        inUse++;
        resolve(openSession(connection, deadline, () => inUse--));
      });
    });
  }

  return {
    transaction,
    async transactionUntilKnown(deadline, work) {
      for (let again = false; ; again = true) {
        try {
          return await transaction(deadline, (tx) => work(tx, again));
        } catch (error) {
          const unknown = error instanceof CommitUnknown || (again && error instanceof Unavailable);
          if (!unknown) throw error;
          metrics.retried('commit_unknown');
          if (Date.now() >= deadline) throw new Unavailable('COMMON504', '', { cause: error });
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    },
    async rows<Row>(deadline: number, sql: string, values: unknown[] = []) {
      const session = await acquire(deadline);
      try {
        const rows = (await session.query(sql, values)) as Row[];
        session.release();
        return rows;
      } catch (error) {
        if (!isConnectionLoss(error)) {
          session.release();
          throw error;
        }
        session.destroy();
        throw new Unavailable('COMMON503', 'the database is out of reach', { cause: error });
      }
    },
    close: () => new Promise((resolve) => pool.end(() => resolve())),
    usage: () => ({ inUse, waiting }),
  };
}

interface Session {
  query(sql: string, values?: unknown[]): Promise<unknown>;
  release(): void;
  destroy(): void;
}

/**
 * A connection for the time until `deadline`. Then it is cut and its running statement fails, so that a stalled engine
 * holds no request beyond it (mysql2 leaves the callbacks of a destroyed connection waiting for ever).
 */
function openSession(connection: PoolConnection, deadline: number, onEnd: () => void): Session {
  let failRunning: ((error: Error) => void) | undefined;
  let ended = false;
  const end = (how: 'release' | 'destroy') => () => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    onEnd();
    connection[how]();
  };
  const destroy = end('destroy');
  const timer = setTimeout(
    () => {
      destroy();
      failRunning?.(new DeadlinePassed('the deadline passed while the database was at work'));
    },
    Math.max(1, deadline - Date.now()),
  );
  return {
    query(sql, values) {
      return new Promise((resolve, reject) => {
        if (ended) {
          reject(new DeadlinePassed('the deadline passed before the statement'));
          return;
        }
        failRunning = reject;
        connection.query(sql, values ?? [], (error, result) => {
          failRunning = undefined;
          if (error) reject(error);
          else resolve(result);
        });
      });
    },
    release: end('release'),
    destroy,
  };
}

class DeadlinePassed extends Error {
  override name = 'DeadlinePassed';
}

/** Broken sockets, a server that shuts down, and the driver's refusal to use a connection that is closed. */
function isConnectionLoss(error: unknown): boolean {
  const { code, errno, fatal } = error as { code?: string; errno?: number; fatal?: boolean };
  return (
    error instanceof DeadlinePassed ||
    fatal === true ||
    errno === 1053 ||
    errno === 1927 ||
    errno === 1317 ||
    errno === 3169 ||
    /^(PROTOCOL_|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOST)/.test(code ?? '') ||
    /closed state|Connection lost/i.test(String((error as Error).message))
  );
}
