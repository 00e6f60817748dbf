import { engineNames, forEachEngine } from '../../engines/engines.ts';
import { type Started, startServices } from '../test/start-services.ts';
import { type RunData, seedRun } from './data.ts';
import type { EngineSet } from './engine-set.ts';
import type { Stage } from './fault.ts';
import { openProxy } from './proxy.ts';
import { startReplica } from './replica.ts';

export interface SceneOptions {
  users: number;
  /** Processes with every role. */
  processes: number;
  /** The deadline of every request. Milliseconds. */
  requestTimeoutMs: number;
  /** A Redis that follows the first one, for a failover; after it the scene is over. */
  replica?: boolean;
}

/** The services, connected to their engines through proxies, and the engines as they are without them. */
export interface Scene extends Stage {
  urls: string[];
  data: RunData;
  requestTimeoutMs: number;
  users: number;
  /** Past the proxies. */
  direct: { databaseUrl: string; redisUrl: string; kafkaBrokers: string[]; namespace: string };
  close(): Promise<void>;
}

export async function openScene(engines: EngineSet, options: SceneOptions): Promise<Scene> {
  await using opening = new AsyncDisposableStack();
  const data = await seedRun(engines, options.users);
  opening.defer(() => data.remove());
  const opened = await Promise.all(engineNames.map((name) => openProxy(engines.ports[name], engines.proxyPorts[name])));
  for (const proxy of opened) opening.defer(() => proxy.close());
  const proxies = forEachEngine((name) => opened[engineNames.indexOf(name)] as (typeof opened)[number]);
  const replica = options.replica ? await startReplica(engines) : undefined;
  if (replica)
    opening.defer(async () => {
      await replica.stop();
      await engines.restart('redis');
    });

  const through = (url: string, port: number) => Object.assign(new URL(url), { port: String(port) }).toString();
  const env = {
    DATABASE_URL: through(data.databaseUrl, proxies.mysql.port),
    REDIS_URL: through(engines.redisUrl, proxies.redis.port),
    KAFKA_BROKERS: `127.0.0.1:${proxies.kafka.port}`,
    ONRUSH_NAMESPACE: data.namespace,
    AUTH: 'off',
    ONRUSH_CART_AFTER_ORDER: 'keep',
    ONRUSH_REQUEST_TIMEOUT_MS: String(options.requestTimeoutMs),
    LOG_LEVEL: 'info',
  };
  const services: Started[] = [];
  opening.defer(async () => void (await Promise.all(services.map((one) => one.stop()))));
  for (let n = 1; n <= options.processes; n++) services.push(await startServices(env, `rush-${n}`));

  const open = opening.move();
  return {
    engines,
    proxies,
    replica,
    urls: services.map(({ url }) => url),
    data,
    requestTimeoutMs: options.requestTimeoutMs,
    users: options.users,
    direct: {
      databaseUrl: data.databaseUrl,
      redisUrl: engines.redisUrl,
      kafkaBrokers: engines.kafkaBrokers.split(','),
      namespace: data.namespace,
    },
    close: () => open.disposeAsync(),
  };
}
