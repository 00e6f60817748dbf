import { bars } from './bars.ts';
import { apiTitle } from './format.ts';
import { type Html, html } from './html.ts';
import { lineChart } from './line-chart.ts';
import type { ApiResult, ScenarioResult } from './results.ts';

/** Rate and latency over the run, and the percentiles against the published one. */
export function scenarioSection(scenario: ScenarioResult): Html {
  return html`<section class="scenario">
<header><h3>${scenario.title}</h3><span class="soft">${load(scenario)}</span></header>
${scenario.apis.map((api) => charts(scenario, api))}
</section>`;
}

function load({ seconds, batches, cores }: ScenarioResult): string {
  const used = cores.map(({ label, cores: n }) => `${label} ${n.toFixed(2)}`);
  return [
    `${seconds.toFixed(0)} s`,
    ...batches.map(({ combiner, mean }) => `${mean.toFixed(1)} requests a ${combiner} transaction`),
    ...(used.length > 0 ? [`cores: ${used.join(', ')}`] : []),
  ].join(' · ');
}

function charts({ apis, seconds: load }: ScenarioResult, { api, client, published, timeline }: ApiResult): Html {
  const of = apis.length > 1 ? `${apiTitle(api)}: ` : '';
  // The clock runs from the generator's start, which is a moment before its first request.
  const seconds = Math.max(load, timeline.at(-1)?.second ?? 0);
  const at = (pick: (point: ApiResult['timeline'][number]) => number | null) =>
    timeline.map((point) => ({ x: point.second, y: pick(point) }));
  return html`<div class="two">
<div class="card">${lineChart({
    title: `${of}${of ? 'r' : 'R'}equests per second`,
    unit: '',
    seconds,
    lines: [{ label: 'answered', tone: 'first', points: at(({ perSecond }) => perSecond) }],
    target: { value: published.tps, label: 'published' },
  })}</div>
<div class="card">${lineChart({
    title: `${of}${of ? 'l' : 'L'}atency`,
    unit: 'ms, by the server',
    seconds,
    lines: [
      { label: 'p50', tone: 'first', points: at(({ p50 }) => p50) },
      { label: 'p95', tone: 'second', points: at(({ p95 }) => p95) },
    ],
    target: { value: published.p95, label: 'published p95' },
  })}</div>
</div>
<div class="card" style="margin-top:16px"><h3>${of}${of ? 'p' : 'P'}ercentiles <span class="soft">ms, as the clients saw them</span></h3>
${bars(
  [
    { label: 'p50', value: client.p50 },
    { label: 'p90', value: client.p90 },
    { label: 'p95', value: client.p95, tone: 'second' },
    { label: 'p99', value: client.p99 },
  ],
  { value: published.p95, label: `published p95, ${published.p95} ms` },
)}</div>`;
}
