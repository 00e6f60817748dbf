import { lockWallets, type Wallet, writeBalances } from '../balance/index.ts';
import { type CartLine, lockCarts, removeLines } from '../cart/index.ts';
import { lockStock, readShelf, type Shelf, takeFromStock } from '../catalog/index.ts';
import { crashPoint } from '../core/crash-point.ts';
import { newId } from '../core/ids.ts';
import { won } from '../core/money.ts';
import { isTooFew, type Tx, type WritePool } from '../core/mysql.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { TransactionRecord } from '../core/transaction-record.ts';
import { type CouponTerms, couponRefusal, discountOf, lockUserCoupons, markUsed, readTerms } from '../coupon/index.ts';
import type { OrderResponse } from './contract.ts';
import { insertOrders } from './insert-orders.ts';
import type { LatelyWanted } from './lately-wanted.ts';
import type { Checkout, NewOrder } from './new-order.ts';
import { findOrders } from './replay.ts';

export interface CheckoutSettings {
  cartAfterOrder: 'empty' | 'keep';
  lately: LatelyWanted;
}

/**
 * Places any number of orders, at most one per user, in one transaction, and returns an outcome for each, in order: the
 * answer, the replay of the one that was given for the key before, or the first rule that refuses it, in this order:
 * U001, I422, COMMON001 empty cart, P001, P002 stock, C002–C004 coupon, PAY001 balance. A refusal is that request's alone.
 *
 * Locks in one global order, each kind sorted by id: users, carts, user coupons, stock; so no two transactions wait for
 * each other. The rows that everybody wants, the stock, are touched last, by one UPDATE that takes every product's total and
 * travels with the COMMIT: its lock lasts no round trip. Until then stock was only read, so that a sold-out refusal costs no
 * inserts. If the UPDATE finds less than was read, the engine does not come to the COMMIT: all is rolled back and done again
 * with the stock locked before it is read. Without coupons, and as long as the products are those of the orders before, a
 * transaction is two round trips.
 */
export async function checkoutAll(
  pool: WritePool,
  settings: CheckoutSettings,
  checkouts: Checkout[],
  deadline: number,
  record?: TransactionRecord,
): Promise<Outcome<OrderResponse>[]> {
  const earlier = new Set<string>();
  try {
    return await pool.transactionUntilKnown(
      deadline,
      (tx, again) => checkoutOnce(tx, settings, checkouts, { stockLocked: false, again, earlier }),
      record,
    );
  } catch (error) {
    if (!isTooFew(error)) {
      // Should it be that one of them cannot be read, the next orders are not to read it unless they want it.
      settings.lately.clear();
      throw error;
    }
    return pool.transactionUntilKnown(
      deadline,
      (tx, again) => checkoutOnce(tx, settings, checkouts, { stockLocked: true, again, earlier }),
      record,
    );
  }
}

async function checkoutOnce(
  tx: Tx,
  settings: CheckoutSettings,
  checkouts: Checkout[],
  /** `earlier` collects the orders that were there before any COMMIT of ours was sent: only they are replays. */
  { stockLocked, again, earlier }: { stockLocked: boolean; again: boolean; earlier: Set<string> },
): Promise<Outcome<OrderResponse>[]> {
  const users = checkouts.map(({ userId }) => userId);
  const [wallets, placed, carts, expected] = await tx.locking(
    'user_row',
    lockWallets(users),
    findOrders(checkouts),
    lockCarts(users),
    readShelf(settings.lately.ids()),
  );
  if (!again) for (const key of placed.keys()) earlier.add(key);
  const withCoupon = checkouts.flatMap(({ userId, couponId }) =>
    couponId === undefined ? [] : [{ userId, couponId }],
  );
  const coupons = withCoupon.length > 0 ? await lockCoupons(tx, withCoupon) : new Map();
  const wanted = new Set([...carts.values()].flatMap((lines) => lines.map(({ productId }) => productId)));
  const shelf = stockLocked ? await lockShelf(tx, [...wanted]) : await completeShelf(tx, expected, wanted);
  settings.lately.add([...wanted].filter((productId) => shelf.has(productId)));

  const now = new Date();
  const orders: NewOrder[] = [];
  const outcomes = checkouts.map((checkout): Outcome<OrderResponse> => {
    const wallet = wallets.get(checkout.userId);
    if (!wallet) return refuse('U001');
    const before = placed.get(`${checkout.userId} ${checkout.key}`);
    if (before) {
      if (before.couponId !== (checkout.couponId ?? null)) return refuse('I422', { field: 'couponId' });
      const replayed = earlier.has(`${checkout.userId} ${checkout.key}`);
      return { ok: true, value: before.answer, replayed };
    }
    const coupon = checkout.couponId === undefined ? undefined : coupons.get(`${checkout.userId} ${checkout.couponId}`);
    const outcome = compose(checkout, wallet, carts.get(checkout.userId) ?? [], shelf, coupon, now);
    if (outcome.ok) orders.push(outcome.value);
    return outcome.ok ? { ok: true, value: outcome.value.answer } : outcome;
  });
  if (orders.length === 0) return outcomes;

  const used = orders.flatMap(({ checkout: { userId, couponId } }) =>
    couponId === undefined ? [] : [{ userId, couponId }],
  );
  const taken = new Map<string, number>();
  for (const { lines } of orders)
    for (const { productId, quantity } of lines) taken.set(productId, (taken.get(productId) ?? 0) + quantity);
  tx.last(
    ...insertOrders(orders),
    ...(used.length > 0 ? [markUsed(used, now)] : []),
    ...(settings.cartAfterOrder === 'empty' ? [removeLines(orders.flatMap(({ lines }) => lines))] : []),
    writeBalances(orders.map(({ wallet }) => wallet)),
  );
  tx.lastLocking('stock_row', ...takeFromStock(taken));
  crashPoint('order:computed');
  return outcomes;
}

/** The shelf with what is wanted and not on it; where that is nothing, as where few products sell most, it is no round trip. */
async function completeShelf(tx: Tx, shelf: Shelf, wanted: Set<string>): Promise<Shelf> {
  const missing = [...wanted].filter((productId) => !shelf.has(productId));
  if (missing.length === 0) return shelf;
  const [rest] = await tx.run(readShelf(missing));
  return new Map([...shelf, ...rest]);
}

/** Locks the stock of these products, then reads them. */
async function lockShelf(tx: Tx, productIds: string[]): Promise<Shelf> {
  if (productIds.length === 0) return new Map();
  const [, shelf] = await tx.locking('stock_row', lockStock(productIds.sort()), readShelf(productIds));
  return shelf;
}

/** Locks the users' coupons and returns what they are worth, by `user coupon`; absent where the user has no such coupon. */
async function lockCoupons(tx: Tx, wanted: { userId: string; couponId: string }[]): Promise<Map<string, CouponTerms>> {
  const [held, terms] = await tx.locking(
    'coupon_row',
    lockUserCoupons(wanted),
    readTerms([...new Set(wanted.map(({ couponId }) => couponId))]),
  );
  return new Map(
    held.flatMap(({ userId, couponId, status }) => {
      const ofCoupon = terms.get(couponId);
      return ofCoupon ? [[`${userId} ${couponId}`, { ...ofCoupon, status }] as const] : [];
    }),
  );
}

/** Applies the rules to one cart. Only if all hold does it take from the shelf and the wallet, in memory. */
function compose(
  checkout: Checkout,
  wallet: Wallet,
  lines: CartLine[],
  shelf: Shelf,
  coupon: CouponTerms | undefined,
  now: Date,
): Outcome<NewOrder> {
  if (lines.length === 0) return refuse('COMMON001');
  const items: OrderResponse['items'] = [];
  for (const { productId, quantity } of lines) {
    const product = shelf.get(productId);
    if (!product) return refuse('P001', { productId });
    if (product.quantity < quantity)
      return refuse('P002', { productId, available: product.quantity, wanted: quantity });
    items.push({
      productId,
      productName: product.name,
      price: product.price,
      quantity,
      subtotal: product.price * quantity,
    });
  }
  const totalAmount = won(items.reduce((sum, { subtotal }) => sum + subtotal, 0));
  let discountAmount = 0;
  if (checkout.couponId !== undefined) {
    const refusal = couponRefusal(coupon, totalAmount, now);
    if (refusal || !coupon) return refuse(refusal ?? 'C003', { couponId: checkout.couponId });
    discountAmount = discountOf(coupon, totalAmount);
  }
  const finalAmount = totalAmount - discountAmount;
  if (wallet.balance < finalAmount) return refuse('PAY001', { balance: wallet.balance, amount: finalAmount });

  for (const { productId, quantity } of lines) {
    const product = shelf.get(productId);
    if (product) product.quantity -= quantity;
  }
  const previousBalance = wallet.balance;
  wallet.balance -= finalAmount;
  wallet.version++;
  return {
    ok: true,
    value: {
      checkout,
      wallet,
      previousBalance,
      lines,
      now,
      answer: {
        orderId: newId('order'),
        items,
        totalAmount,
        discountAmount,
        finalAmount,
        createdAt: now.toISOString(),
      },
    },
  };
}
