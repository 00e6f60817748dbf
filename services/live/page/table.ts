import type { Hello } from '../sample.ts';
import type { Columns } from './columns.ts';
import { byId, element } from './element.ts';
import { clock, figure } from './figures.ts';

/** Points that lie between two rows. */
const EVERY = 15;

/** The charts as a table, for those who do not see them. It is made when it is opened and stands still until then. */
export class Table {
  constructor({ apis }: Hello, columns: () => Columns | undefined) {
    const body = element('tbody');
    const heads = [
      'Time',
      ...apis.flatMap(({ title }) => [`${title}: requests/s`, `${title}: p95, ms`]),
      'Waiting at once',
    ];
    const head = element('tr', '', ...heads.map((text) => headOf(text, 'col')));
    const table = element('table', '', element('thead', '', head), body);
    const scroll = element('div', 'scroll', table);
    scroll.tabIndex = 0;
    scroll.setAttribute('role', 'region');
    scroll.setAttribute('aria-label', 'The last ten minutes as a table');
    const details = element('details', '', element('summary', '', 'The last ten minutes as a table'), scroll);
    details.addEventListener('toggle', () => {
      const now = columns();
      if (details.open && now) body.replaceChildren(...rows(now));
    });
    byId('table').replaceChildren(details);
  }
}

function rows({ times, requests, p95, waiting }: Columns): HTMLElement[] {
  const made: HTMLElement[] = [];
  for (let n = times.length - 1; n >= 0; n -= EVERY) {
    const all = requests.flatMap((column, api) => [column[n] ?? null, p95[api]?.[n] ?? null]);
    const wait = waiting.reduce((sum, column) => sum + (column[n] ?? 0), 0);
    const cells = [...all, wait].map((value) => element('td', '', figure(value)));
    made.push(element('tr', '', headOf(clock(1000 * (times[n] ?? 0)), 'row'), ...cells));
  }
  return made;
}

function headOf(text: string, scope: string): HTMLElement {
  const cell = element('th', '', text);
  cell.scope = scope;
  return cell;
}
