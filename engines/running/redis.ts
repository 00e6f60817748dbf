import { Redis } from 'ioredis';
import type { Reading } from '../engines.ts';

const asked = ['appendonly', 'appendfsync', 'save', 'maxmemory-policy'];

/** Connects once and reads what the server says; throws if it does not answer within 3 s. */
export async function readRedis(url: string): Promise<Reading> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 3_000,
    commandTimeout: 3_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // connect() rejects with "Connection is closed"; why it closed is told to this listener only.
  let cause: Error | undefined;
  redis.on('error', (error) => {
    cause = error;
  });
  try {
    await redis.connect().catch((error) => {
      throw cause ?? error;
    });
    const info = await redis.info('server');
    const durability: Record<string, string> = {};
    for (const setting of asked) {
      const [, value] = (await redis.config('GET', setting).catch(() => [])) as string[];
      // Managed servers refuse CONFIG.
      durability[setting] = value === undefined ? 'not readable' : value === '' ? 'off' : value;
    }
    return { version: versionName(info), durability };
  } finally {
    redis.disconnect();
  }
}

function versionName(info: string): string {
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
  return valkey ? `Valkey ${valkey}` : `Redis ${/^redis_version:(\S+)/m.exec(info)?.[1]}`;
}
