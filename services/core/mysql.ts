import type { PoolConnection, ResultSetHeader } from 'mysql2';
import mysql from 'mysql2';
import { crashPoint } from './crash-point.ts';
import type { LockMetrics, RetryReason, RowPlace } from './metrics.ts';
import { type Step, TransactionRecord } from './transaction-record.ts';
import { Unavailable } from './unavailable.ts';

declare const begun: unique symbol;

declare const plain: unique symbol;

/** A statement that only a transaction can run: it locks, writes, or means nothing without the locks taken before it. */
export interface Statement<T> {
  sql: string;
  values: unknown[];
  /** Makes of the driver's result what the caller gets. */
  read(result: unknown): T;
}

/** A plain read, which needs no transaction. */
export interface Query<T> extends Statement<T> {
  readonly [plain]: true;
}

export const query = <Row, T>(sql: string, values: unknown[], read: (rows: Row[]) => T) =>
  ({ sql, values, read }) as unknown as Query<T>;

/** Rows that stay locked until the transaction ends. */
export const locking = <Row, T>(sql: string, values: unknown[], read: (rows: Row[]) => T): Statement<T> => ({
  sql,
  values,
  read: (result) => read(result as Row[]),
});

/** `affectedRows` counts rows that changed, not rows found. */
export const writing = <T = number>(
  sql: string,
  values: unknown[],
  read: (affectedRows: number) => T = (affectedRows) => affectedRows as T,
): Statement<T> => ({ sql, values, read: (result) => read((result as ResultSetHeader).affectedRows) });

/**
 * Fails with TOO_FEW unless the statement before it changed exactly so many rows: what is sent behind it is not done. For a
 * condition whose answer nobody waits for, where waiting would be a round trip that locks are held for.
 */
export const assertChanged = (rows: number): Statement<void> => ({
  // A subquery that gives two rows where one value is wanted fails, but only if it is evaluated.
  sql: 'SELECT IF(ROW_COUNT() = ?, 0, (SELECT 1 UNION ALL SELECT 2))',
  values: [rows],
  read: () => {},
});
/** ER_SUBQUERY_NO_1_ROW, which no other statement here can bring about. */
export const isTooFew = (error: unknown): boolean => (error as { errno?: number }).errno === 1242;

/**
 * A connection inside a transaction. Functions that take or rely on row locks accept only this type, so that an
 * unlocked call does not compile.
 */
export interface Tx {
  readonly [begun]: true;
  /**
   * Sends statements in one round trip and returns their results in order; the first that fails ends it. On one hot row
   * a transaction's round trips, not its statements, are what the others wait for.
   */
  run<T extends unknown[]>(...statements: { [K in keyof T]: Statement<T[K]> }): Promise<T>;
  /** As `run`, for statements that lock rows of one kind: their time is measured as the wait, the rest of the transaction as the hold. */
  locking<T extends unknown[]>(at: RowPlace, ...statements: { [K in keyof T]: Statement<T[K]> }): Promise<T>;
  /** Statements to be sent together with the COMMIT, which follows only if none of them fails. Their results are not read. */
  last(...statements: Statement<unknown>[]): void;
  /**
   * As `last`, and after those: statements that lock rows of one kind. Nobody waits for them while they are held but for the
   * engine's own COMMIT; the time of all that is sent then is measured as the wait and as the hold, an upper bound of both.
   */
  lastLocking(at: RowPlace, ...statements: Statement<unknown>[]): void;
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
  transaction<T>(deadline: number, work: (tx: Tx) => Promise<T>, record?: TransactionRecord): Promise<T>;
  /** As `transaction`, once, on a commit that may have happened: `work` is run again and must look up what took effect. */
  transactionUntilKnown<T>(
    deadline: number,
    work: (tx: Tx, again: boolean) => Promise<T>,
    record?: TransactionRecord,
  ): Promise<T>;
  rows<Row>(deadline: number, sql: string, values?: unknown[]): Promise<Row[]>;
  read<T>(deadline: number, query: Query<T>): Promise<T>;
  close(): Promise<void>;
  usage(): { inUse: number; waiting: number };
}

export interface WritePoolOptions {
  databaseUrl: string;
  connections: number;
  lockWaitTimeoutS: number;
  metrics: LockMetrics;
}

const RETRIED = new Map<number, RetryReason>([
  [1213, 'deadlock'],
  [1205, 'lock_wait_timeout'],
  [1020, 'record_changed'],
]);
const ATTEMPTS = 5;

/**
 * A session that says nothing for so long is ended by the engine, and its row locks with it. A connection that broke in
 * a transaction without the engine being told would hold them for eight hours, and every batch with one of those users
 * would fail. Longer than any pause between the statements of a transaction.
 */
const SESSION_LIFE_S = 20;
/**
 * For so long a database that went away while it committed is asked what became of it: others wait for their turn
 * meanwhile, and should be told soon that it is away. Milliseconds.
 */
const LOOK_UP = 1_000;
/** A connection that lay idle for so long is not used again: it may be broken, or about to be ended. Milliseconds. */
const IDLE = 10_000;

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
    // Values are always escaped parameters; the SQL around them is ours alone.
    multipleStatements: true,
    // Without this flag affectedRows counts the rows that an UPDATE or INSERT really changed.
    flags: ['-FOUND_ROWS'],
  });
  pool.on('connection', (connection) => {
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    connection.query(`SET SESSION innodb_lock_wait_timeout = ${lockWaitTimeoutS}`);
    connection.query("SET SESSION time_zone = '+00:00'");
    connection.query(`SET SESSION wait_timeout = ${SESSION_LIFE_S}`);
  });
  const lastUsed = new WeakMap<PoolConnection, number>();

  async function transaction<T>(
    deadline: number,
    work: (tx: Tx) => Promise<T>,
    record = new TransactionRecord('other', 1),
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptOnce(deadline, work, record);
      } catch (error) {
        const reason = RETRIED.get((error as { errno?: number }).errno ?? 0);
        if (!reason) throw error;
        metrics.retried(record.operation, reason);
        if (attempt === ATTEMPTS || Date.now() >= deadline)
          throw new Unavailable('COMMON503', `the rows stayed locked (${reason})`, { cause: error });
        const since = performance.now();
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * attempt));
        record.note('retry', since, reason);
      }
    }
  }

  async function attemptOnce<T>(deadline: number, work: (tx: Tx) => Promise<T>, record: TransactionRecord): Promise<T> {
    const asked = performance.now();
    const session = await acquire(deadline).finally(() => {
      metrics.waited('pool', performance.now() - asked);
      record.note('pool', asked);
    });
    const given = performance.now();
    const tx = txOn(session, metrics, record);
    const ended = (outcome: NonNullable<TransactionRecord['outcome']>) => {
      record.outcome = outcome;
      tx.letGo();
      metrics.ended(record.operation, outcome, performance.now() - given);
    };
    let committing = false;
    try {
      const result = await work(tx);
      committing = true;
      await tx.commit();
      session.release();
      ended('committed');
      return result;
    } catch (error) {
      if (isConnectionLoss(error)) {
        session.destroy();
        ended(committing ? 'unknown' : 'failed');
        if (committing) throw new CommitUnknown('connection lost during COMMIT', { cause: error });
        throw new Unavailable('COMMON503', 'the database is out of reach', { cause: error });
      }
      // 1205 rolls back its statement only, so the rollback is always explicit.
      const since = performance.now();
      await session.query('ROLLBACK').then(session.release, session.destroy);
      record.note('rollback', since, (error as { code?: string }).code);
      ended('rolled_back');
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
      const take = (error: Error | null, connection: PoolConnection) => {
        if (!error && !gone && Date.now() - (lastUsed.get(connection) ?? Date.now()) > IDLE) {
          connection.destroy();
          pool.getConnection(take);
          return;
        }
        clearTimeout(timer);
        if (gone) {
          if (connection) lastUsed.set(connection, Date.now());
          connection?.release();
          return;
        }
        waiting--;
        if (error) {
          reject(new Unavailable('COMMON503', 'the database is out of reach', { cause: error }));
          return;
        }
        inUse++;
        const onEnd = () => {
          inUse--;
          lastUsed.set(connection, Date.now());
        };
        resolve(openSession(connection, deadline, onEnd));
      };
      pool.getConnection(take);
    });
  }

  return {
    transaction,
    async transactionUntilKnown(deadline, work, record = new TransactionRecord('other', 1)) {
      let lostAt = 0;
      for (let again = false; ; again = true) {
        try {
          return await transaction(deadline, (tx) => work(tx, again), record);
        } catch (error) {
          const unknown = error instanceof CommitUnknown || (again && error instanceof Unavailable);
          if (!unknown) throw error;
          metrics.retried(record.operation, 'commit_unknown');
          lostAt ||= Date.now();
          if (Date.now() >= Math.min(deadline, lostAt + LOOK_UP))
            throw new Unavailable('COMMON504', '', { cause: error });
          const since = performance.now();
          await new Promise((resolve) => setTimeout(resolve, 50));
          record.note('retry', since, 'commit_unknown');
        }
      }
    },
    rows,
    read: async (deadline, { sql, values, read }) => read(await rows(deadline, sql, values)),
    close: () => new Promise((resolve) => pool.end(() => resolve())),
    usage: () => ({ inUse, waiting }),
  };

  async function rows<Row>(deadline: number, sql: string, values: unknown[] = []): Promise<Row[]> {
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
  }
}

interface OwnTx extends Tx {
  commit(): Promise<void>;
  /** The transaction has ended, and with it whatever it held. */
  letGo(): void;
}

/** The transaction on a connection. START TRANSACTION travels with its first statement. */
function txOn(session: Session, metrics: LockMetrics, record: TransactionRecord): OwnTx {
  let started = false;
  let atEnd: Statement<unknown>[] = [];
  const lockedAtEnd: { at: RowPlace; statements: Statement<unknown>[] }[] = [];
  /** Since when rows of each kind are held. */
  const held: { at: RowPlace; since: number }[] = [];
  const send = async (name: Step['name'], statements: Pick<Statement<unknown>, 'sql' | 'values'>[]) => {
    const all = started ? statements : [{ sql: 'START TRANSACTION', values: [] }, ...statements];
    started = true;
    const since = performance.now();
    const result = await session
      .query(
        all.map(({ sql }) => sql).join(';\n'),
        all.flatMap(({ values }) => values),
      )
      .finally(() => record.note(name, since));
    const results = all.length === 1 ? [result] : (result as unknown[]);
    return results.slice(all.length - statements.length);
  };
  return {
    async run(...statements: Statement<unknown>[]) {
      const results = await send('statements', statements);
      return statements.map((statement, at) => statement.read(results[at]));
    },
    async locking(at: RowPlace, ...statements: Statement<unknown>[]) {
      const asked = performance.now();
      const results = await send(at, statements).finally(() => metrics.waited(at, performance.now() - asked));
      held.push({ at, since: performance.now() });
      return statements.map((statement, n) => statement.read(results[n]));
    },
    last(...statements: Statement<unknown>[]) {
      atEnd = [...atEnd, ...statements];
    },
    lastLocking(at: RowPlace, ...statements: Statement<unknown>[]) {
      lockedAtEnd.push({ at, statements });
    },
    rows: async (sql: string, values: unknown[] = []) => (await send('statements', [{ sql, values }]))[0],
    write: async (sql: string, values: unknown[] = []) => (await send('statements', [{ sql, values }]))[0],
    async commit() {
      const last = [...atEnd, ...lockedAtEnd.flatMap(({ statements }) => statements)];
      if (!started && last.length === 0) return;
      const since = performance.now();
      const answer = send('commit', [...last, { sql: 'COMMIT', values: [] }]).finally(() => {
        for (const { at } of lockedAtEnd) {
          metrics.waited(at, performance.now() - since);
          held.push({ at, since });
        }
      });
      crashPoint('commit:sent');
      await answer;
    },
    letGo() {
      const now = performance.now();
      for (const { at, since } of held) metrics.held(at, now - since);
    },
  } as unknown as OwnTx;
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
