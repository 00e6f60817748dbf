import type { Redis } from 'ioredis';

/**
 * The run id of the Redis that a client is connected to, learned anew at every connection; undefined while there is
 * none. A restarted Redis, or a replica that took over, has another.
 */
export class RedisInstance {
  #id: string | undefined;

  constructor(redis: Redis) {
    redis.on('ready', () => void this.#learn(redis));
    for (const event of ['close', 'end', 'reconnecting']) redis.on(event, () => (this.#id = undefined));
    if (redis.status === 'ready') void this.#learn(redis);
  }

  get id(): string | undefined {
    return this.#id;
  }

  async #learn(redis: Redis): Promise<void> {
    const info = await redis.info('server').catch(() => '');
    this.#id = redis.status === 'ready' ? /^run_id:(\w+)/m.exec(info)?.[1] : undefined;
  }
}
