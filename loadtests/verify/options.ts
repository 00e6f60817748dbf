import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { parseConfig } from '../../services/core/config.ts';
import { BadOption, parsed } from '../../services/core/options.ts';
import type { ClientFigures } from './figures.ts';
import { readMapping } from './mapping.ts';
import type { VerifyOptions } from './verdict.ts';

export const USAGE = `npm run verify -- [options]
  Without --dsn the running stack is judged: DATABASE_URL, REDIS_URL and KAFKA_BROKERS of the environment.
  --dsn URL              database to judge, mysql://user:password@host:port/name; what needs the engines below is
                         left out unless they are given too
  --redis URL            Redis with the promises
  --kafka HOST:PORT,…    brokers
  --namespace NAME       first part of Redis keys, topics and groups (ONRUSH_NAMESPACE, onrush)
  --clients FILE         figures of the load generators, JSON; text that begins with { is taken as that JSON itself
  --mapping FILE         JSON of source → SELECT, to judge another schema
  --allow-lost-promises  report lost coupon promises without failing
  --json FILE            write the verdict there; - prints it, one line and nothing else
Exit code: 0 PASS, 1 FAIL, 2 INCONCLUSIVE or an error.`;

const count = z.int().min(0);
const flow = z.strictObject({ count, won: count, weighed: count.optional() });
const clientFigures = z.strictObject({
  before: z.strictObject({ charges: flow, orders: flow, issued: count, rejected: count }),
  coupon: z.strictObject({ couponId: z.string(), sent: count, accepted: count, unresolved: count }).optional(),
  charge: z.strictObject({ sent: flow, acknowledged: flow, unresolved: flow }).optional(),
  order: z.strictObject({ sent: count, acknowledged: flow, unresolved: count }).optional(),
  keyed: z.boolean(),
});

/** @throws BadOption, BadConfig or BadMapping whose message names the option */
export async function parseVerifyOptions(
  args: string[],
  env: Record<string, string | undefined>,
): Promise<(VerifyOptions & { json?: string | undefined }) | 'help'> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parsed(() =>
    parseArgs({
      args,
      options: {
        dsn: text,
        redis: text,
        kafka: text,
        namespace: text,
        clients: text,
        mapping: text,
        json: text,
        'allow-lost-promises': flag,
        help: flag,
      },
    }),
  );
  if (values.help) return 'help';
  const stack = engines(values, env);
  return {
    ...stack,
    clients: values.clients === undefined ? undefined : await readFigures(values.clients),
    mapping: values.mapping === undefined ? undefined : await readMapping(values.mapping),
    allowLostPromises: values['allow-lost-promises'] ?? false,
    json: values.json,
  };
}

interface EngineOptions {
  dsn?: string | undefined;
  redis?: string | undefined;
  kafka?: string | undefined;
  namespace?: string | undefined;
}

function engines({ dsn, redis, kafka, namespace }: EngineOptions, env: Record<string, string | undefined>) {
  if (dsn !== undefined && !/^(mysql|mariadb):\/\/./.test(dsn))
    throw new BadOption('--dsn: expected a URL that begins with mysql:// or mariadb://');
  if (redis !== undefined && !/^rediss?:\/\/./.test(redis))
    throw new BadOption('--redis: expected a URL that begins with redis:// or rediss://');
  if (kafka !== undefined && !/^[^\s,]+:\d+(,[^\s,]+:\d+)*$/.test(kafka))
    throw new BadOption(`--kafka "${kafka}": expected host:port, several separated by commas`);
  const brokers = kafka?.split(',');
  if (dsn !== undefined)
    return {
      databaseUrl: dsn,
      redisUrl: redis,
      kafkaBrokers: brokers,
      namespace: namespace ?? env.ONRUSH_NAMESPACE ?? 'onrush',
    };
  const config = parseConfig(env);
  return {
    databaseUrl: config.databaseUrl,
    redisUrl: redis ?? config.redisUrl,
    kafkaBrokers: brokers ?? config.kafkaBrokers,
    namespace: namespace ?? config.namespace,
  };
}

async function readFigures(file: string): Promise<ClientFigures> {
  try {
    const text = file.startsWith('{') ? file : await readFile(file, 'utf8');
    return clientFigures.parse(JSON.parse(text)) as ClientFigures;
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new BadOption(`--clients ${file}: ${reason}`);
  }
}
