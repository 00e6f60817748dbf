import { spawnSync } from 'node:child_process';
import { findMonitoring } from '../engines/monitoring.ts';
import { RULES_FILE } from './source/generated.ts';

/** That each alert has its three moments there is alerts.test.ts's to check; here they are run. */
test.each([
  [
    'every rule fires and resolves when it should',
    ['test', 'rules', 'dashboards/rules.test.yaml', 'dashboards/burn-rates.test.yaml'],
  ],
  ['the rules file is as Prometheus wants it', ['check', 'rules', '--lint=all', '--lint-fatal', RULES_FILE]],
])('%s', async (_what, args) => {
  const { stdout, stderr, status } = spawnSync(await findMonitoring('promtool'), args, { encoding: 'utf8' });
  expect([stdout + stderr, status]).toEqual([expect.stringContaining('SUCCESS'), 0]);
});
