import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { stack } from '../../loadtests/test/stack.ts';

const DIE_AT = 'loadtests/faults/die-at.ts';

/** Starts the program and returns how it ended. */
function run(env: Record<string, string>): Promise<{ code: number | null; signal: string | null; err: string }> {
  const { databaseUrl, redisUrl, kafkaBrokers, namespace } = stack().env;
  const child = spawn(process.execPath, ['services/main.ts'], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      KAFKA_BROKERS: kafkaBrokers,
      ONRUSH_NAMESPACE: namespace,
      PORT: '0',
      ROLES: 'coupon-gatekeeper',
      ...env,
    },
  });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  // One that starts is told to end, so that this comes to an end either way.
  child.stdout.on('data', (chunk) => String(chunk).includes('listening') && child.kill('SIGTERM'));
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, err })));
}
const preloaded = { NODE_OPTIONS: `--import=${pathToFileURL(DIE_AT)}`, ONRUSH_TEST_DIE_AT: 'charge:committed#1' };

describe('crash points', () => {
  it.each(['production', '', 'staging'])(
    'stop a program that is started with them where NODE_ENV is "%s"',
    async (NODE_ENV) => {
      const { code, err } = await run({ ...preloaded, NODE_ENV });
      expect(err).toContain(`crash points are for tests: NODE_ENV is "${NODE_ENV}", not "test"`);
      expect(code).toBe(1);
    },
  );

  it('are no setting: the variable alone does nothing', async () => {
    const { code, err } = await run({ ...preloaded, NODE_OPTIONS: '', NODE_ENV: 'test' });
    expect([code, err.replace(/^\(.*\n|Timeout duration.*\n/gm, '')]).toEqual([0, '']);
  });

  it('are named right or not at all', async () => {
    const { code, err } = await run({ ...preloaded, ONRUSH_TEST_DIE_AT: 'charge:comitted', NODE_ENV: 'test' });
    expect(err).toContain('ONRUSH_TEST_DIE_AT "charge:comitted": expected POINT#N of issue:gate-answered,');
    expect(code).toBe(1);
  });

  it('are watched by nothing in services/, and by one file that the image does not hold', () => {
    const watching = globSync('{services,loadtests,engines,charts}/**/*.ts', { exclude: ['**/node_modules/**'] })
      .filter((file) => !file.endsWith('.test.ts') && readFileSync(file, 'utf8').includes('watchCrashPoints('))
      .sort();
    expect(watching).toEqual([DIE_AT, 'services/core/crash-point.ts']);
    const copied = readFileSync('Dockerfile', 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gm);
    const directories = [...copied].flatMap(([, sources]) => sources?.split(' ') ?? []);
    expect(directories).toContain('services');
    expect(directories.filter((directory) => DIE_AT.startsWith(directory.replace(/^\.$/, '')))).toEqual([]);
  });
});
