import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel as GrafanaPanel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { buildPanel, DATASOURCE, heightOf } from './build-panel.ts';
import { COLOURS } from './colours.ts';
import { onrush, run } from './metrics.ts';
import { DASHBOARD, queries } from './promql.ts';
import type { DashboardSpec } from './spec.ts';

const COLUMNS = 24;
const { value } = queries(DASHBOARD);

export function buildDashboard({ uid, title, description, rows }: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['onrush'])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-15m', to: 'now' })
    .refresh('5s')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('Onrush')
        .type(DashboardLinkType.Dashboards)
        .tags(['onrush'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .variables(variables())
    .annotation(runEvents());
  let y = 0;
  let id = 1;
  for (const { title: heading, collapsed, panels } of rows) {
    const row = new RowBuilder(heading).id(id++).gridPos({ x: 0, y: y++, w: COLUMNS, h: 1 });
    let x = 0;
    let tallest = 0;
    const built: GrafanaPanel[] = [];
    for (const panel of panels) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      built.push(buildPanel(panel, { id: id++, x, y }));
      x += panel.width;
      tallest = Math.max(tallest, heightOf(panel));
    }
    y += tallest;
    if (collapsed) for (const panel of built) row.withPanel({ build: () => panel });
    builder.withRow(row);
    if (!collapsed) for (const panel of built) builder.withPanel({ build: () => panel });
  }
  return builder.build();
}

function variables() {
  const buildInfo = onrush.buildInfo.name;
  const list = (name: string, label: string, query: string) =>
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(DATASOURCE)
      .query({ qryType: 1, query, refId: name })
      .definition(query)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .multi(true)
      .includeAll(true)
      // Not the list of all values, which the URL would carry and which ages.
      .allValue('.+')
      .current({ selected: true, text: 'All', value: '$__all' });
  return [
    new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
    list('namespace', 'Namespace', `label_values(${buildInfo}, namespace)`),
    list('service', 'Service', `label_values(${buildInfo}{namespace=~"$namespace"}, service)`),
    list('pod', 'Pod', `label_values(${buildInfo}{namespace=~"$namespace",service=~"$service"}, pod)`),
    list('run', 'Run', `label_values(${run.event.name}, run)`).sort(VariableSort.AlphabeticalDesc),
  ];
}

/** Start, scenarios, faults and the verdict of load runs, as lines across every panel. */
function runEvents(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Run events')
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(COLOURS.orange)
    .expr(`${value(run.event).text} * 1000`)
    .useValueForTime(true)
    .step('5s')
    .titleFormat('{{event}}')
    .textFormat('{{detail}}')
    .tagKeys('run');
}
