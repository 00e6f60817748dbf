import { Redis } from 'ioredis';
import { createPool, type Pool, type RowDataPacket } from 'mysql2/promise';
import { type Names, namesOf } from '../../services/core/names.ts';
import type { StackEnv } from './setup.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at bodies of every shape
  body: any;
}

export interface ApiOptions {
  body?: unknown;
  headers?: Record<string, string>;
  /** Which process to ask; the first by default. */
  url?: string;
}

export interface Stack {
  url: string;
  /** The same stack through each of its processes. */
  urls: string[];
  env: StackEnv;
  db: Pool;
  redis: Redis;
  names: Names;
  api(method: string, path: string, options?: ApiOptions): Promise<Answer>;
  /** The single value of a query's first row. */
  value(sql: string, values?: unknown[]): Promise<number>;
}

let opened: Stack | undefined;

/** The stack that the test run has started (setup.ts). */
export function stack(): Stack {
  if (opened) return opened;
  const env = JSON.parse(process.env.ONRUSH_TEST_STACK ?? 'null') as StackEnv | null;
  if (!env) throw new Error('no stack is running: start the tests with npm test');
  const db = createPool({ uri: env.databaseUrl, connectionLimit: 4, timezone: 'Z' });
  const url = env.urls[0] as string;
  opened = {
    url,
    urls: env.urls,
    env,
    db,
    redis: new Redis(env.redisUrl),
    names: namesOf(env.namespace),
    api: (method, path, options = {}) => api(options.url ?? url, method, path, options),
    async value(sql, values = []) {
      const [rows] = await db.query<RowDataPacket[]>(sql, values);
      return Number(Object.values(rows[0] ?? {})[0]);
    },
  };
  return opened;
}

async function api(url: string, method: string, path: string, { body, headers }: ApiOptions): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** Calls until the answer satisfies the condition; fails with the last answer when it never does. */
export async function eventually<T>(
  ask: () => Promise<T>,
  holds: (answer: T) => boolean,
  withinMs = 10_000,
): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (Date.now() > until) throw new Error(`not within ${withinMs} ms; last seen: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

afterAll(async () => {
  await opened?.db.end();
  opened?.redis.disconnect();
});
