import { connect, createServer, type Server, type Socket } from 'node:net';
import { pino } from 'pino';
import { eventually, stack } from '../../loadtests/test/stack.ts';
import { openRedis } from './redis.ts';
import { RedisInstance } from './redis-instance.ts';

const { env, redis } = stack();

/** Passes everything on to Redis, the first packet that asks for INFO server only after these milliseconds. */
async function proxyTo(redisUrl: string, late: number): Promise<{ url: string; close(): void }> {
  const target = new URL(redisUrl);
  const sockets = new Set<Socket>();
  let held = false;
  const server: Server = createServer((client) => {
    const engine = connect(Number(target.port), target.hostname);
    for (const socket of [client, engine]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    engine.on('data', (data) => client.write(data));
    engine.on('close', () => client.destroy());
    client.on('close', () => engine.destroy());
    client.on('data', (data) => {
      if (held || !/info\r\n\$6\r\nserver/i.test(data.toString())) {
        engine.write(data);
        return;
      }
      held = true;
      setTimeout(() => engine.write(data), late);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(redisUrl);
  url.port = String(typeof address === 'object' && address ? address.port : 0);
  return {
    url: url.href,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

it('is learned again when the first answer does not come', async () => {
  const proxy = await proxyTo(env.redisUrl, 600);
  const client = openRedis(proxy.url, 'test', pino({ level: 'silent' }), { commandTimeout: 200 });
  const instance = new RedisInstance(client);
  await client.connect();
  expect(instance.id).toBeUndefined();
  const runId = /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1];
  await eventually(
    () => Promise.resolve(instance.id),
    (id) => id !== undefined,
  );
  expect(instance.id).toBe(runId);
  client.disconnect();
  await eventually(
    () => Promise.resolve(instance.id),
    (id) => id === undefined,
  );
  proxy.close();
});
