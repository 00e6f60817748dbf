import { buildDashboard } from './build-dashboard.ts';
import { DASHBOARDS } from './dashboards.ts';
import { rulesFile } from './rules.ts';

export const RULES_FILE = 'dashboards/rules.yaml';

/** Every file that is made from these sources, and what must stand in it. */
export function generated(): Map<string, string> {
  const files = new Map<string, string>();
  for (const spec of DASHBOARDS) {
    const name = spec.uid.replace(/^onrush-/, '');
    files.set(`dashboards/${name}.json`, `${JSON.stringify(buildDashboard(spec), null, 2)}\n`);
  }
  files.set(RULES_FILE, rulesFile());
  // The chart can read only what lies in it.
  files.set('charts/onrush/files/rules.yaml', rulesFile());
  return files;
}
