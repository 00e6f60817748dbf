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
    while (redis.status === 'ready') {
      const info = await redis.info('server').catch(() => '');
      const id = /^run_id:(\w+)/m.exec(info)?.[1];
      if (redis.status === 'ready' && id !== undefined) {
        this.#id = id;
        return;
      }
      // A Redis that did not answer this once would otherwise be unknown for as long as the connection lasts.
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
