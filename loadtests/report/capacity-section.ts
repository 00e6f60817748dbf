import { count, figure } from './format.ts';
import { type Html, html } from './html.ts';
import type { Capacity, CapacityStep } from './results.ts';

/** What each constant rate came to, up to the knee and beyond. */
export function capacitySection(capacity: Capacity[]): Html | false {
  if (capacity.length === 0) return false;
  return html`<h2>Capacity</h2>
<p class="soft">Requests at a constant rate, whatever the answers take. A rate is held while nothing fails, 98 % is answered within its
seconds and p99 stays under 100 ms.</p>
${capacity.map(table)}`;
}

function table({ title, steps, knee, limit, half }: Capacity): Html {
  return html`<div class="card" style="margin-top:16px"><h3>${title} <span class="soft">${count(knee)} a second; beyond it the limit is ${limit}</span></h3>
<div class="scroll"><table>
<thead><tr><th>asked a second</th><th>accepted</th><th>p50, ms</th><th>p99, ms</th><th>errors</th><th></th><th>cores</th></tr></thead>
<tbody>${steps.map((step) => row(step, step.rate === knee ? 'the knee' : step.held ? 'held' : 'not held'))}
${half && row(half, 'half of the knee')}</tbody>
</table></div></div>`;
}

const row = ({ rate, acknowledged, p50, p99, failed, cores }: CapacityStep, what: string): Html =>
  html`<tr><td>${count(rate)}</td><td>${count(acknowledged)}</td><td>${figure(p50)}</td><td>${figure(p99)}</td><td>${count(failed)}</td><td>${what}</td><td class="soft">${cores.map(({ label, cores: used }) => `${label} ${used.toFixed(2)}`).join(', ')}</td></tr>`;
