import { bareSection } from './bare-section.ts';
import { ranges } from './bars.ts';
import { capacitySection } from './capacity-section.ts';
import { count, place, seconds } from './format.ts';
import { Html, html } from './html.ts';
import { invariantsSection } from './invariants-section.ts';
import { machineSection } from './machine-section.ts';
import { rawSection } from './raw-section.ts';
import type { Results } from './results.ts';
import { scenarioSection } from './scenario-section.ts';
import { style } from './style.ts';
import { summarySection } from './summary-section.ts';
import { verdictBanner } from './verdict-banner.ts';

/** The whole report as one HTML file that needs nothing else: no script, no font, no request. */
export function reportPage(results: Results): string {
  const { verdict, scenarios, invariants, startedAt, profile, users, capacity } = results;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Onrush: ${verdict}, profile ${profile}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<header><h1>Onrush load report</h1><span class="soft">${startedAt.slice(0, 16).replace('T', ' ')} UTC</span></header>
${verdictBanner(results)}
${summarySection(results)}
${rawSection(scenarios)}
${bareSection(scenarios)}
${capacitySection(capacity ?? [])}
${scenarios.length > 0 && html`<h2>Over time</h2>`}
${scenarios.map(scenarioSection)}
${lockWaits(results)}
${invariants && invariantsSection(invariants)}
${machineSection(results)}
<footer>Profile ${profile}, ${count(users)} users, ${seconds(results.seconds)} in all. Latency and rate are the clients’; the share within
the target and the waits are counted by the servers’ own histograms. All data of this page: results.json beside it.</footer>
</main>
</body>
</html>
`;
  return page.text;
}

function lockWaits({ scenarios }: Results): Html | false {
  const waiting = scenarios.filter(({ lockWaits }) => lockWaits.length > 0);
  if (waiting.length === 0) return false;
  return html`<h2>Where requests waited</h2>
<div class="cards">${waiting.map(
    (scenario) => html`<div class="card"><h3>${scenario.title} <span class="soft">p95, ms</span></h3>
${ranges(scenario.lockWaits.map(({ at, count: waits, p50, p95, p99 }) => ({ label: place(at), count: count(waits), p50, p95, p99 })))}</div>`,
  )}</div>
<p class="soft" style="margin-top:10px;font-size:13.5px">The dot is p95, the band reaches from p50 to p99, the axis is logarithmic. Row figures are the time of the whole
round trip that locks, an upper bound of the wait for the lock; the stock’s travels with the commit.</p>`;
}
