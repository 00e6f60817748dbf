// Waits until what is named on the command line is there: mysql and kafka answer; the migration Job has made the
// schema, and the topics. Says once what it waits for.
import { parseConfig } from './services/core/config.ts';
import { openKafka } from './services/core/kafka.ts';
import { namesOf } from './services/core/names.ts';
import { SCHEMA_VERSION, schemaVersion } from './services/database/migrate.ts';
import { openSequelize } from './services/database/sequelize.ts';

const config = parseConfig(process.env);
const sequelize = openSequelize(config.databaseUrl, 1);
const admin = openKafka(config, 'wait').admin();
const { couponTopic, couponDeadTopic, orderTopic } = namesOf(config.namespace);
const topics = () => admin.connect().then(() => admin.listTopics());

const there = {
  mysql: () => sequelize.authenticate().then(() => true),
  kafka: () => topics().then(() => true),
  // A newer one is there during a rollback.
  schema: async () => ((await schemaVersion(sequelize)) ?? '') >= SCHEMA_VERSION,
  topics: async () => {
    const present = await topics();
    return [couponTopic, couponDeadTopic, orderTopic].every((topic) => present.includes(topic));
  },
};
for (const name of process.argv.slice(1)) {
  for (let told = ''; ; ) {
    const state = await there[name]().catch((error) => error.message);
    if (state === true) break;
    const now = `waiting for ${name}${state ? `: ${state}` : ''}`;
    if (now !== told) console.log(now);
    told = now;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
await Promise.allSettled([sequelize.close(), admin.disconnect()]);
