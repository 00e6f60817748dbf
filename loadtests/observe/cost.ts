import type { ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import { up } from '../../engines/up.ts';
import { type Config, parseConfig } from '../../services/core/config.ts';
import { createTopics, openKafka } from '../../services/core/kafka.ts';
import { namesOf } from '../../services/core/names.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { migrate } from '../../services/database/migrate.ts';
import { openSequelize } from '../../services/database/sequelize.ts';
import { columns } from '../bench/table.ts';
import { keysLike } from '../seed/gates.ts';
import { seed } from '../seed/seed.ts';
import { startServices } from '../test/start-services.ts';
import { cpuMicroseconds } from './cpu.ts';
import { estimate } from './estimate.ts';
import { type Client, openClient, type Request } from './requests.ts';

/*
 * What metrics and traces cost: CPU of the API process for a request, by the kernel's count of all its threads, exporting
 * included. One process for each way of observing, all on the same engines and asked in turn within each round, so that
 * what else the machine does meets all of them; of each round the difference to the first process is taken.
 *   node run.mjs loadtests/observe/cost.ts [charge|coupon|order] [--rounds N] [--requests N] [--starts N] [--ways N]
 * --ways 2: only the first two ways of observing, in more rounds, where a few microseconds are to be told from none.
 * Figures: docs/observability.md.
 */
const VARIANTS = [
  { name: 'nothing', env: { ONRUSH_METRICS: 'off', ONRUSH_TRACES: 'off' } },
  { name: 'metrics', env: { ONRUSH_TRACES: 'off' } },
  { name: 'metrics, traces at 0', env: { ONRUSH_TRACES: 'otlp', ONRUSH_TRACE_RATIO: '0' } },
  { name: 'metrics, traces at 1 %', env: { ONRUSH_TRACES: 'otlp', ONRUSH_TRACE_RATIO: '0.01' } },
  { name: 'metrics, traces at 10 %', env: { ONRUSH_TRACES: 'otlp', ONRUSH_TRACE_RATIO: '0.1' } },
  { name: 'metrics, traces at 100 %', env: { ONRUSH_TRACES: 'otlp', ONRUSH_TRACE_RATIO: '1' } },
];
const USERS = 2_000;
const CONNECTIONS = 32;
/** Spans are sent within a second of their request: what that costs is still the slice's. Milliseconds. */
const EXPORT = 1_200;
const WARM_UP = 2;

type Api = 'charge' | 'coupon' | 'order';

const userAt = (n: number) => `test-user-${1 + (n % USERS)}`;
let sent = 0;
const REQUESTS: Record<Api, () => Request> = {
  charge: () => ({ path: `/api/users/${userAt(sent++)}/balance/charge`, body: { amount: 1 } }),
  // Everybody comes once; the gate does not ask whether a user exists.
  coupon: () => ({ path: '/api/coupons/test-coupon-1/issue', body: { userId: `cost-${sent++}` } }),
  // A user's next order comes long after the one before.
  order: () => ({ path: '/api/orders', body: { userId: userAt(sent++) } }),
};

interface Measured {
  name: string;
  pid: number;
  client: Client;
  child: ChildProcess;
}

runAsProgram('loadtests/observe/cost.ts', async () => {
  const { api, rounds, requests, starts, ways } = parse(process.argv.slice(2));
  const engines = await up();
  const namespace = `cost-${Date.now().toString(36)}`;
  const database = `onrush_${namespace.replace('-', '_')}`;
  const databaseUrl = engines.mysql.url.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: engines.redis.url,
    KAFKA_BROKERS: engines.kafka.brokers,
    ONRUSH_NAMESPACE: namespace,
    AUTH: 'off',
    ONRUSH_CART_AFTER_ORDER: 'keep',
    LOG_LEVEL: 'info',
  };
  const admin = await mysql.createConnection(engines.mysql.url);
  await admin.query(`CREATE DATABASE ${database}`);
  const collector = await listen();
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const running: ChildProcess[] = [];
  try {
    await prepare(env, databaseUrl, namespace);
    // A seeded wallet pays 33 orders.
    await admin.query(`UPDATE ${database}.users SET balance = 1000000000000`);
    // Keeps the gate open and the stream short, in a process that nobody measures.
    const workers = 'coupon-gatekeeper,coupon-consumer,outbox-relay';
    running.push((await startServices({ ...env, ROLES: workers, ONRUSH_TRACES: 'off' }, 'cost-workers')).child);
    if (api === 'coupon') await untilGateIsOpen(env);
    const used = new Map<string, number[]>(VARIANTS.slice(0, ways).map(({ name }) => [name, []]));
    for (let start = 1; start <= starts; start++) {
      const started: { name: string; url: string; child: ChildProcess }[] = [];
      for (const { name, env: how } of VARIANTS.slice(0, ways)) {
        const settings = { ...env, ...how, ROLES: `${api === 'charge' ? 'balance' : api}-api` };
        const collecting = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
        const { url, child } = await startServices({ ...settings, ...collecting }, `cost-${started.length + 1}`);
        running.push(child);
        started.push({ name, url, child });
      }
      const measured: Measured[] = [];
      for (const { name, url, child } of started) {
        const client = await openClient(url, CONNECTIONS);
        // A connection on which nothing is asked for a while is closed by the server.
        await client.send(CONNECTIONS, REQUESTS[api]);
        measured.push({ name, child, pid: child.pid as number, client });
      }
      for (let round = 1 - WARM_UP; round <= rounds; round++) {
        // Everyone's turn comes first once.
        const order = measured.map((_, n) => measured[(n + round + WARM_UP) % measured.length] as Measured);
        for (const { name, pid, client } of order) {
          const before = cpuMicroseconds(pid);
          await client.send(requests, REQUESTS[api]);
          await new Promise((resolve) => setTimeout(resolve, EXPORT));
          if (round > 0) used.get(name)?.push((cpuMicroseconds(pid) - before) / requests);
        }
        if (round > 0) process.stderr.write(`start ${start} of ${starts}, round ${round} of ${rounds}\r`);
      }
      for (const { client, child } of measured) {
        client.close();
        await ended(child);
      }
    }
    console.log(
      `\n${api}: CPU µs a request of the API process, ${starts} × ${rounds} rounds of ${requests} requests each`,
    );
    for (const line of table(used)) console.log(line);
  } finally {
    await Promise.all(running.map(ended));
    collector.closeAllConnections();
    collector.close();
    await admin.query(`DROP DATABASE ${database}`);
    await admin.end();
    await remove(parseConfig(env));
  }
});

function table(used: Map<string, number[]>): string[] {
  const base = used.get(VARIANTS[0]?.name ?? '') ?? [];
  const rows = [...used].map(([name, values]) => {
    const whole = estimate(values);
    const more = estimate(values.map((value, n) => value - (base[n] ?? Number.NaN)));
    const figure = (value: number) => value.toFixed(1);
    return values === base
      ? [name, figure(whole.median), '', '']
      : [name, figure(whole.median), figure(more.median), `${figure(more.low)} to ${figure(more.high)}`];
  });
  return columns([['observed', 'median', 'more than nothing', 'interval'], ...rows]);
}

function parse(args: string[]): { api: Api; rounds: number; requests: number; starts: number; ways: number } {
  const given = { api: 'charge' as Api, rounds: 10, requests: 2_000, starts: 2, ways: VARIANTS.length };
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] as string;
    const name = /^--(rounds|requests|starts|ways)$/.exec(argument)?.[1] as
      | 'rounds'
      | 'requests'
      | 'starts'
      | 'ways'
      | undefined;
    if (name) {
      const value = Number(args[++at]);
      if (!Number.isInteger(value) || value < 1) throw new Error(`${argument}: expected a whole number`);
      given[name] = value;
    } else if (argument in REQUESTS) given.api = argument as Api;
    else throw new Error(`${argument}: expected charge, coupon, order, --rounds, --requests, --starts or --ways`);
  }
  return given;
}

/** A collector that takes everything and looks at nothing. */
async function listen(): Promise<Server> {
  const server = createServer((req, res) => {
    req.resume();
    req.on('end', () => res.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function prepare(env: Record<string, string>, databaseUrl: string, namespace: string): Promise<void> {
  const config = parseConfig(env);
  const sequelize = openSequelize(databaseUrl, 2);
  await migrate(sequelize, namesOf(namespace).migrationLock);
  await sequelize.close();
  await createTopics(config);
  const { redisUrl, kafkaBrokers } = config;
  await seed({ databaseUrl, redisUrl, kafkaBrokers, namespace, users: USERS, coupons: 10_000_000 });
}

async function untilGateIsOpen(env: Record<string, string>): Promise<void> {
  const { url, stop } = await startServices({ ...env, ROLES: 'coupon-api', ONRUSH_TRACES: 'off' }, 'cost-gate');
  for (;;) {
    const answer = await fetch(`${url}/api/coupons/test-coupon-1/issue`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId: 'cost-first' }),
    });
    await answer.text();
    if (answer.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await stop();
}

/** What lies in Redis and Kafka under this run's namespace. */
async function remove(config: Config): Promise<void> {
  const names = namesOf(config.namespace);
  const redis = new Redis(config.redisUrl);
  const keys = await keysLike(redis, `${config.namespace}:*`);
  if (keys.length > 0) await redis.unlink(...keys);
  redis.disconnect();
  const topics = openKafka(config, 'cost').admin();
  await topics.connect();
  await topics.deleteTopics({ topics: [names.couponTopic, names.couponDeadTopic, names.orderTopic] });
  await topics.disconnect();
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
