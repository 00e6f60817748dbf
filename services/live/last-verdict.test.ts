import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastVerdictOf } from './last-verdict.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'onrush-verdict-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = {
  verdict: 'FAIL',
  startedAt: '2026-11-24T10:00:00.000Z',
  seconds: 61.2,
  profile: 'quick',
  reasons: ['wallet-sum'],
};

test('tells the last run, and the next one when its file is there', async () => {
  const path = join(directory, 'results.json');
  const read = lastVerdictOf(path);
  expect(await read()).toBeNull();
  writeFileSync(path, JSON.stringify({ version: 1, ...run, scenarios: [{}] }));
  expect(await read()).toEqual(run);
  rmSync(path);
  expect(await read()).toBeNull();
  writeFileSync(path, JSON.stringify({ ...run, verdict: 'PASS', reasons: [] }));
  expect(await read()).toMatchObject({ verdict: 'PASS' });
});

test.each(['', '{', 'null', '{"verdict":"GREAT"}'])('%j is no verdict', async (text) => {
  const path = join(directory, 'results.json');
  writeFileSync(path, text);
  expect(await lastVerdictOf(path)()).toBeNull();
});
