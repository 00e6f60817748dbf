import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ALERTS } from './source/alerts.ts';

interface PromtoolTest {
  alert_rule_test: { alertname: string; exp_alerts: unknown[] }[];
}

const names = [...new Set(ALERTS.map(({ name }) => name))];
const tests = ['rules', 'burn-rates']
  .flatMap((name) => parse(readFileSync(`dashboards/${name}.test.yaml`, 'utf8')).tests as PromtoolTest[])
  .flatMap(({ alert_rule_test }) => alert_rule_test);
const runbooks = readFileSync('docs/runbooks.md', 'utf8').split('\n');

describe.each(names)('%s', (name) => {
  test('is tested for promtool: quiet, firing, resolved', () => {
    const expected = tests.filter(({ alertname }) => alertname === name).map(({ exp_alerts }) => exp_alerts.length > 0);
    expect(expected).toEqual([false, true, false]);
  });

  test('has a section in the runbooks', () => {
    expect(runbooks.filter((line) => line === `## ${name}`)).toHaveLength(1);
  });
});

test('the runbooks have no section of an alert that is gone', () => {
  const sections = runbooks.filter((line) => line.startsWith('## Onrush')).map((line) => line.slice(3));
  expect(sections.filter((section) => !names.includes(section))).toEqual([]);
});

test('alerts of one name differ in a label of their own', () => {
  const seen = ALERTS.map(({ name, labels }) => JSON.stringify([name, labels]));
  expect(new Set(seen).size).toBe(seen.length);
});
