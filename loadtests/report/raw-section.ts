import { bars } from './bars.ts';
import { count } from './format.ts';
import { type Html, html } from './html.ts';
import type { ScenarioResult } from './results.ts';

/** The APIs beside what the engine does alone with the same SQL, one transaction a request. */
export function rawSection(scenarios: ScenarioResult[]): Html | false {
  const compared = scenarios.filter(({ raw }) => raw);
  if (compared.length === 0) return false;
  return html`<h2>Beside the engine alone</h2>
<p class="soft">The same SQL with one transaction a request, on the same engine with the same settings in the same run.</p>
<div class="cards wide">${compared.map(({ title, apis, raw }) => {
    const rate = apis[0]?.acknowledgedPerSecond ?? 0;
    return html`<div class="card"><h3>${title} <span class="soft">per second</span></h3>
<div class="pair" style="grid-template-columns:1fr"><div class="big">${raw?.ratio.toFixed(2)}× <small>the best raw figure</small></div></div>
${bars([
  { label: 'APIs', value: rate, text: count(rate), tone: 'second' },
  ...(raw?.runs ?? []).map(({ label, perSecond }) => ({
    label,
    value: perSecond,
    text: count(perSecond),
    tone: perSecond === raw?.best ? ('first' as const) : ('quiet' as const),
  })),
])}</div>`;
  })}</div>`;
}
