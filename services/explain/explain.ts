import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { type Config, parseConfig } from '../core/config.ts';
import { runAsProgram } from '../core/program.ts';
import { findRows, type Wanted } from './find-rows.ts';
import { findStory } from './find-story.ts';
import { jaeger } from './jaeger.ts';
import { printRows, printStory } from './print-story.ts';
import type { SeenSpan, TraceStore } from './seen-span.ts';
import { traceFiles } from './trace-files.ts';

const storeOf = ({ jaegerUrl, traceDirectory }: Config): TraceStore =>
  jaegerUrl === ''
    ? traceFiles(traceDirectory || join(process.env.ONRUSH_DIR ?? '.onrush', 'traces'))
    : jaeger(jaegerUrl);

/** Everything that is known of a request, or undefined. */
export async function explain(config: Config, asked: string): Promise<string | undefined> {
  const store = storeOf(config);
  const isTrace = /^[\da-f]{32}$/.test(asked);
  const traceIds = isTrace ? [asked] : await store.having('onrush.idempotency_key', asked);
  const stories = (await Promise.all(traceIds.map((traceId) => findStory(store, traceId)))).filter(
    ({ own }) => own.length > 0,
  );
  const wanted: Wanted[] = stories.flatMap(({ own }) => own.filter(isRequest).map(wantedBy));
  const db = await mysql.createConnection({ uri: config.databaseUrl, timezone: 'Z', connectTimeout: 3_000 });
  try {
    if (wanted.length === 0 && !isTrace) wanted.push({ key: asked });
    const found = new Map<string, string>();
    for (const one of wanted) {
      const text = printRows(await findRows(db, one));
      if (text !== '') found.set(text, text);
    }
    if (stories.length === 0 && found.size === 0) return undefined;
    const parts = stories.map(printStory);
    if (stories.length === 0)
      parts.push(`no spans in ${store.where}: the request was not sampled, was fast and did not fail`);
    parts.push(found.size > 0 ? `rows in MySQL:\n${[...found.values()].join('\n')}` : 'no rows in MySQL');
    return parts.join('\n\n');
  } finally {
    await db.end();
  }
}

const isRequest = ({ attributes }: SeenSpan) => attributes['http.route'] !== undefined;

function wantedBy({ attributes }: SeenSpan): Wanted {
  const of = (name: string) => attributes[name] as string | undefined;
  return {
    key: of('onrush.idempotency_key'),
    userId: of('onrush.user_id'),
    couponId: of('onrush.coupon_id'),
    orderId: of('onrush.order_id'),
  };
}

/** Prints one request's story: `npm run explain -- <trace id | idempotency key>`. Exit code 1 if nothing is known of it. */
runAsProgram('services/explain/explain.ts', async () => {
  const [asked, ...more] = process.argv.slice(2);
  if (asked === undefined || more.length > 0) throw new Error('usage: npm run explain -- <trace id | idempotency key>');
  const config = parseConfig(process.env);
  const text = await explain(config, asked);
  console.log(text ?? `nothing is known of "${asked}"`);
  process.exit(text === undefined ? 1 : 0);
});
