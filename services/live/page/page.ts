import type { Hello, Now, Sample } from '../sample.ts';
import { ApiTile } from './api-tile.ts';
import { Chart } from './chart.ts';
import { onOtherColours } from './colours.ts';
import { Columns } from './columns.ts';
import { type ConnectionState, listen } from './connection.ts';
import { CouponSale } from './coupon-sale.ts';
import { byId, element, say } from './element.ts';
import { durationText, figure, percent } from './figures.ts';
import { Fill } from './fill.ts';
import { showHealth } from './health.ts';
import { showVerdict } from './last-verdict.ts';
import { Legend } from './legend.ts';
import { Table } from './table.ts';

const CONNECTION: Record<ConnectionState, string> = {
  opening: 'connecting',
  open: 'live',
  lost: 'no connection, trying again',
};

/** Everything that is shown of one server; a server that comes back is shown anew, with what it remembers. */
class View {
  readonly #columns: Columns;
  readonly #tiles: ApiTile[];
  readonly #places: { who: Hello['places'][number]['who']; legend: Legend; n: number }[];
  readonly #waiting: Chart;
  readonly #backlogs: Legend;
  readonly #backlog: Chart;
  readonly #sale = new CouponSale();
  readonly #fill: Fill;
  #removed = false;

  constructor(hello: Hello) {
    const { apis, places, backlogs, history } = hello;
    showProcess(hello);
    this.#columns = new Columns(apis.length, places.length, backlogs.length);
    for (const point of history) this.#columns.add(point);

    this.#tiles = apis.map((api) => new ApiTile(api));
    byId('apis').replaceChildren(...this.#tiles.map((tile) => tile.element));

    const entries = places.map(({ title, hint, who }, n) => ({ title, hint, who, colour: `--place-${n + 1}` }));
    const requests = new Legend(entries.filter(({ who }) => who === 'request'));
    const transactions = new Legend(entries.filter(({ who }) => who === 'transaction'));
    const before = entries.findIndex(({ who }) => who === 'transaction');
    this.#places = entries.map(({ who }, n) =>
      who === 'request' ? { who, legend: requests, n } : { who, legend: transactions, n: n - before },
    );
    byId('waits').replaceChildren(
      element('h3', '', 'Requests wait for'),
      requests.element,
      element('h3', '', 'Transactions wait for', element('span', 'soft', ' (one serves many requests)')),
      transactions.element,
    );
    this.#waiting = new Chart({
      title: 'Waiting at once',
      unit: 'requests or transactions',
      height: 360,
      lines: entries,
      text: figure,
    });
    byId('waiting-chart').replaceChildren(this.#waiting.element);

    const queues = backlogs.map((one, n) => ({ ...one, colour: `--place-${n + 1}` }));
    this.#backlogs = new Legend(queues);
    byId('backlogs').replaceChildren(this.#backlogs.element);
    this.#backlog = new Chart({ title: 'Backlog', unit: 'pieces', height: 130, lines: queues, text: figure });
    byId('backlog-chart').replaceChildren(this.#backlog.element);
    byId('fill').replaceChildren();
    this.#fill = new Fill();
    new Table(hello, () => this.#columns);
    this.#drawSoon();
  }

  show({ point, now }: Sample): void {
    this.#columns.add(point);
    showHealth(now.health);
    for (const [n, tile] of this.#tiles.entries()) {
      const api = now.apis[n];
      if (api) tile.show(api);
    }
    this.#showWaits(now);
    this.#sale.show(now.coupons);
    this.#showBacklog(now);
    this.#fill.show(now);
    showVerdict(now.verdict);
    for (const window of document.querySelectorAll<HTMLElement>('.window'))
      say(window, String(Math.round(now.seconds)));
    // A page in the background draws nothing; it does so when it is looked at again.
    if (!document.hidden) this.#drawSoon();
  }

  get #charts(): Chart[] {
    return [...this.#tiles.flatMap((tile) => tile.charts), this.#waiting, this.#backlog];
  }

  redraw(): void {
    for (const chart of this.#charts) chart.redraw();
  }

  remove(): void {
    this.#removed = true;
    for (const chart of this.#charts) chart.remove();
  }

  #showWaits({ waits }: Now): void {
    const shares = (who: string) => waits.map(({ share }, n) => (this.#places[n]?.who === who ? share : 0));
    const most = new Set(['request', 'transaction'].map((who) => longest(shares(who))));
    for (const [n, { share, p95, count, waiting }] of waits.entries()) {
      const place = this.#places[n];
      const note = count === 0 ? 'nobody' : `p95 ${durationText(p95)} · ${figure(waiting)} at once`;
      place?.legend.show(place.n, share, count === 0 ? '–' : percent(share), note, most.has(n));
    }
  }

  #showBacklog({ backlog, outboxOldest }: Now): void {
    const most = Math.max(100, ...backlog.map((value) => value ?? 0));
    for (const [n, value] of backlog.entries()) {
      const isOutbox = n === backlog.length - 1;
      const age = isOutbox && value ? `oldest ${durationText(1000 * (outboxOldest ?? 0))}` : '';
      this.#backlogs.show(n, (value ?? 0) / most, figure(value), value === null ? 'another process tells' : age);
    }
  }

  /** In a task of its own, after the browser has laid out what stands by now. */
  #drawSoon(): void {
    setTimeout(() => this.#draw());
  }

  /** One chart a task, so that none keeps the page from answering. */
  #draw(): void {
    const columns = this.#columns;
    const steps = [
      ...this.#tiles.flatMap((tile, n) => tile.draw(columns, n)),
      () => this.#waiting.draw(columns.times, columns.waiting),
      () => this.#backlog.draw(columns.times, columns.backlog),
    ];
    const next = () => {
      if (this.#removed) return;
      steps.shift()?.();
      if (steps.length > 0) setTimeout(next);
    };
    if (columns.times.length > 0) next();
  }
}

/** Which of the shares is the largest, if it is worth a word. */
const longest = (shares: number[]): number => {
  const most = Math.max(...shares);
  return most < 0.1 ? -1 : shares.indexOf(most);
};

function showProcess({ process: { host, pid, version, roles, processes } }: Hello): void {
  const which = processes > 1 ? `the ${processes} processes on this port` : 'this process alone';
  const all = roles.length === 7 ? 'all roles' : roles.join(', ');
  say(byId('process'), `${which}: ${host}, pid ${pid}, ${all}, version ${version}`);
}

let view: View | undefined;
onOtherColours(() => view?.redraw());
listen('/live/events', {
  hello: (hello) => {
    view?.remove();
    view = new View(hello);
  },
  sample: (sample) => view?.show(sample),
  state: (state) => {
    document.body.dataset.connection = state;
    byId('connection').dataset.state = state;
    say(byId('connection-text'), CONNECTION[state]);
  },
});
