import { BaseError, ConnectionError, Sequelize } from 'sequelize';

/**
 * The pool for models, migrations and reads. Hot writes have their own (core/mysql.ts): a charge through the models
 * costs 1,006 µs of CPU, through mysql2 113.
 * BIGINT arrives as number; the schema keeps every amount within 2^53.
 */
export function openSequelize(databaseUrl: string, connections: number, lockWaitTimeoutS = 3): Sequelize {
  const sequelize = new Sequelize(databaseUrl.replace(/^mariadb:/, 'mysql:'), {
    dialect: 'mysql',
    logging: false,
    timezone: '+00:00',
    pool: { max: connections, min: 0, acquire: 5_000, idle: 30_000 },
    dialectOptions: { supportBigNumbers: true, connectTimeout: 3_000 },
    define: { timestamps: false, underscored: true },
  });
  // A request that gave up must not leave its statement waiting for a row, and holding a connection, for the engine's 50 s.
  sequelize.addHook('afterConnect', (connection) => {
    (connection as { query(sql: string): void }).query(`SET SESSION innodb_lock_wait_timeout = ${lockWaitTimeoutS}`);
  });
  return sequelize;
}

const causeOf = (error: unknown) =>
  error instanceof BaseError ? (error as { parent?: { errno?: number; fatal?: boolean } }).parent : undefined;

/** The engine's error number behind what Sequelize threw. */
export const engineErrno = (error: unknown): number | undefined => causeOf(error)?.errno;

/** No connection was to be had, or the one in use broke (mysql2 marks such errors as fatal). */
export const isEngineAway = (error: unknown): boolean =>
  error instanceof ConnectionError || causeOf(error)?.fatal === true;
