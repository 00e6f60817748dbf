import { Redis } from 'ioredis';
import type { Logger } from 'pino';

/**
 * A client that fails fast: nothing is queued while the connection is down and nothing is sent twice, so that a command
 * either reached the Redis of that connection or is known not to have been answered.
 */
export function openRedis(url: string, name: string, logger: Logger, options: { commandTimeout?: number } = {}): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 3_000,
    commandTimeout: options.commandTimeout ?? 3_000,
    // Commands of one turn of the event loop share a write: the system call costs more than the command.
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
    lazyConnect: true,
  });
  redis.on('error', (error: Error) => logger.debug({ err: error, client: name }, 'redis'));
  return redis;
}
