import type { K6Summary } from '../k6/lib/summary.ts';
import type { Before, ClientFigures, Flow } from '../verify/figures.ts';

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
      const sent = this.#flow('charge_sent', before.charges);
      const acknowledged = this.#flow('charge_acknowledged', before.charges);
      const unresolved = this.#unresolved('charge');
      figures.charge = {
        sent,
        acknowledged,
        // A refused charge moved nothing, but its won are not known here: with any unresolved, an upper bound.
        unresolved: unresolved === 0 ? difference(0, sent, sent) : difference(unresolved, sent, acknowledged),
      };
    }
    if (count('order_sent') > 0)
      figures.order = {
        sent: count('order_sent'),
        acknowledged: this.#flow('order_acknowledged', before.orders),
        unresolved: this.#unresolved('order'),
      };
    return figures;
  }

  /** Weighed only where the scripts weighed every one, and the verifier whose `before` this is knows of it. */
  #flow(name: string, { weighed: known }: Flow): Flow {
    const counters = this.#counters;
    const count = counters[name] ?? 0;
    const weighed = count === 0 ? 0 : counters[`${name}_weighed`];
    return {
      count,
      won: counters[`${name}_won`] ?? 0,
      ...(known === undefined || weighed === undefined ? {} : { weighed }),
    };
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

function difference(count: number, sent: Flow, acknowledged: Flow): Flow {
  const won = sent.won - acknowledged.won;
  if (sent.weighed === undefined || acknowledged.weighed === undefined) return { count, won };
  return { count, won, weighed: sent.weighed - acknowledged.weighed };
}
