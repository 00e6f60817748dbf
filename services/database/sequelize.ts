import { connect, type Socket } from 'node:net';
import { BaseError, ConnectionError, Sequelize } from 'sequelize';

export interface SequelizeOptions {
  lockWaitTimeoutS?: number;
  /** A connection on which nothing came or went for so long is closed, idle or not. Milliseconds; never if not given. */
  silenceMs?: number;
}

/**
 * The pool for models, migrations and reads. Hot writes have their own (core/mysql.ts): a charge through the models
 * costs 1,006 µs of CPU, through mysql2 113.
 * BIGINT arrives as number; the schema keeps every amount within 2^53.
 */
export function openSequelize(databaseUrl: string, connections: number, options: SequelizeOptions = {}): Sequelize {
  const { lockWaitTimeoutS = 3, silenceMs } = options;
  const sequelize = new Sequelize(databaseUrl.replace(/^mariadb:/, 'mysql:'), {
    dialect: 'mysql',
    logging: false,
    timezone: '+00:00',
    pool: { max: connections, min: 0, acquire: 5_000, idle: 30_000 },
    dialectOptions: {
      supportBigNumbers: true,
      connectTimeout: 3_000,
      ...(silenceMs === undefined ? {} : { stream: () => watchedSocket(databaseUrl, silenceMs) }),
    },
    define: { timestamps: false, underscored: true },
  });
  // A request that gave up must not leave its statement waiting for a row, and holding a connection, for the engine's 50 s.
  sequelize.addHook('afterConnect', (connection) => {
    const query = (sql: string) => (connection as { query(sql: string): void }).query(sql);
    query(`SET SESSION innodb_lock_wait_timeout = ${lockWaitTimeoutS}`);
    // What we take for broken, the engine must not keep, with its locks, for eight hours.
    if (silenceMs !== undefined) query(`SET SESSION wait_timeout = ${Math.ceil((2 * silenceMs) / 1_000)}`);
  });
  return sequelize;
}

/** Sequelize counts both and shows neither in its types. */
export function readPoolUsage(sequelize: Sequelize): { inUse: number; waiting: number } {
  const { pool } = (sequelize as unknown as { connectionManager: { pool: { using: number; waiting: number } } })
    .connectionManager;
  return { inUse: pool.using, waiting: pool.waiting };
}

/** Without this, a connection that broke without either side being told would stay in the pool for ever. */
function watchedSocket(databaseUrl: string, silenceMs: number): Socket {
  const { hostname, port } = new URL(databaseUrl);
  const socket = connect({ host: hostname, port: Number(port || 3306) });
  socket.setTimeout(silenceMs, () => {
    const silence = new Error(`nothing was heard from the database for ${silenceMs} ms`);
    // The code by which Sequelize knows that the connection is gone.
    socket.destroy(Object.assign(silence, { code: 'ECONNRESET' }));
  });
  return socket;
}

const causeOf = (error: unknown) =>
  error instanceof BaseError ? (error as { parent?: { errno?: number; fatal?: boolean } }).parent : undefined;

/** The engine's error number behind what Sequelize threw. */
export const engineErrno = (error: unknown): number | undefined => causeOf(error)?.errno;

/** No connection was to be had, or the one in use broke (mysql2 marks such errors as fatal). */
export const isEngineAway = (error: unknown): boolean =>
  error instanceof ConnectionError || causeOf(error)?.fatal === true;
