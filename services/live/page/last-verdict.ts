import type { LastVerdict } from '../sample.ts';
import { byId, element } from './element.ts';

let shown = '';

/** What the last load run came to. */
export function showVerdict(last: LastVerdict | null): void {
  const key = JSON.stringify(last);
  if (key === shown) return;
  shown = key;
  const to = byId('last-verdict');
  if (!last) {
    to.replaceChildren(element('p', 'soft', 'No run yet on this machine: '), element('code', '', 'npm run bench'));
    return;
  }
  const word = element('p', 'word', last.verdict);
  word.dataset.verdict = last.verdict;
  const when = new Date(last.startedAt).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
  const list = element('ul', '', ...last.reasons.map((reason) => element('li', '', reason)));
  to.replaceChildren(
    word,
    element('p', '', `Profile ${last.profile}, ${Math.round(last.seconds)} s, begun ${when}.`),
    ...(last.reasons.length > 0 ? [list] : []),
    element('p', 'soft', 'Its report: ', element('code', '', '.onrush/results/latest/report.html')),
  );
}
