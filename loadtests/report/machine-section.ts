import { type Html, html } from './html.ts';
import type { Results } from './results.ts';

const LABELS: Record<string, string> = { mysql: 'MySQL', redis: 'Redis', kafka: 'Kafka' };

/** What the figures were taken on, and the settings that decide whether an acknowledged write survives. */
export function machineSection({ machine, engines, scenarios }: Results): Html {
  const thresholds = scenarios.flatMap(({ title, thresholds: all }) =>
    all.map((threshold) => ({ title, ...threshold })),
  );
  return html`<h2>Machine and durability</h2>
<div class="cards broad">
<div class="card"><h3>Machine</h3>${settings(machine.map(({ label, value }) => [label, value]))}</div>
${engines.map(
  ({ name, version, kind, durability }) =>
    html`<div class="card"><h3>${LABELS[name] ?? name} <span class="soft">${version}, ${kind}</span></h3>${settings(Object.entries(durability))}</div>`,
)}
</div>
${thresholds.length > 0 && thresholdTable(thresholds)}`;
}

type Threshold = { title: string; metric: string; expression: string; ok: boolean };

function thresholdTable(thresholds: Threshold[]): Html {
  return html`<h2>Thresholds</h2>
<div class="card"><table class="text stack"><tbody>${thresholds.map(
    ({ title, metric, expression, ok }) => html`<tr>
<td class="status"><span class="mark ${ok ? 'ok' : 'no'}">${ok ? '✓ held' : '✕ broken'}</span></td><td>${title}</td><td>${metric} ${expression}</td></tr>`,
  )}</tbody></table></div>`;
}

const settings = (entries: [string, string][]): Html =>
  html`<dl class="settings">${entries.map(([name, value]) => html`<dt>${breakable(name)}</dt><dd>${value}</dd>`)}</dl>`;

/** A long name may break behind its dots and underscores, and only there. */
const breakable = (name: string): Html => html`${name.split(/(?<=[._-])/).map((part) => html`${part}<wbr>`)}`;
