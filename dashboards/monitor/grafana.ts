import { readdirSync, readFileSync } from 'node:fs';
import type { Answer, Prometheus } from './prometheus.ts';

/** A dashboard's JSON, as far as it is read here. */
export interface GrafanaDashboard {
  uid: string;
  title: string;
  panels: GrafanaPanel[];
}

export interface GrafanaPanel {
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { refId: string; expr: string; legendFormat: string; instant?: boolean; format?: string }[];
  fieldConfig: {
    defaults: {
      unit?: string;
      decimals?: number;
      min?: number;
      max?: number;
      noValue?: string;
      thresholds?: { steps: { value: number | null; color: string }[] };
      mappings?: { options: Record<string, { text: string; color: string }> }[];
      color?: { mode: string; fixedColor?: string };
      custom?: { stacking?: { mode: string }; thresholdsStyle?: { mode: string } };
    };
    overrides: {
      matcher: { id: string; options: string };
      properties: { id: string; value: { fixedColor: string } }[];
    }[];
  };
  transformations?: {
    id: string;
    options: { renameByName?: Record<string, string>; indexByName?: Record<string, number> };
  }[];
  panels?: GrafanaPanel[];
}

/** All dashboards that are checked in. */
export function readDashboards(): GrafanaDashboard[] {
  return readdirSync('dashboards')
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(`dashboards/${name}`, 'utf8')) as GrafanaDashboard);
}

/** Panels in their order, those of closed rows too; rows themselves are left out. */
export function panelsOf(dashboard: GrafanaDashboard): GrafanaPanel[] {
  return dashboard.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
}

export interface Period {
  /** Seconds since 1970. */
  from: number;
  to: number;
  step: number;
}

/** Grafana takes rates over at least four readings. */
const READINGS = 4;
const INTERVAL = 5;

/** The query as Grafana would send it, with every variable at All. */
export function filledIn(expr: string, { from, to, step }: Period): string {
  return expr
    .replace(/\$__rate_interval/g, `${Math.max(READINGS * INTERVAL, step + INTERVAL)}s`)
    .replace(/\$__range/g, `${Math.round(to - from)}s`)
    .replace(/\$(namespace|service|pod|run)\b/g, '.+');
}

export interface Asked extends Answer {
  refId: string;
  legend: string;
}

/** Asks all of a panel's queries. */
export async function askPanel(prometheus: Prometheus, panel: GrafanaPanel, period: Period): Promise<Asked[]> {
  return Promise.all(
    panel.targets.map(async ({ refId, expr, legendFormat, instant }) => {
      const query = filledIn(expr, period);
      const answer = instant
        ? await prometheus.instant(query, period.to)
        : await prometheus.range(query, period.from, period.to, period.step);
      return { refId, legend: legendFormat, ...answer };
    }),
  );
}

/** `{{label}}` by the series' labels. */
export const nameOf = (legend: string, labels: Record<string, string>): string =>
  legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '').trim();
