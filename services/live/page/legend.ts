import { element, say } from './element.ts';

export interface Entry {
  title: string;
  hint: string;
  colour: string;
}

interface Row {
  row: HTMLElement;
  bar: HTMLElement;
  value: HTMLElement;
  note: HTMLElement;
}

/** A list of bars that names the colours of the chart beside it. */
export class Legend {
  readonly element: HTMLElement;
  readonly #rows: Row[];

  constructor(entries: Entry[]) {
    this.#rows = entries.map(({ title, hint, colour }) => {
      const bar = element('i');
      const value = element('span', 'value');
      const note = element('span', 'note soft');
      const name = element('span', 'name', title, element('span', 'hint soft', hint));
      const track = element('span', 'track', bar);
      track.setAttribute('aria-hidden', 'true');
      bar.style.background = `var(${colour})`;
      return { row: element('li', '', name, value, track, note), bar, value, note };
    });
    this.element = element('ul', 'legend', ...this.#rows.map(({ row }) => row));
  }

  /** `part`: how much of the bar is filled, 0 to 1. */
  show(n: number, part: number, value: string, note: string, most = false): void {
    const row = this.#rows[n];
    if (!row) return;
    row.bar.style.transform = `scaleX(${Math.min(1, part).toFixed(3)})`;
    row.row.classList.toggle('most', most);
    say(row.value, value);
    say(row.note, note);
  }
}
