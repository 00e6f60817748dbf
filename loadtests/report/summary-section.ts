import { apiTitle, count, counts, figure, megabytes, percent, place } from './format.ts';
import { type Html, html } from './html.ts';
import type { ApiResult, Results, ScenarioResult } from './results.ts';

/** A card for each API with what decides, then everything in one table. */
export function summarySection({ scenarios, profile }: Pick<Results, 'scenarios' | 'profile'>): Html {
  const rows = scenarios.flatMap((scenario) => scenario.apis.map((api) => ({ scenario, api })));
  if (rows.length === 0) return html``;
  return html`<div class="cards">${rows.map(({ scenario, api }) => card(scenario, api, profile))}</div>
<h2>All figures</h2>
<div class="card scroll"><table>
<thead><tr><th>API</th><th>requests</th><th>per second</th><th>avg ms</th><th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>max</th><th>within target</th><th>errors</th><th>worst wait, p95</th></tr></thead>
<tbody>${rows.map(({ scenario, api }) => row(scenario, api))}</tbody>
</table></div>`;
}

const titleOf = (scenario: ScenarioResult, { api }: ApiResult) =>
  scenario.apis.length > 1 ? `${scenario.title}: ${apiTitle(api).toLowerCase()}` : scenario.title;

function card(scenario: ScenarioResult, api: ApiResult, profile: string): Html {
  const { client, published, withinSlo, refused, errors, acknowledged } = api;
  const failed = Object.values(errors).reduce((sum, n) => sum + n, 0);
  return html`<article class="card"><h3>${titleOf(scenario, api)}</h3>
<div class="pair">
<div><div class="label">p95</div><div class="big">${figure(client.p95)} <small>ms</small></div>
<div class="against">${against(client.p95, published.p95, 'less', profile === 'quick' || profile === 'published')}</div></div>
<div><div class="label">requests/s</div><div class="big">${figure(client.perSecond)}</div>
<div class="against">${against(client.perSecond, published.tps, 'more', scenario.apis.length === 1)}</div></div>
</div>
<dl class="facts">
<dt>accepted</dt><dd>${count(acknowledged)}</dd>
${Object.keys(refused).length > 0 && html`<dt>refused</dt><dd>${counts(refused)}</dd>`}
<dt>within the target</dt><dd>${withinSlo === undefined ? '–' : percent(withinSlo)}</dd>
<dt>errors</dt><dd>${failed === 0 ? 'none' : html`<span class="mark no">${counts(errors)}</span>`}</dd>
${scenario.cpu && html`<dt>API CPU a request</dt><dd>${figure(scenario.cpu.microsecondsPerRequest)} µs</dd>`}
${scenario.cpu?.background && html`<dt>background CPU a request</dt><dd>${figure(scenario.cpu.background.microsecondsPerRequest)} µs</dd>`}
${scenario.rssBytes && html`<dt>API memory, peak</dt><dd>${megabytes(scenario.rssBytes)}</dd>`}
${api.api === 'coupon' && scenario.issueLag && html`<dt>issued within, p99</dt><dd>${figure(scenario.issueLag.p99)} ms</dd>`}
${scenario.drainSeconds !== undefined && html`<dt>queues empty after</dt><dd>${scenario.drainSeconds.toFixed(1)} s</dd>`}
</dl></article>`;
}

/** Beside the published figure; the two are compared only where the load was the one that it was published for. */
function against(value: number, published: number, better: 'less' | 'more', comparable: boolean): Html {
  const times = better === 'less' ? published / value : value / published;
  if (!comparable || !Number.isFinite(times) || times === 0) return html`published ${count(published)}`;
  const sign = times >= 1 ? '✓' : '✕';
  const word = better === 'less' ? (times >= 1 ? 'faster than' : 'slower than') : times >= 1 ? 'the' : 'below';
  const factor = times >= 1 ? times : 1 / times;
  return html`<span class="mark ${times >= 1 ? 'ok' : 'no'}">${sign} ${factor.toFixed(1)}×</span> ${word} published ${count(published)}`;
}

function row(scenario: ScenarioResult, api: ApiResult): Html {
  const { client, withinSlo, errors } = api;
  const worst = scenario.lockWaits.toSorted((a, b) => b.p95 - a.p95)[0];
  return html`<tr><td>${titleOf(scenario, api)}</td><td>${count(client.count)}</td><td>${figure(client.perSecond)}</td>
${[client.avg, client.p50, client.p90, client.p95, client.p99, client.max].map((ms) => html`<td>${figure(ms)}</td>`)}
<td>${withinSlo === undefined ? '–' : percent(withinSlo)}</td><td>${counts(errors)}</td>
<td>${worst ? html`${figure(worst.p95)} ms<span class="sub">${place(worst.at)}</span>` : '–'}</td></tr>`;
}
