import type { ApiNow, Hello, State } from '../sample.ts';
import { Chart } from './chart.ts';
import type { Columns } from './columns.ts';
import { element, say } from './element.ts';
import { duration, durationText, figure, percent } from './figures.ts';

const WORDS: Record<State, string> = {
  idle: 'No requests',
  healthy: 'On target',
  attention: 'Close to its target',
  bad: 'Target missed',
};

/** One API: how much, how fast, how many failed, and how that was in the last ten minutes. */
export class ApiTile {
  readonly element: HTMLElement;
  readonly #state = element('p', 'state');
  readonly #figures: Record<'requests' | 'p95' | 'p95Unit' | 'failed' | 'more', HTMLElement>;
  readonly #latency: Chart;
  readonly #requests: Chart;

  constructor({ title, target, failedTarget }: Hello['apis'][number]) {
    const span = () => element('span', 'value');
    this.#figures = {
      requests: span(),
      p95: span(),
      p95Unit: element('span', 'unit'),
      failed: span(),
      more: element('p', 'more soft'),
    };
    const { requests, p95, p95Unit, failed, more } = this.#figures;
    const figures = element('dl', 'figures');
    figures.append(
      one('p95', `target ${target} ms`, p95, p95Unit),
      one('Requests', 'a second', requests, element('span', 'unit', '/s')),
      one('Failed', `at most ${percent(failedTarget)}`, failed),
    );
    this.#latency = new Chart({
      title: 'p95',
      unit: 'ms, dashed: target',
      height: 128,
      lines: [{ title: 'p95', colour: '--first' }],
      target,
      text: figure,
    });
    this.#requests = new Chart({
      title: 'Requests',
      unit: 'a second',
      height: 92,
      lines: [{ title: 'requests', colour: '--third' }],
      filled: true,
      text: figure,
    });
    const head = element('div', 'head', element('h2', '', title), this.#state);
    this.element = element('section', 'card api', head, figures, this.#latency.element, this.#requests.element, more);
    this.element.setAttribute('aria-label', title);
    this.element.dataset.state = 'idle';
  }

  get charts(): Chart[] {
    return [this.#latency, this.#requests];
  }

  show(now: ApiNow): void {
    const { value, unit } = duration(now.p95);
    this.element.dataset.state = now.state;
    say(this.#state, WORDS[now.state]);
    say(this.#figures.requests, figure(now.requests));
    say(this.#figures.p95, value);
    say(this.#figures.p95Unit, unit);
    say(this.#figures.failed, percent(now.failed));
    const more = `p50 ${durationText(now.p50)} · p99 ${durationText(now.p99)} · within target ${percent(now.within)} · refused by rule ${figure(now.refused)}/s`;
    say(this.#figures.more, more);
  }

  draw({ times, requests, p95 }: Columns, n: number): (() => void)[] {
    return [() => this.#latency.draw(times, [p95[n] ?? []]), () => this.#requests.draw(times, [requests[n] ?? []])];
  }
}

function one(name: string, note: string, ...value: HTMLElement[]): HTMLElement {
  return element('div', '', element('dt', '', name), element('dd', 'big', ...value), element('dd', 'note soft', note));
}
