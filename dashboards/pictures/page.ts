import { RUN_EVENT } from '../../loadtests/bench/run-events.ts';
import { Html, html } from '../../loadtests/report/html.ts';
import { askPanel, type GrafanaDashboard, type Period } from '../monitor/grafana.ts';
import type { Prometheus } from '../monitor/prometheus.ts';
import type { Mark } from './draw-chart.ts';
import { drawPanel } from './draw-panel.ts';

const STYLE = new Html(`
* { box-sizing: border-box; margin: 0 }
body { background: #111217; color: #ccccdc; font: 13px/1.35 "Inter", "DejaVu Sans", sans-serif; padding: 14px; width: 1600px }
h1 { font-size: 19px; margin-bottom: 10px } h1 small { color: #8e8e9e; font-weight: normal; font-size: 13px; margin-left: 12px }
main { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: 34px; gap: 6px }
h2 { grid-column: 1 / -1; font-size: 14px; align-self: end; color: #ccccdc }
.panel { background: #181b1f; border: 1px solid #2b2e34; border-radius: 3px; padding: 6px 8px; display: flex; flex-direction: column; overflow: hidden }
h3 { font-size: 13px; font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; margin-bottom: 4px; flex: none }
.chart { flex: 1; display: flex; min-height: 0; padding-top: 7px } .y { width: 66px; position: relative; margin-bottom: 18px; flex: none }
.y span { position: absolute; right: 6px; transform: translateY(50%); color: #9fa0ad; font-size: 11px; white-space: nowrap }
.plot { flex: 1; position: relative; margin-bottom: 18px; min-width: 0 } svg { width: 100%; height: 100%; display: block }
.x { position: absolute; top: 100%; left: 0; right: 0 } .x span { position: absolute; transform: translateX(-50%); color: #9fa0ad; font-size: 11px }
.grid { stroke: #2b2e34; stroke-width: 1; vector-effect: non-scaling-stroke } .line { fill: none; stroke-width: 1.7; vector-effect: non-scaling-stroke }
.mark { stroke: #E69F00; stroke-width: 1; stroke-dasharray: 2 3; opacity: .7; vector-effect: non-scaling-stroke }
.limit { stroke-width: 1.6; stroke-dasharray: 7 5; vector-effect: non-scaling-stroke }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; font-size: 11.5px; line-height: 15px; flex: none; max-height: 45px; overflow: hidden; padding-left: 8px } .legend i { display: inline-block; width: 12px; height: 4px; border-radius: 2px; margin-right: 5px; vertical-align: middle }
.legend b { color: #fff; font-weight: 600 }
.empty { position: absolute; inset: 0; display: grid; place-items: center; color: #8e8e9e }
.big { flex: 1; display: grid; place-items: center; font-size: 30px; font-weight: 600; color: #fff; border-radius: 3px }
.bars { display: grid; grid-template-columns: auto 1fr auto; gap: 6px 10px; align-content: space-evenly; flex: 1 } .bar { background: #22252b; height: 100%; min-height: 14px } .bar i { display: block; height: 100% } .bars b { color: #fff }
table { border-collapse: collapse; width: 100%; font-size: 12px } th { text-align: left; color: #6e9fff; font-weight: 600 } td, th { padding: 3px 8px; border-bottom: 1px solid #2b2e34 }
`);

/** A dashboard with every panel drawn from what Prometheus has recorded. */
export async function dashboardPage(
  prometheus: Prometheus,
  dashboard: GrafanaDashboard,
  period: Period,
): Promise<string> {
  const marks = await marksOf(prometheus, period);
  const rows: Html[] = [];
  for (const panel of dashboard.panels) {
    const { x, y, w, h } = panel.gridPos;
    // The grid's lines count from one.
    const place = `grid-column:${x + 1}/span ${w};grid-row:${y + 1}/span ${h}`;
    if (panel.type === 'row') {
      rows.push(html`<h2 style="${place}">${panel.panels?.length ? '▸' : '▾'} ${panel.title}</h2>`);
      continue;
    }
    const drawn = drawPanel(panel, await askPanel(prometheus, panel, period), period, marks);
    rows.push(html`<div style="${place};display:grid">${drawn}</div>`);
  }
  const clock = (time: number) => new Date(time * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return html`<!doctype html><meta charset="utf-8"><title>${dashboard.title}</title><style>${STYLE}</style>
<h1>${dashboard.title}<small>${clock(period.from)} to ${clock(period.to).slice(11)} UTC${marks.length > 0 && ' · dotted lines: what the load run told'}</small></h1><main>${rows}</main>`
    .text;
}

/** What the load runs told, as Grafana's annotations show it. */
async function marksOf(prometheus: Prometheus, { from, to, step }: Period): Promise<Mark[]> {
  const { series } = await prometheus.range(RUN_EVENT, from, to, step);
  return series.flatMap(({ labels, values }) =>
    [...new Set(values.map(([, value]) => value))]
      .filter((time) => time >= from && time <= to)
      .map((time) => ({ time, text: `${labels.event}: ${labels.detail}` })),
  );
}
