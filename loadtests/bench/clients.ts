import type { K6Summary } from '../k6/lib/summary.ts';
import type { Before, ClientFigures } from '../verify/figures.ts';

/** Everything the clients saw, over all scenarios of this run. */
export class Clients {
  readonly #counters: Record<string, number> = {};

  add({ counters }: K6Summary): void {
    for (const [name, count] of Object.entries(counters)) this.#counters[name] = (this.#counters[name] ?? 0) + count;
  }

  /** What the verifier compares with the rows that came since `before`. */
  figures(before: Before, couponId: string): ClientFigures {
    const count = (name: string) => this.#counters[name] ?? 0;
    const figures: ClientFigures = { before, keyed: true };
    if (count('coupon_sent') > 0)
      figures.coupon = {
        couponId,
        sent: count('coupon_sent'),
        accepted: count('coupon_acknowledged'),
        unresolved: this.#unresolved('coupon'),
      };
    if (count('charge_sent') > 0) {
      const sent = { count: count('charge_sent'), won: count('charge_sent_won') };
      const acknowledged = { count: count('charge_acknowledged'), won: count('charge_acknowledged_won') };
      const unresolved = this.#unresolved('charge');
      figures.charge = {
        sent,
        acknowledged,
        // A refused charge moved nothing, but its won are not known here: with any unresolved, an upper bound.
        unresolved: { count: unresolved, won: unresolved === 0 ? 0 : sent.won - acknowledged.won },
      };
    }
    if (count('order_sent') > 0)
      figures.order = {
        sent: count('order_sent'),
        acknowledged: { count: count('order_acknowledged'), won: count('order_acknowledged_won') },
        unresolved: this.#unresolved('order'),
      };
    return figures;
  }

  /** Whatever got no definite answer, also because its iteration was cut off. */
  #unresolved(api: string): number {
    const definite = Object.entries(this.#counters)
      .filter(
        ([name]) =>
          name === `${api}_acknowledged` || name === `${api}_unexpected` || name.startsWith(`${api}_refused_`),
      )
      .reduce((total, [, count]) => total + count, 0);
    return Math.max(0, (this.#counters[`${api}_sent`] ?? 0) - definite);
  }
}
