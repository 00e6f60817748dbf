import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../test/run-program.ts';
import { type Fixture, openFixture } from './fixture.ts';

let fixture: Fixture;
let directory: string;
beforeAll(async () => {
  fixture = await openFixture('program');
  directory = await mkdtemp(join(tmpdir(), 'onrush-verify-'));
}, 60_000);
afterAll(async () => {
  await fixture.close();
  await rm(directory, { recursive: true });
});
beforeEach(() => fixture.restore());

const run = (...args: string[]) => runProgram('loadtests/verify/verify.ts', args);

test('exit code 0, 1 or 2, and the verdict as the last line', async () => {
  const file = join(directory, 'verdict.json');
  const clean = await run('--dsn', fixture.looseUrl, '--json', file);
  expect(clean.out).toMatch(/\nverdict: PASS\n$/);
  expect(clean.code).toBe(0);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ verdict: 'PASS', lostPromises: null });

  await fixture.loose.query(`UPDATE users SET balance = 7 WHERE id = 'test-user-3'`);
  const corrupt = await run('--dsn', fixture.looseUrl);
  expect(corrupt.out).toMatch(/VIOLATED[\s\S]*user_id=test-user-3 .*balance=7/);
  expect(corrupt.out).toMatch(/\nverdict: FAIL\n$/);
  expect(corrupt.code).toBe(1);

  await fixture.restore();
  await fixture.loose.query(`UPDATE outbox_events SET status = 'PENDING'`);
  const undrained = await run('--dsn', fixture.looseUrl);
  expect(undrained.out).toMatch(/\nverdict: INCONCLUSIVE\n$/);
  expect(undrained.code).toBe(2);
});

test('what it cannot work with is refused in a line that names it', async () => {
  const figures = join(directory, 'figures.json');
  await writeFile(figures, '{"keyed": "yes"}');
  const [option, dsn, clients, away] = await Promise.all([
    run('--dns', 'x'),
    run('--dsn', 'postgres://x'),
    run('--dsn', fixture.looseUrl, '--clients', figures),
    run('--dsn', 'mysql://nobody:secret@127.0.0.1:1/none'),
  ]);
  expect(option.err).toContain("Unknown option '--dns'");
  expect(dsn.err).toContain('--dsn: expected a URL that begins with mysql://');
  expect(clients.err).toMatch(/--clients .*figures.json: [\s\S]*keyed/);
  expect(away.err).toContain('MySQL at mysql://nobody:****@127.0.0.1:1/none is out of reach');
  expect([option, dsn, clients, away].map(({ code }) => code)).toEqual([2, 2, 2, 2]);
});
