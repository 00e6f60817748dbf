import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { down } from './down.ts';
import { type EngineName, endpointVariables, engineNames } from './engines.ts';
import { runningPid } from './native/daemon.ts';
import { portVariables } from './ports.ts';
import { readRecord } from './record.ts';
import { up } from './up.ts';

// Real engines of its own, in another directory and on other ports than those the rest of the tests use.

const directory = mkdtempSync(join(tmpdir(), 'onrush-engines-'));
const before = { ...process.env };

beforeAll(async () => {
  for (const name of engineNames) delete process.env[endpointVariables[name]];
  Object.assign(process.env, { ONRUSH_DIR: directory, ENGINES: 'native' });
  for (const variable of portVariables) process.env[variable] = String(await freePort());
  // The broker's 43 MB of jars are no state: the checkout's own do where it has them.
  const jars = resolve('.onrush/kafka/libs');
  if (existsSync(jars)) {
    mkdirSync(join(directory, 'kafka'));
    symlinkSync(jars, join(directory, 'kafka/libs'));
  }
});

afterAll(async () => {
  await down();
  process.env = before;
  rmSync(directory, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function pids(): Promise<Record<EngineName, number | undefined>> {
  return { mysql: await runningPid('mysql'), redis: await runningPid('redis'), kafka: await runningPid('kafka') };
}

test('up starts what does not run, and changes nothing about what does', async () => {
  const engines = await up();
  expect(engines.kind).toBe('native');
  expect(engines.mysql.durability).toMatchObject({ innodb_flush_log_at_trx_commit: '1' });
  expect(engines.redis.durability).toMatchObject({ appendonly: 'yes', appendfsync: 'always' });
  expect(engines.kafka.durability).toMatchObject({ brokers: '1' });
  const first = await pids();
  const environment = readFileSync(join(directory, 'engines.env'), 'utf8');
  expect(environment).toContain(`DATABASE_URL=${engines.mysql.url}\n`);

  // Twice at once, as a test run and a benchmark may: they take turns.
  const again = await Promise.all([up(), up()]);
  expect(again).toEqual([engines, engines]);
  expect(await pids()).toEqual(first);
  expect(readFileSync(join(directory, 'engines.env'), 'utf8')).toBe(environment);

  process.kill(first.redis as number, 'SIGKILL');
  while ((await runningPid('redis')) !== undefined) await sleep(20);
  expect(await up()).toEqual(engines);
  const second = await pids();
  expect(second).toEqual({ ...first, redis: second.redis });
  expect(second.redis).not.toBe(first.redis);
}, 120_000);

test('an endpoint of the user beside a running engine counts for that run only', async () => {
  const recorded = readRecord();
  const mine = recorded?.redis.endpoint.replace(/0$/, '1') as string;
  process.env.REDIS_URL = mine;
  const engines = await up();
  expect(engines.kind).toBe('mixed');
  expect(engines.redis).toMatchObject({ kind: 'external', url: mine });
  delete process.env.REDIS_URL;
  expect(readRecord()).toEqual(recorded);
  expect((await up()).kind).toBe('native');
}, 60_000);

test('down stops them all and leaves no endpoint behind', async () => {
  await down();
  expect(await pids()).toEqual({ mysql: undefined, redis: undefined, kafka: undefined });
  expect(existsSync(join(directory, 'engines.env'))).toBe(false);
  expect(readRecord()).toBeUndefined();
}, 60_000);
