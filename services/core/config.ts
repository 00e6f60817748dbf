import { z } from 'zod';

/** Roles a process can take on; in Kubernetes each Deployment names its own, on a laptop one process has all. */
export const ROLES = [
  'coupon-api',
  'balance-api',
  'order-api',
  'coupon-gatekeeper',
  'coupon-consumer',
  'outbox-relay',
  'projections',
] as const;
export type Role = (typeof ROLES)[number];
export const servesApi = (role: Role): boolean => role.endsWith('-api');

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min).max(max));

const share = z
  .string()
  .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'expected a number from 0 to 1')
  .transform(Number);

const rolesSetting = z.string().transform((text, ctx) => {
  if (text === 'all') return [...ROLES];
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !ROLES.includes(name as Role));
  if (unknown.length > 0)
    ctx.addIssue({
      code: 'custom',
      message: `"${unknown.join('", "')}" is no role; expected all or some of ${ROLES.join(', ')}`,
    });
  return names as Role[];
});

const url = (...schemes: string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)),
      `expected a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    );

/**
 * Every setting, parsed once at start. Times are milliseconds unless the name says otherwise.
 * Names that begin with ONRUSH_ and stand neither here nor in TOOL_SETTINGS stop the program, so that a misspelt one is noticed.
 */
const settings = z.object({
  DATABASE_URL: url('mysql', 'mariadb'),
  REDIS_URL: url('redis', 'rediss'),
  KAFKA_BROKERS: z
    .string()
    .regex(/^[^\s,]+:\d+(,[^\s,]+:\d+)*$/, 'expected host:port, several separated by commas')
    .transform((text) => text.split(',')),
  PORT: whole(0, 65_535).default(8081),
  HOST: z.string().min(1).default('127.0.0.1'),
  ROLES: rolesSetting.default([...ROLES]),
  /** Processes that share the port. */
  WORKERS: whole(1, 64).default(1),
  /**
   * `apart`: roles that serve no API run in one process of their own beside the API processes, so that relaying and consuming
   * do not take turns with requests on one core.
   */
  ONRUSH_BACKGROUND: z.enum(['within', 'apart']).default('within'),
  /**
   * `off` lets everybody act for everybody, and has to be said. Else every call of the APIs brings a bearer JWT, which is
   * verified by one of the two: the keys at a URL (RS, PS, ES or EdDSA), or a secret of at least 32 characters (HS256).
   */
  AUTH: z.enum(['on', 'off']).optional(),
  AUTH_JWKS_URL: url('https', 'http').default(''),
  AUTH_SECRET: z.string().min(32, 'expected at least 32 characters').default(''),
  /** `iss` and `aud` of the tokens. A provider signs for many with the same keys, so keys at a URL need both. */
  AUTH_ISSUER: z.string().default(''),
  AUTH_AUDIENCE: z.string().default(''),
  /** Without it in the token's `scope` no coupon is created. */
  AUTH_ADMIN_SCOPE: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected one scope')
    .default('onrush:admin'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** First part of every Redis key, topic, consumer group and named lock, so that several stacks can share engines. */
  ONRUSH_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9-]{1,30}$/, 'expected 1 to 30 of a-z, 0-9 and -')
    .default('onrush'),
  /** `keep` leaves the cart as it was after an order, so that a load profile can order again. */
  ONRUSH_CART_AFTER_ORDER: z.enum(['empty', 'keep']).default('empty'),
  /** A request that has no answer by then gets 503. */
  ONRUSH_REQUEST_TIMEOUT_MS: whole(100, 60_000).default(5_000),
  /**
   * Calls that one process takes from one user: a second, and at once after a pause. 0: any number. Off where AUTH is, since
   * nobody knows who calls.
   */
  ONRUSH_RATE_LIMIT: whole(0, 100_000).default(20),
  ONRUSH_RATE_BURST: whole(1, 100_000).default(40),
  /** Creating coupons, /metrics and /docs are served there alone; 0: on PORT with everything else. */
  ONRUSH_ADMIN_PORT: whole(0, 65_535).default(0),
  /** By default HOST. */
  ONRUSH_ADMIN_HOST: z.string().default(''),
  /** Requests one process works on at once; one more is refused with 503 before any work. */
  ONRUSH_MAX_IN_FLIGHT: whole(1, 100_000).default(2_000),
  /** Charges, and orders, that may wait for a transaction. Less than may be in flight: one user's must not take all places. */
  ONRUSH_MAX_QUEUE: whole(1, 100_000).default(1_000),
  /**
   * A charge or order that would wait longer for its turn is refused with 503 before any work, so that those that are
   * admitted meet their targets under any load.
   */
  ONRUSH_MAX_WAIT_MS: whole(10, 60_000).default(100),
  /**
   * Requests that one transaction serves at most. Where thousands of connections ask at once, a turn of the event loop takes a tenth
   * of a second and a transaction two turns: it must then serve many, or most of what comes is refused (docs/performance.md).
   */
  ONRUSH_MAX_BATCH: whole(1, 512).default(256),
  /** Transactions that charges, and that checkouts, may have in flight in one process, where there are many of them. */
  ONRUSH_CHARGE_LANES: whole(1, 16).default(2),
  ONRUSH_CHECKOUT_LANES: whole(1, 16).default(2),
  /**
   * Connections for the hot writes and for reads through the models, in one process. Of the latter a gate's rebuild needs
   * two at once: one holds its named lock.
   */
  ONRUSH_WRITE_POOL: whole(1, 200).default(8),
  ONRUSH_READ_POOL: whole(2, 200).default(8),
  ONRUSH_LOCK_WAIT_TIMEOUT_S: whole(1, 60).default(3),
  /** How long one user's order lock in Redis lives at most. */
  ONRUSH_ORDER_LOCK_MS: whole(100, 60_000).default(10_000),
  ONRUSH_TOPIC_PARTITIONS: whole(1, 100).default(3),
  ONRUSH_TOPIC_REPLICAS: whole(1, 9).default(1),
  /** Publishing attempts before an outbox event is FAILED and waits for its redrive. */
  ONRUSH_OUTBOX_ATTEMPTS: whole(1, 1_000).default(20),
  /** Time from SIGTERM to the moment the listening socket closes: load balancers need to notice first. */
  ONRUSH_DRAIN_DELAY_MS: whole(0, 60_000).default(0),
  /** `off` counts nothing and leaves /metrics empty: to measure what metrics cost. */
  ONRUSH_METRICS: z.enum(['on', 'off']).default('on'),
  /** `on` serves /live, a page that shows what happens now; for those who watch, not for the public. */
  ONRUSH_LIVE: z.enum(['on', 'off']).default('off'),
  /**
   * Where spans go. `auto`: to OTLP where an endpoint is set, else into files where there is a directory .onrush, else
   * nowhere. `log` writes none, but logs which requests were slow or failed. `off` notes nothing at all.
   */
  ONRUSH_TRACES: z.enum(['auto', 'otlp', 'file', 'log', 'off']).default('auto'),
  /** Share of the requests that are traced where the caller does not say. Failed and slow ones always are. */
  ONRUSH_TRACE_RATIO: share.default(0.01),
  /** Where files of spans go; by default to .onrush/traces. */
  ONRUSH_TRACE_DIR: z.string().default(''),
  /** Of the trace store or collector, with http:// or https://; /v1/traces is added. Other OTEL_EXPORTER_OTLP_… are heeded too. */
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https').default(''),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url('http', 'https').default(''),
  /** Of Jaeger's query API, where `npm run explain` looks for spans; without it in files. */
  ONRUSH_JAEGER_URL: url('http', 'https').default(''),
});

/** Settings of the programs around the services (engines, bench, tests), which the services leave alone. */
const TOOL_SETTINGS =
  /^ONRUSH_(DIR|MYSQL_PORT|REDIS_PORT|KAFKA_PORT|KAFKA_CONTROLLER_PORT|COMPOSE_|TEST_|BENCH_|CONTAINER_)/;

export type Config = ReturnType<typeof parseConfig>;

export class BadConfig extends Error {
  override name = 'BadConfig';
}

/** @throws BadConfig whose message names every setting that is missing, misspelt or out of range. */
export function parseConfig(env: Record<string, string | undefined>) {
  const known = settings.shape;
  const complaints = Object.keys(env)
    .filter((name) => name.startsWith('ONRUSH_') && !(name in known) && !TOOL_SETTINGS.test(name))
    .map((name) => `${name}: no such setting`);
  const given = Object.fromEntries(Object.entries(env).filter(([name, text]) => name in known && text !== ''));
  const parsed = settings.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    const seen = given[name] === undefined ? 'is not set' : `is "${masked(name, given[name])}"`;
    complaints.push(`${name} ${seen}: ${given[name] === undefined ? 'it is required' : issue.message}`);
  }
  if (parsed.success) complaints.push(...authComplaints(parsed.data, env));
  if (!parsed.success || complaints.length > 0) throw new BadConfig(`bad configuration\n  ${complaints.join('\n  ')}`);
  const s = parsed.data;
  return {
    databaseUrl: s.DATABASE_URL,
    redisUrl: s.REDIS_URL,
    kafkaBrokers: s.KAFKA_BROKERS,
    port: s.PORT,
    host: s.HOST,
    roles: s.ROLES,
    workers: s.WORKERS,
    background: s.ONRUSH_BACKGROUND,
    auth: authSettings(s),
    rateLimit: s.ONRUSH_RATE_LIMIT,
    rateBurst: s.ONRUSH_RATE_BURST,
    adminPort: s.ONRUSH_ADMIN_PORT,
    adminHost: s.ONRUSH_ADMIN_HOST || s.HOST,
    logLevel: s.LOG_LEVEL,
    namespace: s.ONRUSH_NAMESPACE,
    cartAfterOrder: s.ONRUSH_CART_AFTER_ORDER,
    requestTimeoutMs: s.ONRUSH_REQUEST_TIMEOUT_MS,
    maxInFlight: s.ONRUSH_MAX_IN_FLIGHT,
    maxQueue: s.ONRUSH_MAX_QUEUE,
    maxWaitMs: s.ONRUSH_MAX_WAIT_MS,
    maxBatch: s.ONRUSH_MAX_BATCH,
    chargeLanes: s.ONRUSH_CHARGE_LANES,
    checkoutLanes: s.ONRUSH_CHECKOUT_LANES,
    writePool: s.ONRUSH_WRITE_POOL,
    readPool: s.ONRUSH_READ_POOL,
    lockWaitTimeoutS: s.ONRUSH_LOCK_WAIT_TIMEOUT_S,
    orderLockMs: s.ONRUSH_ORDER_LOCK_MS,
    topicPartitions: s.ONRUSH_TOPIC_PARTITIONS,
    topicReplicas: s.ONRUSH_TOPIC_REPLICAS,
    outboxAttempts: s.ONRUSH_OUTBOX_ATTEMPTS,
    drainDelayMs: s.ONRUSH_DRAIN_DELAY_MS,
    metrics: s.ONRUSH_METRICS === 'on',
    live: s.ONRUSH_LIVE === 'on',
    traces: s.ONRUSH_TRACES,
    traceRatio: s.ONRUSH_TRACE_RATIO,
    jaegerUrl: s.ONRUSH_JAEGER_URL,
    traceDirectory: s.ONRUSH_TRACE_DIR,
    otlpEndpoint: s.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || s.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
}

export interface AuthSettings {
  /** Where nothing was said, only what serves no API starts. */
  mode: 'off' | 'jwks' | 'secret' | 'unsaid';
  jwksUrl: string;
  secret: string;
  issuer: string;
  audience: string;
  adminScope: string;
}

type Settings = z.infer<typeof settings>;

const authSettings = (s: Settings): AuthSettings => ({
  mode: s.AUTH === 'off' ? 'off' : s.AUTH_JWKS_URL ? 'jwks' : s.AUTH_SECRET ? 'secret' : 'unsaid',
  jwksUrl: s.AUTH_JWKS_URL,
  secret: s.AUTH_SECRET,
  issuer: s.AUTH_ISSUER,
  audience: s.AUTH_AUDIENCE,
  adminScope: s.AUTH_ADMIN_SCOPE,
});

/** Settings that contradict each other, and misspelt ones: an audience that nobody reads would admit any token. */
function authComplaints(s: Settings, env: Record<string, string | undefined>): string[] {
  const keys = (['AUTH_JWKS_URL', 'AUTH_SECRET'] as const).filter((name) => s[name] !== '');
  if (s.AUTH === 'off')
    return keys.map((name) => `AUTH is "off" and ${name} is set: expected one of them; set AUTH=on or remove ${name}`);
  const complaints = Object.keys(env)
    .filter((name) => name.startsWith('AUTH_') && !(name in settings.shape))
    .map((name) => `${name}: no such setting`);
  if (keys.length > 1) complaints.push('AUTH_JWKS_URL and AUTH_SECRET are both set: expected one of them');
  if (s.AUTH === 'on' && keys.length === 0)
    complaints.push('AUTH is "on": expected AUTH_JWKS_URL or AUTH_SECRET beside it');
  for (const name of ['AUTH_ISSUER', 'AUTH_AUDIENCE'] as const)
    if (s.AUTH_JWKS_URL && !s[name]) complaints.push(`${name} is not set: it is required beside AUTH_JWKS_URL`);
  return complaints;
}

/** A setting's value as it may be shown: without the password of a URL. */
function masked(name: string, text: string | undefined): string {
  if (name === 'AUTH_SECRET') return '****';
  return /_(URL|ENDPOINT)$/.test(name) ? maskUrl(text ?? '') : (text ?? '');
}

/** Also of one that is misspelt: whatever may be a password goes, from the first colon to the last @ and in the query. */
export function maskUrl(text: string): string {
  return text.replace(/^(\w+:\/\/|(?!\w+:\/\/))([^:@]*):.*@/s, '$1$2:****@').replace(/(password=)[^&]*/gi, '$1****');
}

/** The configuration as printed at start, secrets masked. */
export function describeConfig(config: Config): Record<string, unknown> {
  const { databaseUrl, redisUrl, otlpEndpoint, jaegerUrl, auth } = config;
  return {
    ...config,
    auth: { ...auth, jwksUrl: maskUrl(auth.jwksUrl), secret: auth.secret && '****' },
    databaseUrl: maskUrl(databaseUrl),
    redisUrl: maskUrl(redisUrl),
    otlpEndpoint: maskUrl(otlpEndpoint),
    jaegerUrl: maskUrl(jaegerUrl),
  };
}
