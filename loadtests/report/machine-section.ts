import { type Html, html } from './html.ts';
import type { Results } from './results.ts';

const LABELS: Record<string, string> = { mysql: 'MySQL', redis: 'Redis', kafka: 'Kafka' };

/** What the figures were taken on, and the settings that decide whether an acknowledged write survives. */
export function machineSection({ machine, engines, scenarios }: Results): Html {
  const thresholds = scenarios.flatMap(({ title, thresholds: all }) =>
    all.map((threshold) => ({ title, ...threshold })),
  );
  return html`<h2>Machine and durability</h2>
<div class="cards">
<div class="card"><h3>Machine</h3>${settings(machine.map(({ label, value }) => [label, value]))}</div>
${engines.map(
  ({ name, version, kind, durability }) =>
    html`<div class="card"><h3>${LABELS[name] ?? name} <span class="soft">${version}, ${kind}</span></h3>${settings(Object.entries(durability))}</div>`,
)}
</div>
<h2>Thresholds</h2>
<div class="card"><table class="text stack"><tbody>${thresholds.map(
    ({ title, metric, expression, ok }) => html`<tr>
<td style="width:110px"><span class="mark ${ok ? 'ok' : 'no'}">${ok ? '✓ held' : '✕ broken'}</span></td><td>${title}</td><td>${metric} ${expression}</td></tr>`,
  )}</tbody></table></div>`;
}

const settings = (entries: [string, string][]): Html =>
  html`<dl class="settings">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
