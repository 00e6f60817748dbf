import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findK6 } from '../../engines/k6.ts';
import type { Results } from '../report/results.ts';
import { type OwnStack, ownStack } from '../test/own-stack.ts';
import { freePort } from '../test/start-services.ts';

let own: OwnStack;
let k6: string;
const directory = mkdtempSync(join(tmpdir(), 'onrush-bench-'));

// Where there is no k6 yet, it is built first.
beforeAll(async () => {
  k6 = await findK6();
  own = await ownStack('bench', { topics: true });
}, 600_000);
afterAll(async () => {
  await own.remove();
  rmSync(directory, { recursive: true, force: true });
});

async function bench(...args: string[]): Promise<{ code: number; output: string; results: Results }> {
  const ended = await run(...args);
  const results = JSON.parse(readFileSync(join(directory, 'latest', 'results.json'), 'utf8')) as Results;
  return { ...ended, results };
}

async function run(...args: string[]): Promise<{ code: number; output: string }> {
  const env = {
    ...process.env,
    ...own.env,
    K6: k6,
    PORT: String(await freePort()),
    ONRUSH_BENCH_RESULTS: directory,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ['loadtests/bench/bench.ts', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: `${stderr}\n${stdout}` });
    });
  });
}

test('a database that it was only given by DATABASE_URL is not emptied unless --seed says so', async () => {
  await own.db.query("INSERT INTO users (id, name) VALUES ('somebody', 'Somebody')");
  const { code, output } = await run('--profile', 'smoke', '--users', '2000', '--only', 'charge');
  expect(output).toMatch(/bench: DATABASE_URL names mysql:.*\/onrush_\w+bench, .* --seed deletes .* --no-seed goes on/);
  expect(code).toBe(2);
  expect(await own.value('SELECT COUNT(*) FROM users')).toBe(1);
}, 60_000);

test('a smoke run of every scenario passes, and clients and database agree to the won', async () => {
  const { code, output, results } = await bench(
    '--profile',
    'smoke',
    '--users',
    '2000',
    '--only',
    'coupon,charge,order,journey,spike',
    '--seed',
  );
  expect(output).toMatch(/verdict: PASS\s*$/);
  expect(code).toBe(0);
  expect(results.reasons).toEqual([]);
  for (const { name, apis } of results.scenarios)
    for (const { api, acknowledged, timeline } of apis)
      expect({ name, api, acknowledged: acknowledged > 0, points: timeline.length > 0 }).toEqual({
        name,
        api,
        acknowledged: true,
        points: true,
      });
  expect(results.invariants?.checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  const compared = results.invariants?.checks.filter(({ title }) => title.endsWith('in count, won and by wallet'));
  expect(compared?.map(({ id }) => id)).toEqual(['client-charges', 'client-orders']);
  expect(readFileSync(join(directory, 'latest', 'report.html'), 'utf8')).toContain('PASS');
}, 180_000);

test('the same run fails on data that somebody changed behind its back', async () => {
  await own.db.query("UPDATE users SET balance = balance + 1 WHERE id = 'test-user-7'");
  const { code, results } = await bench('--profile', 'smoke', '--users', '2000', '--only', 'charge', '--no-seed');
  expect(code).toBe(1);
  expect(results.verdict).toBe('FAIL');
  const violated = results.invariants?.checks.find(({ status }) => status === 'violated');
  expect(violated?.rows[0]).toMatchObject({ user_id: 'test-user-7' });
}, 120_000);

test('wrk drives what has no pauses, beside bare Express, and its clients agree with the database', async () => {
  const { code, output, results } = await bench(
    ...['--profile', 'saturate', '--seconds', '1', '--users', '20000', '--only', 'coupon', '--seed'],
  );
  expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  const [coupon] = results.scenarios;
  expect(results.machine).toContainEqual({ label: 'Load generator', value: expect.stringMatching(/^wrk \d/) });
  expect(coupon?.apis[0]?.acknowledged).toBeGreaterThan(100);
  expect(coupon?.bare?.microsecondsPerRequest).toBeGreaterThan(10);
  expect(output).toContain('beside bare Express');
}, 120_000);

test('the capacity of a write is the highest rate that is held, and half of it is looked at', async () => {
  const { code, output, results } = await bench(
    // In one second the requests on their way at its end are more than the fiftieth that may lack.
    ...['--capacity', '--seconds', '3', '--users', '20000', '--only', 'order', '--seed'],
  );
  expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  const [order] = results.capacity ?? [];
  const held = order?.steps.filter((step) => step.held).map(({ rate }) => rate) ?? [];
  expect(order?.knee).toBe(Math.max(...held));
  expect(order?.steps.some((step) => !step.held && step.rate > (order?.knee ?? 0))).toBe(true);
  expect(order?.half?.rate).toBe(Math.round((order?.knee ?? 0) / 2));
  expect(order?.limit).not.toBe('');
}, 300_000);
