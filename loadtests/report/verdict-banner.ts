import { count, seconds } from './format.ts';
import { type Html, html } from './html.ts';
import type { Results, Verdict } from './results.ts';

/** A tick, a cross, a question mark: the verdict is told by sign, word and colour. */
const SIGNS: Record<Verdict, string> = {
  PASS: 'M17 28l7 7 14-15',
  FAIL: 'M19 19l16 16M35 19L19 35',
  INCONCLUSIVE: 'M20.5 21.5a6.5 6.5 0 1 1 9.6 5.7c-2 1.100-3.100 2.300-3.100 4.300M27 37.500v.1',
};

export function verdictBanner({ verdict, reasons, notes, profile, users, invariants, scenarios }: Results): Html {
  const held = invariants?.checks.filter(({ status }) => status === 'ok').length ?? 0;
  const requests = scenarios.flatMap(({ apis }) => apis).reduce((sum, { client }) => sum + client.count, 0);
  const loaded = scenarios.reduce((sum, scenario) => sum + scenario.seconds, 0);
  return html`<section class="verdict ${verdict}">
<span class="sign"><svg viewBox="0 0 54 54" aria-hidden="true"><path d="${SIGNS[verdict]}"/></svg></span>
<div><strong>${verdict}</strong>
<p>${count(requests)} requests in ${seconds(loaded)} of load, profile ${profile}, ${count(users)} users${
    held > 0 ? html`; ${held} invariants hold in the database` : ''
  }.</p>
${reasons.length > 0 && html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
${notes.length > 0 && html`<p class="soft">${notes.join('; ')}.</p>`}</div>
</section>`;
}
