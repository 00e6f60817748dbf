import { composeImageVersion } from '../compose.ts';
import type { EngineName, Place, Reading } from '../engines.ts';
import { kafkaJarVersion } from '../native/kafka.ts';
import { readKafka } from './kafka.ts';
import { readMysql } from './mysql.ts';
import { readRedis } from './redis.ts';

/** What the engine at this place says about itself; throws if it does not answer within 3 s. */
export async function readEngine(name: EngineName, { kind, endpoint }: Place): Promise<Reading> {
  if (name === 'mysql') return await readMysql(endpoint);
  if (name === 'redis') return await readRedis(endpoint);
  const { durability } = await readKafka(endpoint);
  const version = kind === 'native' ? kafkaJarVersion() : kind === 'compose' ? composeImageVersion('kafka') : undefined;
  return { version: version ? `Kafka ${version}` : 'Kafka, version not told', durability };
}
