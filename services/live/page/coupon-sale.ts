import type { CouponsNow } from '../sample.ts';
import { byId, element, say } from './element.ts';
import { durationText, figure } from './figures.ts';

/** The parts of the bar, which together are all coupons. */
const PARTS = ['issued', 'pending', 'remaining'] as const;

const FIGURES = [
  { title: 'Remaining', note: 'nobody has them', key: 'key remaining' },
  { title: 'Sold', note: 'promised so far', key: '' },
  { title: 'Pending', note: 'of these, on their way', key: 'key pending' },
  { title: 'Issued', note: 'of these, in MySQL', key: 'key issued' },
];

/** How far the running sales have come. */
export class CouponSale {
  readonly #bar = element('div', 'stack');
  readonly #parts = PARTS.map((part) => element('i', part));
  readonly #values = FIGURES.map(() => element('dd', 'big', '–'));
  readonly #more = element('p', 'more soft');

  constructor() {
    const figures = element('dl', 'figures four');
    for (const [n, { title, note, key }] of FIGURES.entries())
      figures.append(
        element('div', '', element('dt', key, title), this.#values[n] ?? '', element('dd', 'note soft', note)),
      );
    this.#bar.append(...this.#parts);
    this.#bar.setAttribute('aria-hidden', 'true');
    byId('sale').replaceChildren(figures, this.#bar, this.#more);
  }

  show({ sale, admitted, issuedPerSecond, lag95, gatesClosed, lost }: CouponsNow): void {
    const sold = sale ? sale.pending + sale.issued : null;
    for (const [n, value] of [sale?.remaining, sold, sale?.pending, sale?.issued].entries()) {
      const to = this.#values[n];
      if (to) say(to, figure(value ?? null));
    }
    const total = sale ? sale.remaining + sale.pending + sale.issued : 0;
    for (const [n, part] of PARTS.entries()) {
      const bar = this.#parts[n];
      if (bar) bar.style.width = total === 0 || !sale ? '0' : `${(100 * sale[part]) / total}%`;
    }
    const told = [
      `promised ${figure(admitted)}/s`,
      `issued ${figure(issuedPerSecond)}/s`,
      `p95 from promise to coupon ${durationText(lag95)}`,
      gatesClosed === 0 ? 'gates open' : `gates closed: ${gatesClosed}`,
      `lost promises ${lost}`,
    ];
    say(
      this.#more,
      sale ? told.join(' · ') : 'Told by the process that keeps the coupon gates, which this one does not.',
    );
  }
}
