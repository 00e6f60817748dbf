import { colour } from './colours.ts';
import { type Column, SPAN } from './columns.ts';
import { element, say } from './element.ts';
import { clock } from './figures.ts';

export interface ChartOptions {
  title: string;
  unit: string;
  height: number;
  /** Each with the style sheet's variable for its colour. */
  lines: { title: string; colour: string }[];
  filled?: boolean;
  /** A dashed line, which is always in sight. */
  target?: number;
  text(value: number | null): string;
}

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
const MOST_NAMED = 3;
/** Every chart's cursor stands at the same time. */
const TOGETHER = 'live';

/** Lines over the last ten minutes. */
export class Chart {
  readonly element: HTMLElement;
  readonly #options: ChartOptions;
  readonly #plot = element('div', 'plot');
  readonly #readout = element('span', 'readout');
  readonly #resized = new ResizeObserver(() => this.#fit());
  #chart: uPlot | undefined;
  #described = Number.NEGATIVE_INFINITY;

  constructor(options: ChartOptions) {
    this.#options = options;
    const caption = element('figcaption', '', element('b', '', options.title), ` ${options.unit} `, this.#readout);
    this.#plot.setAttribute('role', 'img');
    this.#plot.setAttribute('aria-label', `${options.title}: nothing yet`);
    this.element = element('figure', 'chart', caption, this.#plot);
  }

  /** Draws the columns, of which the first are the times in seconds. */
  draw(times: number[], columns: Column[]): void {
    const data = [times, ...columns] as uPlot.AlignedData;
    if (!this.#chart) this.#chart = this.#make(data);
    else this.#chart.setData(data);
    this.#describe(times, columns);
  }

  remove(): void {
    this.#resized.disconnect();
    this.#chart?.destroy();
  }

  redraw(): void {
    this.#chart?.redraw(false);
  }

  #make(data: uPlot.AlignedData): uPlot {
    const { height, lines, filled, target } = this.#options;
    const axis = { stroke: () => colour('--soft'), font: FONT, ticks: { show: false } };
    const grid = { stroke: () => colour('--grid'), width: 1 };
    const chart = new uPlot(
      {
        width: Math.max(120, this.#plot.clientWidth),
        height,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: TOGETHER }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
        scales: {
          x: { range: (_chart, _least, most) => [most - SPAN, most] },
          y: { range: (_chart, _least, most) => [0, 1.12 * Math.max(most ?? 0, target ?? 0, 1)] },
        },
        axes: [
          {
            ...axis,
            size: 22,
            space: 70,
            grid: { show: false },
            values: (_chart, at) => at.map((s) => clock(1000 * s).slice(0, 5)),
            incrs: [60, 120, 300],
          },
          {
            ...axis,
            size: 46,
            space: 32,
            gap: 4,
            grid,
            values: (_chart, at) => at.map((value) => this.#options.text(value)),
          },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.title,
            stroke: () => colour(line.colour),
            ...(filled ? { fill: () => `${colour(line.colour)}26` } : {}),
            width: 1.6,
            points: { show: true, size: 3, filter: (chart: uPlot, series: number) => lonely(chart.data[series] ?? []) },
          })),
        ],
        hooks: {
          draw: target === undefined ? [] : [(drawn) => drawTarget(drawn, target)],
          setCursor: [(moved) => this.#tell(moved)],
        },
      },
      data,
      this.#plot,
    );
    this.#resized.observe(this.#plot);
    return chart;
  }

  #fit(): void {
    const width = this.#plot.clientWidth;
    if (this.#chart && width > 0 && width !== this.#chart.width)
      this.#chart.setSize({ width, height: this.#options.height });
  }

  /** What stands under the pointer. */
  #tell(chart: uPlot): void {
    const at = chart.cursor.idx;
    const time = at === null || at === undefined ? undefined : chart.data[0][at];
    if (at === null || at === undefined || time === undefined) {
      say(this.#readout, '');
      return;
    }
    const { lines, text } = this.#options;
    const values = lines.map(({ title }, n) => ({ title, value: chart.data[n + 1]?.[at] ?? null }));
    // Of many lines the highest are of interest, and have to be named.
    const named = values.sort((a, b) => (b.value ?? 0) - (a.value ?? 0)).slice(0, MOST_NAMED);
    const told = named.map(({ title, value }) => (lines.length === 1 ? text(value) : `${title} ${text(value)}`));
    say(this.#readout, `${clock(1000 * time)}: ${told.join(' · ')}`);
  }

  /** The text alternative, renewed now and then: it is read on demand and must not change under the reader. */
  #describe(times: number[], columns: Column[]): void {
    if (performance.now() - this.#described < 5_000) return;
    this.#described = performance.now();
    const { title, unit, lines, target, text } = this.#options;
    const figures = lines.map((line, n) => {
      const known = (columns[n] ?? []).filter((value) => value !== null);
      if (known.length === 0) return `${line.title}: nothing to tell`;
      const last = text(columns[n]?.at(-1) ?? null);
      return `${line.title}: now ${last}, between ${text(Math.min(...known))} and ${text(Math.max(...known))}`;
    });
    const span = times.length > 1 ? Math.round(((times.at(-1) ?? 0) - (times[0] ?? 0)) / 60) : 0;
    const over = span < 1 ? 'the last seconds' : `the last ${span} min`;
    const limit = target === undefined ? '' : `; target ${text(target)}`;
    this.#plot.setAttribute('aria-label', `${title}, ${unit}, over ${over}. ${figures.join('; ')}${limit}`);
  }
}

/** Where a value stands between gaps: no line leads to it, so that it needs a point to be seen. */
function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const alone: number[] = [];
  for (let n = 0; n < values.length; n++)
    if (isNumber(values[n]) && !isNumber(values[n - 1]) && !isNumber(values[n + 1])) alone.push(n);
  return alone;
}

const isNumber = (value: number | null | undefined) => typeof value === 'number';

function drawTarget({ ctx, bbox, valToPos }: uPlot, target: number): void {
  const y = Math.round(valToPos(target, 'y', true));
  ctx.save();
  ctx.beginPath();
  ctx.strokeStyle = colour('--target');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}
