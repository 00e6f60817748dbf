import { buildDashboard } from './build-dashboard.ts';
import { DASHBOARDS } from './dashboards.ts';
import { rulesFile } from './rules.ts';

/** Prometheus's rules. */
export const RULES_FILE = 'dashboards/rules.yaml';

const fileOf = (uid: string) => `dashboards/${uid.replace(/^onrush-/, '')}.json`;

/** Every file that is made from these sources, and what must stand in it. */
export function generated(): Map<string, string> {
  const files = new Map<string, string>();
  for (const spec of DASHBOARDS) files.set(fileOf(spec.uid), `${JSON.stringify(buildDashboard(spec), null, 2)}\n`);
  files.set(RULES_FILE, rulesFile());
  return files;
}

/** Charts can read only what lies in them: links there, and the files they lead to. */
export function links(): Map<string, string> {
  const links = new Map([
    ['charts/onrush/files/rules.yaml', RULES_FILE],
    ['charts/observability/files/rules.yaml', RULES_FILE],
  ]);
  for (const { uid } of DASHBOARDS) links.set(`charts/observability/files/${uid}.json`, fileOf(uid));
  return links;
}
