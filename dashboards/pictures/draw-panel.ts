import { type Html, html } from '../../loadtests/report/html.ts';
import { coordinate } from '../../loadtests/report/scale.ts';
import { type Asked, type GrafanaPanel, nameOf, type Period } from '../monitor/grafana.ts';
import { thresholdColour } from './colour-of.ts';
import { drawChart, type Mark } from './draw-chart.ts';
import { inUnit } from './units.ts';

interface Last {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** For which a table's panel has room; Grafana scrolls. */
const ROWS = 10;

/** Each series' last value that is a number. */
const lastOf = (asked: Asked[]): Last[] =>
  asked.flatMap(({ legend, series }) =>
    series.flatMap(({ labels, values }) => {
      const value = values
        .map(([, number]) => number)
        .filter(Number.isFinite)
        .at(-1);
      return value === undefined ? [] : [{ name: nameOf(legend, labels) || legend, labels, value }];
    }),
  );

export function drawPanel(panel: GrafanaPanel, asked: Asked[], period: Period, marks: Mark[]): Html {
  const body =
    panel.type === 'timeseries'
      ? drawChart(panel, asked, period, marks)
      : panel.type === 'stat'
        ? drawStat(panel, lastOf(asked))
        : panel.type === 'bargauge'
          ? drawBars(panel, lastOf(asked))
          : drawTable(panel, lastOf(asked));
  return html`<section class="panel ${panel.type}" data-title="${panel.title}"><h3>${panel.title}</h3>${body}</section>`;
}

function drawStat(panel: GrafanaPanel, last: Last[]): Html {
  const { unit, decimals, noValue, mappings } = panel.fieldConfig.defaults;
  const [first] = last;
  if (!first) return html`<div class="big nothing">${noValue ?? 'No data'}</div>`;
  const mapped = mappings?.[0]?.options[String(first.value)];
  const colour = mapped?.color ?? thresholdColour(panel, first.value);
  return html`<div class="big" style="background:${colour}">${mapped?.text ?? inUnit(first.value, unit, decimals)}</div>`;
}

function drawBars(panel: GrafanaPanel, last: Last[]): Html {
  const { unit, decimals, max } = panel.fieldConfig.defaults;
  const top = max ?? Math.max(...last.map(({ value }) => value), 1e-9);
  const widest = [...last].sort((a, b) => a.name.localeCompare(b.name));
  return html`<div class="bars">${widest.map(
    ({ name, value }) =>
      html`<label>${name}</label><div class="bar"><i style="width:${coordinate(Math.min(100, (100 * value) / top))}%;background:${thresholdColour(panel, value)}"></i></div><b>${inUnit(value, unit, decimals)}</b>`,
  )}</div>`;
}

function drawTable(panel: GrafanaPanel, last: Last[]): Html {
  const organize = panel.transformations?.find(({ id }) => id === 'organize')?.options;
  const columns = Object.entries(organize?.indexByName ?? {})
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name);
  const rows = [...last].sort((a, b) => b.value - a.value);
  const { unit, decimals } = panel.fieldConfig.defaults;
  const room = rows.length > ROWS ? ROWS - 1 : ROWS;
  return html`<table><tr>${columns.map((name) => html`<th>${organize?.renameByName?.[name] ?? name}</th>`)}</tr>${rows
    .slice(0, room)
    .map(
      ({ labels, value }) =>
        html`<tr>${columns.map((name) => html`<td>${name === 'Value' ? inUnit(value, unit, decimals) : (labels[name] ?? '')}</td>`)}</tr>`,
    )}${rows.length > room && html`<tr><td colspan="${columns.length}">and ${rows.length - room} more</td></tr>`}</table>`;
}
