import { figure } from './format.ts';
import { type Html, html } from './html.ts';
import { coordinate, ticks } from './scale.ts';

export interface Line {
  label: string;
  /** Names the colour in style.ts. */
  tone: 'first' | 'second';
  points: { x: number; y: number | null }[];
}

interface LineChart {
  title: string;
  unit: string;
  seconds: number;
  lines: Line[];
  target?: { value: number; label: string };
  /** What stands under a place of the axis; seconds unless it says otherwise. */
  axis?: (at: number) => string;
}

/**
 * Lines over time. The SVG is stretched to whatever room there is, with strokes that keep their width; all text is HTML
 * beside it, so that it has the same size on a phone.
 */
export function lineChart({ title, unit, seconds, lines, target, axis = inSeconds }: LineChart): Html {
  const peak = Math.max(...lines.flatMap(({ points }) => points.map(({ y }) => y ?? 0)), target?.value ?? 0, 1e-3);
  const yTicks = ticks(peak * 1.05);
  const top = yTicks.at(-1) ?? 1;
  const xTicks = ticks(seconds, 5).filter((tick) => tick <= seconds);
  const x = (value: number) => Math.min(100, (100 * value) / seconds);
  const y = (value: number) => 100 - (100 * value) / top;
  return html`<figure class="chart">
<figcaption><b>${title}</b> <span class="unit">${unit}</span>
<span class="legend">${lines.map(({ label, tone }) => html`<span class="key ${tone}">${label}</span>`)}${
    target && html`<span class="key target">${target.label}</span>`
  }</span></figcaption>
<div class="plot">
<div class="y-axis">${yTicks.map((tick) => html`<span style="bottom:${coordinate((100 * tick) / top)}%">${figure(tick).replace(/\.0+$/, '')}</span>`)}</div>
<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${title}, ${unit}">
${yTicks.map((tick) => html`<line class="grid" x1="0" x2="100" y1="${coordinate(y(tick))}" y2="${coordinate(y(tick))}"/>`)}
${lines.length === 1 && lines.map(({ points, tone }) => html`<path class="area ${tone}" d="${area(points, x, y)}"/>`)}
${target && html`<line class="target" x1="0" x2="100" y1="${coordinate(y(target.value))}" y2="${coordinate(y(target.value))}"/>`}
${lines.map(({ points, tone }) => html`<path class="line ${tone}" d="${path(points, x, y)}"/>`)}
${columns(lines, seconds, axis).map(
  ({ from, width, text }) =>
    html`<rect class="hover" x="${coordinate(x(from))}" width="${coordinate(x(width))}" y="0" height="100"><title>${text}</title></rect>`,
)}
</svg>
<div class="x-axis">${xTicks.map((tick) => html`<span style="left:${coordinate(x(tick))}%">${axis(tick)}</span>`)}</div>
</div></figure>`;
}

const inSeconds = (at: number): string => `${at} s`;

type Points = Line['points'];
type Scale = (value: number) => number;

/** A gap where there is nothing to show: a second without requests has no percentile. */
function path(points: Points, x: Scale, y: Scale): string {
  let pen = 'M';
  let text = '';
  for (const point of points) {
    if (point.y === null) {
      pen = 'M';
      continue;
    }
    text += `${pen}${coordinate(x(point.x))} ${coordinate(y(point.y))}`;
    pen = 'L';
  }
  return text;
}

function area(points: Points, x: Scale, y: Scale): string {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return '';
  const filled = points.map((point) => ({ x: point.x, y: point.y ?? 0 }));
  return `${path(filled, x, y)}L${coordinate(x(last.x))} 100L${coordinate(x(first.x))} 100Z`;
}

/** What to say under the pointer, a column for each point of time. */
function columns(
  lines: Line[],
  seconds: number,
  axis: (at: number) => string,
): { from: number; width: number; text: string }[] {
  const times = lines[0]?.points.map((point) => point.x) ?? [];
  return times.map((time, index) => {
    const from = index === 0 ? 0 : (time + (times[index - 1] ?? 0)) / 2;
    const until = index === times.length - 1 ? seconds : (time + (times[index + 1] ?? seconds)) / 2;
    const values = lines.map(({ label, points }) => {
      const value = points[index]?.y;
      return `${label} ${value === null || value === undefined ? '–' : figure(value)}`;
    });
    return { from, width: Math.max(0, until - from), text: `${axis(Math.round(time))}: ${values.join(', ')}` };
  });
}
