import type { Now } from '../sample.ts';
import { byId, element, say } from './element.ts';
import { bytes, figure, percent } from './figures.ts';

/** From this share on a resource is nearly used up. */
const FULL = 0.9;

/** What the process has, and how much of it is in use. */
export class Fill {
  readonly #rows = new Map<string, { value: HTMLElement; bar: HTMLElement; track: HTMLElement }>();

  show({ pools, lanes, inFlight, loopBusy, cores, memoryBytes }: Now): void {
    for (const { title, inUse, waiting, size } of pools)
      this.#row(
        `Connections ${title}`,
        `${inUse} of ${size}${waiting > 0 ? `, ${waiting} wait` : ''}`,
        size === 0 ? 0 : inUse / size,
      );
    this.#row('Event loop busy', percent(loopBusy), loopBusy);
    this.#row('CPU', `${cores.toFixed(2)} cores`);
    this.#row('Requests in flight', figure(inFlight));
    for (const { title, batch } of lanes)
      this.#row(`${title} in one transaction`, batch === null ? '–' : figure(batch));
    this.#row('Memory', bytes(memoryBytes));
  }

  #row(name: string, value: string, part?: number): void {
    let row = this.#rows.get(name);
    if (!row) {
      row = { value: element('span'), bar: element('i'), track: element('span', 'track') };
      row.track.setAttribute('aria-hidden', 'true');
      row.track.append(row.bar);
      if (part === undefined) row.track.classList.add('none');
      byId('fill').append(element('div', '', element('dt', '', name), element('dd', '', row.track, row.value)));
      this.#rows.set(name, row);
    }
    say(row.value, value);
    row.bar.style.transform = `scaleX(${Math.min(1, part ?? 0).toFixed(3)})`;
    row.bar.classList.toggle('full', (part ?? 0) >= FULL);
  }
}
