import type { Check, Group, NotChecked, Row } from './check.ts';
import type { Before, ClientFigures, Flow } from './figures.ts';

/**
 * What the clients saw against what the database holds since the run began:
 *
 *   acknowledged ≤ rows ≤ sent                        scripts without keys
 *   acknowledged ≤ rows ≤ acknowledged + unresolved   keyed: a write that was refused for good has no row
 *
 * so that with keys, once every ambiguous answer was replayed to a definite one, acknowledged = rows. The same holds of the
 * count, of the won and, where the clients tell it, of the won weighed by wallet.
 */
export function clientChecks(figures: ClientFigures, now: Before): (Check | NotChecked)[] {
  const { before, coupon, charge, order, keyed } = figures;
  const charges = since(before.charges, now.charges);
  const orders = since(before.orders, now.orders);
  const issued = now.issued - before.issued;
  return [
    check(
      'client-coupons',
      5,
      'coupons issued ≤ requests accepted or unresolved (sent, without keys)',
      coupon && {
        checked: issued,
        rows: outside('coupons', 0, issued, keyed ? coupon.accepted + coupon.unresolved : coupon.sent),
      },
    ),
    check(
      'client-charges',
      5,
      `acknowledged charges ≤ rows ≤ sent, ${measures(charge?.acknowledged, charges)}`,
      charge && {
        checked: charges.count,
        rows: [
          ...outside('count', charge.acknowledged.count, charges.count, most(charge, 'count', keyed)),
          ...outside('won', charge.acknowledged.won, charges.won, most(charge, 'won', keyed)),
          ...outside(WEIGHED, charge.acknowledged.weighed, charges.weighed, most(charge, 'weighed', keyed)),
        ],
      },
    ),
    check(
      'client-orders',
      5,
      `acknowledged orders ≤ rows ≤ sent, ${measures(order?.acknowledged, orders)}`,
      order && {
        checked: orders.count,
        rows: [
          ...outside(
            'count',
            order.acknowledged.count,
            orders.count,
            keyed ? order.acknowledged.count + order.unresolved : order.sent,
          ),
          // What an order without an answer came to is not known, so only keyed and resolved ones have an upper bound.
          ...outside(
            'won',
            order.acknowledged.won,
            orders.won,
            keyed && order.unresolved === 0 ? order.acknowledged.won : Number.POSITIVE_INFINITY,
          ),
          ...outside(
            WEIGHED,
            order.acknowledged.weighed,
            orders.weighed,
            keyed && order.unresolved === 0 ? order.acknowledged.weighed : Number.POSITIVE_INFINITY,
          ),
        ],
      },
    ),
  ];
}

/**
 * Accepted answers = issued + rejected + lost. Lost promises violate it unless they are allowed (a test that kills
 * Redis expects some and wants their number). Requests without a definite answer may have been issued as well, so with
 * `unresolved` above 0 the number is the least there can have been.
 */
export function promiseCheck(
  { before, coupon }: ClientFigures,
  now: Before,
  { settled, allowLostPromises }: { settled: boolean; allowLostPromises: boolean },
): { check: Check | NotChecked; lostPromises: number | null } {
  const id = 'coupon-promises';
  const title = 'accepted answers = issued + rejected';
  if (!coupon) return { check: check(id, 1, title, undefined), lostPromises: null };
  const issued = now.issued - before.issued;
  const rejected = now.rejected - before.rejected;
  const lost = Math.max(0, coupon.accepted - issued - rejected);
  const shown = { checked: coupon.accepted, rows: [] as Row[] };
  if (lost > 0 && !(settled && allowLostPromises)) shown.rows = [{ accepted: coupon.accepted, issued, rejected, lost }];
  const made = check(id, 1, title, { ...shown, violations: shown.rows.length > 0 ? lost : 0 });
  if (lost > 0 && !settled)
    return {
      check: { ...made, status: 'unknown', reason: 'promises were still on their way' } as Check,
      lostPromises: null,
    };
  return { check: made, lostPromises: lost };
}

const since = (before: Flow, now: Flow): Flow => ({
  count: now.count - before.count,
  won: now.won - before.won,
  weighed: both(before.weighed, now.weighed, (then, now) => now - then),
});

const WEIGHED = 'won × weight of the wallet';
const measures = (acknowledged: Flow | undefined, rows: Flow) =>
  acknowledged?.weighed === undefined || rows.weighed === undefined
    ? 'in count and won'
    : 'in count, won and by wallet';

function both(a: number | undefined, b: number | undefined, of: (a: number, b: number) => number): number | undefined {
  return a === undefined || b === undefined ? undefined : of(a, b);
}

function most(charge: NonNullable<ClientFigures['charge']>, what: keyof Flow, keyed: boolean): number | undefined {
  return keyed ? both(charge.acknowledged[what], charge.unresolved[what], (a, b) => a + b) : charge.sent[what];
}

/** What one side does not tell is not compared. */
function outside(what: string, least: number | undefined, rows: number | undefined, most: number | undefined): Row[] {
  if (least === undefined || rows === undefined || most === undefined) return [];
  return rows < least || rows > most ? [{ what, at_least: least, in_database: rows, at_most: most }] : [];
}

function check(
  id: string,
  group: Group,
  title: string,
  found: { checked: number; rows: Row[]; violations?: number } | undefined,
): Check | NotChecked {
  if (!found) return { id, group, title, reason: 'the clients gave no figures for it' };
  const { checked, rows, violations = rows.length } = found;
  return { id, group, title, status: rows.length > 0 ? 'violated' : 'ok', checked, violations, rows, seconds: 0 };
}
