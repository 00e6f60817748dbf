import { type Html, html } from '../../loadtests/report/html.ts';
import { coordinate, ticks } from '../../loadtests/report/scale.ts';
import { type Asked, type GrafanaPanel, nameOf, type Period } from '../monitor/grafana.ts';
import { colourOf } from './colour-of.ts';
import { inUnit } from './units.ts';

interface Line {
  name: string;
  colour: string;
  values: Map<number, number>;
}

export interface Mark {
  time: number;
  text: string;
}

const TIMES = 5;

export function drawChart(panel: GrafanaPanel, asked: Asked[], period: Period, marks: Mark[]): Html {
  const { unit, decimals, max, thresholds, custom } = panel.fieldConfig.defaults;
  const lines = linesOf(panel, asked);
  const stacked = custom?.stacking?.mode === 'normal';
  const shown = stacked ? piledUp(lines) : lines;
  const limit = custom?.thresholdsStyle?.mode === 'dashed' ? thresholds?.steps.at(-1) : undefined;
  const peak = Math.max(...shown.flatMap(({ values }) => [...values.values()].filter(Number.isFinite)), 0);
  // Grafana shows a threshold only where the values come near it.
  const limitShown = limit?.value !== undefined && limit.value !== null && limit.value <= peak * 3 ? limit : undefined;
  // A line at zero is drawn on an axis to one.
  const highest = max ?? (Math.max(peak * 1.05, (limitShown?.value ?? 0) * 1.1) || 1);
  const yTicks = unit === 'bytes' ? binaryTicks(highest) : ticks(highest);
  const top = max ?? yTicks.at(-1) ?? 1;
  const x = (time: number) => (100 * (time - period.from)) / (period.to - period.from);
  const y = (value: number) => 100 - (100 * value) / top;
  const times = Array.from(
    { length: TIMES },
    (_, index) => period.from + ((period.to - period.from) * (index + 0.5)) / TIMES,
  );
  return html`<div class="chart"><div class="y">${yTicks.map(
    (tick) => html`<span style="bottom:${coordinate((100 * tick) / top)}%">${inUnit(tick, unit, undefined)}</span>`,
  )}</div>
<div class="plot"><svg viewBox="0 0 100 100" preserveAspectRatio="none">
${yTicks.map((tick) => html`<line class="grid" x1="0" x2="100" y1="${coordinate(y(tick))}" y2="${coordinate(y(tick))}"/>`)}
${marks.map(({ time }) => html`<line class="mark" x1="${coordinate(x(time))}" x2="${coordinate(x(time))}" y1="0" y2="100"/>`)}
${stacked && [...shown].reverse().map((line) => html`<path d="${area(line, x, y)}" fill="${line.colour}" fill-opacity="0.45"/>`)}
${shown.map((line) => html`<path class="line" d="${path(line, period.step, x, y)}" stroke="${line.colour}"/>`)}
${limitShown && html`<line class="limit" stroke="${limitShown.color}" x1="0" x2="100" y1="${coordinate(y(limitShown.value ?? 0))}" y2="${coordinate(y(limitShown.value ?? 0))}"/>`}
</svg>${lines.length === 0 && html`<p class="empty">No data</p>`}
<div class="x">${times.map((time) => html`<span style="left:${coordinate(x(time))}%">${new Date(time * 1000).toISOString().slice(11, 19)}</span>`)}</div></div></div>
<div class="legend">${lines.map(
    ({ name, colour, values }) =>
      html`<span><i style="background:${colour}"></i>${name} <b>${inUnit([...values.values()].filter(Number.isFinite).at(-1) ?? Number.NaN, unit, decimals)}</b></span>`,
  )}</div>`;
}

/** Round numbers of bytes. */
function binaryTicks(highest: number): number[] {
  const size = 2 ** (10 * Math.floor(Math.log2(Math.max(highest, 1)) / 10));
  return ticks(highest / size).map((tick) => tick * size);
}

function linesOf(panel: GrafanaPanel, asked: Asked[]): Line[] {
  return asked.flatMap(({ refId, legend, series }) =>
    series
      .map(({ labels, values }) => ({ name: nameOf(legend, labels) || legend, values: new Map(values) }))
      .sort((a, b) => a.name.localeCompare(b.name))
      .map((line, index) => ({ ...line, colour: colourOf(panel, refId, line.name, index, series.length) })),
  );
}

/** Each line on top of those before it. */
function piledUp(lines: Line[]): Line[] {
  const sums = new Map<number, number>();
  return lines.map((line) => {
    const values = new Map<number, number>();
    for (const [time, value] of line.values) {
      const sum = (sums.get(time) ?? 0) + (Number.isFinite(value) ? value : 0);
      sums.set(time, sum);
      values.set(time, sum);
    }
    return { ...line, values };
  });
}

type Scale = (value: number) => number;

/** A gap where there are no values. */
function path({ values }: Line, step: number, x: Scale, y: Scale): string {
  let last: number | undefined;
  let text = '';
  for (const [time, value] of values) {
    if (!Number.isFinite(value)) continue;
    text += `${last !== undefined && time - last <= Math.max(15, step * 1.5) ? 'L' : 'M'}${coordinate(x(time))} ${coordinate(y(value))}`;
    last = time;
  }
  return text;
}

function area({ values }: Line, x: Scale, y: Scale): string {
  const times = [...values.keys()];
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return '';
  const points = [...values].map(([time, value]) => `L${coordinate(x(time))} ${coordinate(y(value))}`).join('');
  return `M${coordinate(x(first))} 100${points}L${coordinate(x(last))} 100Z`;
}
