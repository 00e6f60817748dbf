import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { stack } from '../../loadtests/test/stack.ts';
import { describeConfig, maskUrl, parseConfig, ROLES } from './config.ts';

const good = {
  DATABASE_URL: 'mysql://onrush:secret@127.0.0.1:3306/onrush',
  REDIS_URL: 'redis://:secret@127.0.0.1:6379/0',
  KAFKA_BROKERS: '127.0.0.1:9092',
};
const complaintAbout = (env: Record<string, string | undefined>): string => {
  try {
    parseConfig({ ...good, ...env });
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
};

describe('parseConfig', () => {
  it('needs three settings and has a default for every other', () => {
    const config = parseConfig(good);
    expect(config).toMatchObject({ port: 8081, host: '127.0.0.1', roles: ROLES, workers: 1, namespace: 'onrush' });
    expect(Object.values(config).every((value) => value !== undefined)).toBe(true);
  });

  it.each([
    ['DATABASE_URL', 'postgres://u@h/d', 'mysql:// or mariadb://'],
    ['DATABASE_URL', 'localhost:3306', 'mysql:// or mariadb://'],
    ['DATABASE_URL', '', 'required'],
    ['REDIS_URL', 'http://h', 'redis:// or rediss://'],
    ['KAFKA_BROKERS', 'broker', 'host:port'],
    ['KAFKA_BROKERS', 'a:9092, b:9092', 'host:port'],
    ['PORT', '65536', '65535'],
    ['PORT', '80a', 'whole number from 0 to 65535'],
    ['PORT', '-1', 'whole number from 0 to 65535'],
    ['PORT', '1.5', 'whole number from 0 to 65535'],
    ['ROLES', 'all,coupon-api', 'expected all or some of coupon-api'],
    ['ROLES', 'coupon-apis', '"coupon-apis" is no role'],
    ['WORKERS', '0', '1'],
    ['LOG_LEVEL', 'loud', '"debug"|"info"|"warn"|"error"|"silent"'],
    ['ONRUSH_NAMESPACE', 'Onrush', 'a-z, 0-9 and -'],
    ['ONRUSH_CART_AFTER_ORDER', 'delete', '"empty"|"keep"'],
    ['ONRUSH_REQUEST_TIMEOUT_MS', '99', '100'],
    ['ONRUSH_MAX_BATCH', '513', '512'],
    ['ONRUSH_METRICS', 'no', '"on"|"off"'],
    ['ONRUSH_TRACES', 'jaeger', '"auto"|"otlp"'],
    ['ONRUSH_TRACE_RATIO', '1.5', 'a number from 0 to 1'],
    ['ONRUSH_TRACE_RATIO', '1%', 'a number from 0 to 1'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317', 'http:// or https://'],
    ['ONRUSH_JAEGER_URL', 'jaeger', 'http:// or https://'],
    ['AUTH', 'of', '"on"|"off"'],
    ['AUTH_JWKS_URL', 'issuer.example/keys', 'https:// or http://'],
    ['AUTH_ADMIN_SCOPE', 'two scopes', 'expected one scope'],
    ['ONRUSH_RATE_LIMIT', '-1', 'whole number from 0'],
    // A gate's rebuild reads while another connection of the pool holds its named lock.
    ['ONRUSH_READ_POOL', '1', '2'],
  ])('stops at %s=%j, naming it and what was expected', (name, text, expected) => {
    const complaint = complaintAbout({ [name]: text });
    expect(complaint).toContain(name);
    expect(complaint).toContain(text === '' ? 'is not set' : `is "${text}"`);
    expect(complaint).toContain(expected);
  });

  it('names every bad setting at once', () => {
    const complaint = complaintAbout({ PORT: 'x', WORKERS: '99', REDIS_URL: undefined, ONRUSH_MAX_QEUE: '5' });
    for (const name of ['PORT', 'WORKERS', 'REDIS_URL', 'ONRUSH_MAX_QEUE']) expect(complaint).toContain(name);
  });

  it('stops at a name that begins with ONRUSH_ and is no setting, but leaves the tools’ and others’ alone', () => {
    expect(complaintAbout({ ONRUSH_MAX_QEUE: '5' })).toContain('ONRUSH_MAX_QEUE: no such setting');
    expect(complaintAbout({ ONRUSH_TEST_STACK: 'x', ONRUSH_DIR: 'y', PATH: 'z', MAX_QEUE: '1' })).toBe('none');
  });

  const SECRET = 's3cret'.repeat(6);
  it.each([
    ['AUTH=on alone', { AUTH: 'on' }, 'AUTH is "on": expected AUTH_JWKS_URL or AUTH_SECRET'],
    ['AUTH=off beside a key', { AUTH: 'off', AUTH_SECRET: SECRET }, 'AUTH is "off" and AUTH_SECRET is set'],
    ['two keys', { AUTH_JWKS_URL: 'https://h/k', AUTH_SECRET: SECRET }, 'both set'],
    ['keys of all audiences', { AUTH_JWKS_URL: 'https://h/k' }, 'AUTH_AUDIENCE is not set'],
    ['keys of any issuer', { AUTH_JWKS_URL: 'https://h/k', AUTH_AUDIENCE: 'a' }, 'AUTH_ISSUER is not set'],
    ['a misspelt AUTH_ name', { AUTH_SECRET: SECRET, AUTH_AUDIANCE: 'a' }, 'AUTH_AUDIANCE: no such setting'],
    ['a short secret', { AUTH_SECRET: 's3cret' }, 'AUTH_SECRET is "****": expected at least 32 characters'],
  ])('stops at %s', (_what, env, expected) => {
    expect(complaintAbout(env)).toContain(expected);
    expect(complaintAbout(env)).not.toContain('s3cret');
  });

  it('takes a secret, or keys of one issuer for one audience, and says nothing of AUTH where it is not said', () => {
    const auth = (env: Record<string, string>) => parseConfig({ ...good, ...env }).auth;
    expect(auth({})).toMatchObject({ mode: 'unsaid', adminScope: 'onrush:admin' });
    expect(auth({ AUTH: 'off', AUTH_OF_SOMEBODY_ELSE: 'x' }).mode).toBe('off');
    expect(auth({ AUTH_SECRET: SECRET })).toMatchObject({ mode: 'secret', secret: SECRET });
    const keys = { AUTH_JWKS_URL: 'https://h/k', AUTH_ISSUER: 'https://h', AUTH_AUDIENCE: 'onrush' };
    expect(auth(keys)).toMatchObject({ mode: 'jwks', issuer: 'https://h', audience: 'onrush' });
  });

  it.each([
    'mysql://root:s3cret@h:3306/d',
    'mysql://root:s3cret@h:99999/d',
    'postgres://root:s3cret@h/d',
    'mysql://root:a@s3cret@h/d',
    'postgres://root:a@s3cret@h/d',
    'mysql://root:a/s3cret@h/d',
    'mysql://root:a:s3cret@h/d',
    'root:s3cret@h:3306/d',
    'mysql://h/d?user=root&password=s3cret',
    'postgres://h/d?user=root&password=s3cret',
  ])('never shows the password of %s', (url) => {
    expect(complaintAbout({ DATABASE_URL: url, PORT: 'x' })).not.toContain('s3cret');
    expect(maskUrl(url)).not.toContain('s3cret');
    expect(maskUrl(url)).toContain('****');
  });

  it('shows a configuration without its passwords, and all else', () => {
    const shown = describeConfig(parseConfig({ ...good, AUTH_SECRET: 'hidden'.repeat(6) }));
    const { auth, ...rest } = shown;
    expect(JSON.stringify(rest)).not.toContain('secret');
    expect(auth).toMatchObject({ secret: '****' });
    expect(JSON.stringify(auth)).not.toContain('hidden');
    expect(shown).toMatchObject({
      databaseUrl: 'mysql://onrush:****@127.0.0.1:3306/onrush',
      redisUrl: 'redis://:****@127.0.0.1:6379/0',
      kafkaBrokers: ['127.0.0.1:9092'],
      port: 8081,
    });
  });
});

describe('the program', () => {
  /** Runs services/main.ts to its end. */
  const run = (env: Record<string, string>): Promise<{ code: number | null; output: string }> =>
    new Promise((done) => {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', resolve('services/main.ts')], {
        env: { PATH: process.env.PATH ?? '', ...env },
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
      child.once('close', (code) => done({ code, output }));
    });

  it('ends with code 2 and the complaint when a setting is bad', async () => {
    const { env } = stack();
    const { code, output } = await run({
      DATABASE_URL: env.databaseUrl,
      REDIS_URL: env.redisUrl,
      KAFKA_BROKERS: 'nowhere',
      ONRUSH_MAX_QEUE: '5',
    });
    expect(code).toBe(2);
    expect(output).toContain('KAFKA_BROKERS is "nowhere": expected host:port');
    expect(output).toContain('ONRUSH_MAX_QEUE: no such setting');
    for (const url of [env.databaseUrl, env.redisUrl]) expect(output).not.toContain(new URL(url).password);
  });

  it('ends with code 2 when nobody said how callers are known, but starts what serves no API', async () => {
    const { env } = stack();
    const engines = { DATABASE_URL: env.databaseUrl, REDIS_URL: env.redisUrl, KAFKA_BROKERS: env.kafkaBrokers };
    for (const WORKERS of ['1', '2']) {
      const { code, output } = await run({ ...engines, WORKERS, ROLES: 'balance-api,outbox-relay' });
      expect(code).toBe(2);
      expect(output).toContain('expected AUTH_JWKS_URL or AUTH_SECRET, or AUTH=off');
      expect(output).not.toContain('starting');
    }
    // It gets as far as its port, which is no address of this machine.
    const relay = await run({ ...engines, ROLES: 'outbox-relay', HOST: '192.0.2.1', ONRUSH_NAMESPACE: env.namespace });
    expect(relay.output).toContain('EADDRNOTAVAIL');
  });

  it('says on standard error that it asks for no tokens, whatever the log level', async () => {
    const { env } = stack();
    const { output } = await run({
      DATABASE_URL: env.databaseUrl,
      REDIS_URL: env.redisUrl,
      KAFKA_BROKERS: env.kafkaBrokers,
      ONRUSH_NAMESPACE: env.namespace,
      ROLES: 'balance-api',
      AUTH: 'off',
      LOG_LEVEL: 'silent',
      HOST: '192.0.2.1',
    });
    expect(output).toMatch(/^AUTH=off: NO TOKENS ARE ASKED FOR/m);
  });

  it('ends with code 2 when the port is taken, alone and with several processes', async () => {
    const { env, url } = stack();
    const taken = {
      DATABASE_URL: env.databaseUrl,
      REDIS_URL: env.redisUrl,
      KAFKA_BROKERS: env.kafkaBrokers,
      ONRUSH_NAMESPACE: env.namespace,
      AUTH: 'off',
      ROLES: 'balance-api',
      PORT: new URL(url).port,
    };
    const [alone, several] = await Promise.all([run(taken), run({ ...taken, WORKERS: '2' })]);
    expect(alone).toMatchObject({ code: 2, output: expect.stringContaining('EADDRINUSE') });
    expect(several).toMatchObject({ code: 2, output: expect.stringContaining('EADDRINUSE') });
    for (const { output } of [alone, several]) expect(output).not.toContain(new URL(env.databaseUrl).password);
  });
});
