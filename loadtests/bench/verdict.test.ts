import type { Invariants, ScenarioResult } from '../report/results.ts';
import { judge } from './verdict.ts';

const scenario = (ok: boolean) =>
  [
    { name: 'charge', thresholds: [{ metric: 'http_req_duration{name:charge}', expression: 'p(95)<288', ok }] },
  ] as ScenarioResult[];
const invariants = (verdict: Invariants['verdict'], ...reasons: string[]): Invariants => ({
  verdict,
  reasons,
  seconds: 1,
  lostPromises: 0,
  checks: [],
});
const none = { failed: [], open: [] };

test('everything held is PASS, without a reason', () => {
  expect(judge(scenario(true), invariants('PASS'), none)).toEqual({ verdict: 'PASS', reasons: [] });
});

test('a broken threshold, a violated invariant and APIs that died are FAIL each', () => {
  expect(judge(scenario(false), invariants('PASS'), none)).toEqual({
    verdict: 'FAIL',
    reasons: ['charge: the threshold http_req_duration{name:charge} p(95)<288 is broken'],
  });
  expect(judge(scenario(true), invariants('FAIL', 'wallet-sum: 1 violations'), none).verdict).toBe('FAIL');
  expect(judge(scenario(true), invariants('PASS'), { failed: ['the APIs ended'], open: [] }).verdict).toBe('FAIL');
});

test('what could not be measured or verified is INCONCLUSIVE, never PASS', () => {
  expect(judge([], invariants('PASS'), { failed: [], open: ['k6 ended with 107'] }).verdict).toBe('INCONCLUSIVE');
  expect(judge(scenario(true), undefined, none).verdict).toBe('INCONCLUSIVE');
  expect(judge(scenario(true), invariants('INCONCLUSIVE', 'outbox'), none).reasons).toEqual(['outbox']);
});

test('a failure is told first even where something else is open', () => {
  const { verdict, reasons } = judge(scenario(false), undefined, { failed: [], open: ['not drained'] });
  expect(verdict).toBe('FAIL');
  expect(reasons).toHaveLength(3);
});
