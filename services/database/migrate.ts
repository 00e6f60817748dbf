import type { Sequelize } from 'sequelize';
import { SequelizeStorage, Umzug } from 'umzug';
import { parseConfig } from '../core/config.ts';
import { createTopics } from '../core/kafka.ts';
import { withNamedLock } from '../core/named-lock.ts';
import { namesOf } from '../core/names.ts';
import { runAsProgram } from '../core/program.ts';
import type { Migration } from './migration.ts';
import { schema } from './migrations/0001-schema.ts';
import { outboxTrace } from './migrations/0002-outbox-trace.ts';
import { openSequelize } from './sequelize.ts';

/** In the order in which they run; none is ever changed or taken out. */
export const MIGRATIONS: Migration[] = [schema, outboxTrace];

/** The version every process waits for before it serves: the name of the newest migration. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.name ?? '';

/**
 * Brings the schema to SCHEMA_VERSION and returns the names of the migrations that ran. Safe to call from many
 * processes at once: the second waits for the first (GET_LOCK) and then finds nothing to do.
 */
export async function migrate(sequelize: Sequelize, lockName: string): Promise<string[]> {
  return withNamedLock(sequelize, lockName, 120, async () => {
    const umzug = new Umzug<Sequelize>({
      context: sequelize,
      storage: new SequelizeStorage({ sequelize, tableName: 'migrations' }),
      logger: undefined,
      migrations: MIGRATIONS.map(({ name, up }) => ({ name, up: () => up(sequelize) })),
    });
    return (await umzug.up()).map(({ name }) => name);
  });
}

/** The newest migration that ran, or undefined on an empty database. */
export async function schemaVersion(sequelize: Sequelize): Promise<string | undefined> {
  try {
    const [rows] = await sequelize.query('SELECT MAX(name) AS name FROM migrations');
    return (rows as { name: string | null }[])[0]?.name ?? undefined;
  } catch (error) {
    const noSuchTable = (error as { parent?: { errno?: number } }).parent?.errno === 1146;
    if (noSuchTable) return undefined;
    throw error;
  }
}

runAsProgram('services/database/migrate.ts', async () => {
  const config = parseConfig(process.env);
  const names = namesOf(config.namespace);
  const sequelize = openSequelize(config.databaseUrl, 2);
  try {
    const ran = await migrate(sequelize, names.migrationLock);
    console.log(ran.length > 0 ? `migrations run: ${ran.join(', ')}` : `schema is up to date (${SCHEMA_VERSION})`);
  } finally {
    await sequelize.close();
  }
  const created = await createTopics(config);
  console.log(created.length > 0 ? `topics created: ${created.join(', ')}` : 'topics are there');
});
