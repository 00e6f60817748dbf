import { PanelBuilder as BarsBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BarGaugeValueMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  type Panel as GrafanaPanel,
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as ChartBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { COLOURS, type Colour, SERIES } from './colours.ts';
import type { Bars, Chart, Panel, Query, Stat, Table } from './spec.ts';

export const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

/** Of the grid's rows. */
const HEIGHTS = { stat: 4, bars: 7, chart: 8, table: 8 } as const;
export const heightOf = (panel: Panel): number => panel.height ?? HEIGHTS[panel.kind];

export function buildPanel(panel: Panel, at: { id: number; x: number; y: number }): GrafanaPanel {
  const builder =
    panel.kind === 'chart'
      ? chart(panel)
      : panel.kind === 'stat'
        ? stat(panel)
        : panel.kind === 'bars'
          ? bars(panel)
          : table(panel);
  builder
    .id(at.id)
    .title(panel.title)
    .description(panel.description)
    .datasource(DATASOURCE)
    .unit(panel.unit)
    .gridPos({ x: at.x, y: at.y, w: panel.width, h: heightOf(panel) });
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  return builder.build();
}

function chart(panel: Chart): ChartBuilder {
  const builder = new ChartBuilder()
    .targets(shownQueries(panel).map((query, index) => target(query, index)))
    .min(0)
    .lineWidth(1.5)
    .fillOpacity(panel.stacked ? 40 : 5)
    .showPoints(VisibilityMode.Never)
    .spanNulls(15_000)
    // Any number of series: shades of one colour differ in lightness, which everybody sees.
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Shades).fixedColor(COLOURS.blue))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (panel.max !== undefined) builder.max(panel.max);
  if (panel.stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (panel.limit) {
    const { at, bad } = panel.limit;
    builder
      .thresholds(
        steps(
          bad === 'above'
            ? [
                [null, 'green'],
                [at, 'vermilion'],
              ]
            : [
                [null, 'grey'],
                [at, 'green'],
              ],
        ),
      )
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  for (const [index, { colour }] of shownQueries(panel).entries())
    if (colour) builder.overrideByQuery(refId(index), fixed(colour));
  for (const [index, name] of (panel.names ?? []).entries())
    builder.overrideByName(name, fixed(SERIES[index % SERIES.length] as Colour));
  return builder;
}

function stat(panel: Stat): StatBuilder {
  const builder = new StatBuilder()
    .targets(panel.queries.map((query, index) => target(query, index)))
    .graphMode(BigValueGraphMode.Area)
    .colorMode(panel.limits || panel.words ? BigValueColorMode.Background : BigValueColorMode.Value)
    .textMode(panel.queries.length > 1 ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
    .reduceOptions(lastValue())
    .thresholds(limits(panel.limits));
  if (panel.none !== undefined) builder.noValue(panel.none);
  if (panel.words)
    builder.mappings([
      {
        type: MappingType.ValueToText,
        options: Object.fromEntries(
          Object.entries(panel.words).map(([value, { text, colour }], index) => [
            value,
            { text, color: COLOURS[colour], index },
          ]),
        ),
      },
    ]);
  return builder;
}

function bars(panel: Bars): BarsBuilder {
  const builder = new BarsBuilder()
    .targets(shownQueries(panel).map((query, index) => target(query, index).instant()))
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .valueMode(BarGaugeValueMode.Text)
    .reduceOptions(lastValue())
    .min(0)
    .thresholds(limits(panel.limits));
  if (panel.max !== undefined) builder.max(panel.max);
  return builder;
}

function table(panel: Table): TableBuilder {
  const columns = Object.keys(panel.columns);
  return new TableBuilder()
    .targets([target(panel.query, 0).instant().format(PromQueryFormat.Table)])
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries([...columns, 'Value'].map((name, index) => [name, index])),
        renameByName: { ...panel.columns, Value: panel.value },
      },
    })
    .withTransformation({ id: 'sortBy', options: { sort: [{ field: panel.value, desc: true }] } });
}

/** With the line at zero for when there is nothing to show. */
function shownQueries({ queries, none }: Chart | Bars): Query[] {
  if (none === undefined) return queries;
  const all = queries.map(({ expr }) => `(${expr.text})`).join(' or ');
  return [...queries, { legend: none, expr: { text: `vector(0) unless on () (${all})` }, colour: 'grey' }];
}

const refId = (index: number) => String.fromCharCode(65 + index);

function target({ expr, legend, exemplars }: Query, index: number): DataqueryBuilder {
  const query = new DataqueryBuilder().refId(refId(index)).datasource(DATASOURCE).expr(expr.text).legendFormat(legend);
  return exemplars ? query.range().exemplar(true) : query.range();
}

const lastValue = () => new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false);

const fixed = (colour: Colour): DynamicConfigValue[] => [
  { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: COLOURS[colour] } },
];

function steps(given: [number | null, Colour][]): ThresholdsConfigBuilder {
  const thresholds: Threshold[] = given.map(([value, colour]) => ({ value, color: COLOURS[colour] }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(thresholds);
}

/** Good to bad upwards or downwards, as the two limits lie. */
function limits(given: { attention: number; bad: number } | undefined): ThresholdsConfigBuilder {
  if (!given) return steps([[null, 'blue']]);
  const { attention, bad } = given;
  const upwards: [number | null, Colour][] =
    attention <= bad
      ? [
          [null, 'green'],
          [attention, 'orange'],
          [bad, 'vermilion'],
        ]
      : [
          [null, 'vermilion'],
          [bad, 'orange'],
          [attention, 'green'],
        ];
  return steps(upwards.filter(([value], index) => upwards[index + 1]?.[0] !== value));
}
