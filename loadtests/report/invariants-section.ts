import { count } from './format.ts';
import { type Html, html } from './html.ts';
import type { InvariantCheck, Invariants } from './results.ts';

const MARKS: Record<InvariantCheck['status'], { sign: string; kind: string }> = {
  ok: { sign: '✓ holds', kind: 'ok' },
  violated: { sign: '✕ violated', kind: 'no' },
  unknown: { sign: '? unknown', kind: 'open' },
  'not checked': { sign: '– not checked', kind: 'soft' },
};

export function invariantsSection({ checks, seconds, lostPromises }: Invariants): Html {
  const groups = [...new Set(checks.map(({ group }) => group))];
  return html`<h2>Invariants</h2>
<p class="soft">Read back from the database in one snapshot, ${seconds.toFixed(2)} s${
    lostPromises === null ? '' : `; lost coupon promises: ${count(lostPromises)}`
  }.</p>
<div class="cards" style="grid-template-columns:1fr">${groups.map(
    (group) => html`<div class="card"><h3>${group}</h3>
<table class="text stack"><tbody>${checks.filter((check) => check.group === group).map(row)}</tbody></table></div>`,
  )}</div>`;
}

function row({ title, status, reason, checked, violations, rows }: InvariantCheck): Html {
  const { sign, kind } = MARKS[status];
  return html`<tr><td class="status"><span class="mark ${kind}">${sign}</span></td>
<td>${title}${reason && html`<span class="sub">${reason}</span>`}${violations > 0 && offenders(rows, violations)}</td>
<td class="rows">${checked > 0 && html`${count(checked)} rows`}</td></tr>`;
}

function offenders(rows: Record<string, unknown>[], violations: number): Html {
  const columns = [...new Set(rows.flatMap((offender) => Object.keys(offender)))];
  return html`<details open><summary>${count(violations)} ${violations === 1 ? 'violation' : 'violations'}${
    rows.length < violations && html`, the first ${rows.length}`
  }</summary><div class="scroll"><table><thead><tr>${columns.map((column) => html`<th>${column}</th>`)}</tr></thead>
<tbody>${rows.map((offender) => html`<tr>${columns.map((column) => html`<td>${String(offender[column] ?? '')}</td>`)}</tr>`)}</tbody></table></div></details>`;
}
