import { lockWallets, writeBalances } from '../../../services/balance/index.ts';
import { readShelf, type Shelf } from '../../../services/catalog/index.ts';
import { newId } from '../../../services/core/ids.ts';
import type { LockMetrics } from '../../../services/core/metrics.ts';
import type { Tx, WritePool } from '../../../services/core/mysql.ts';
import { type Outcome, type Refusal, refuse } from '../../../services/core/refusals.ts';
import type { OrderResponse } from '../../../services/order/contract.ts';
import { insertOrders } from '../../../services/order/insert-orders.ts';
import { findOrders } from '../../../services/order/replay.ts';
import type { OrderRequest } from '../strategy.ts';

/** Takes the quantities from stock; false if a product has less, and then nothing of the order may be committed. */
export type TakeStock = (tx: Tx, lines: CartLine[]) => Promise<boolean>;

export interface CartLine {
  productId: string;
  quantity: number;
}

/**
 * One order, one transaction, as most shops would write it, with the statements of the services: lock the user's row,
 * read cart and stock, write order, items, payment and event, debit, take the stock, commit. A cart is kept. Which
 * orders are kept apart before they get here, and how stock is taken, is the strategies' own.
 */
export async function checkout(
  pool: WritePool,
  metrics: LockMetrics,
  request: OrderRequest,
  deadline: number,
  takeStock: TakeStock,
): Promise<Outcome<OrderResponse>> {
  try {
    return await pool.transaction(deadline, (tx) => checkoutOnce(tx, metrics, request, takeStock));
  } catch (error) {
    if (error instanceof RolledBack) return error.refusal;
    throw error;
  }
}

/** Undoes what the transaction has written, for a rule that shows only when it is nearly done. */
class RolledBack extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

async function checkoutOnce(
  tx: Tx,
  metrics: LockMetrics,
  { userId, key }: OrderRequest,
  takeStock: TakeStock,
): Promise<Outcome<OrderResponse>> {
  const timed = async <T>(at: 'user_row' | 'stock_row', statement: Promise<T>): Promise<T> => {
    const asked = performance.now();
    const result = await statement;
    metrics.waited(at, performance.now() - asked);
    return result;
  };
  const [wallets] = await timed('user_row', tx.run(lockWallets([userId])));
  const wallet = wallets.get(userId);
  if (!wallet) return refuse('U001');
  const [placed] = await tx.run(findOrders([{ userId, key }]));
  const before = placed.get(`${userId} ${key}`);
  if (before) return { ok: true, value: before.answer, replayed: true };

  const lines = await readCart(tx, userId);
  if (lines.length === 0) return refuse('COMMON001');
  const [shelf] = await tx.run(readShelf(lines.map(({ productId }) => productId)));
  const answer = compose(lines, shelf);
  if (!answer.ok) return answer;
  const { finalAmount } = answer.value;
  if (wallet.balance < finalAmount) return refuse('PAY001');

  const previousBalance = wallet.balance;
  wallet.balance -= finalAmount;
  wallet.version++;
  const order = { userId, key, couponId: undefined };
  const now = new Date(answer.value.createdAt);
  for (const statement of insertOrders([
    { checkout: order, wallet, previousBalance, lines: [], answer: answer.value, now },
  ]))
    await tx.run(statement);
  await tx.run(writeBalances([wallet]));
  // The rows that everybody wants come last, so that they are locked for the shortest time.
  if (!(await timed('stock_row', takeStock(tx, lines)))) throw new RolledBack(refuse('P002'));
  return answer;
}

/** Found through idx_cart_id; without that index every item of every cart is looked at. */
const readCart = (tx: Tx, userId: string): Promise<CartLine[]> =>
  tx.rows<CartLine>(
    `SELECT i.product_id AS productId, i.quantity
       FROM carts c JOIN cart_items i ON i.cart_id = c.id WHERE c.user_id = ? ORDER BY i.product_id`,
    [userId],
  );

/** Looks at the stock as it is now: a sold-out order is refused before anything is written. */
function compose(lines: CartLine[], shelf: Shelf): Outcome<OrderResponse> {
  const items: OrderResponse['items'] = [];
  for (const { productId, quantity } of lines) {
    const product = shelf.get(productId);
    if (!product) return refuse('P001', { productId });
    if (product.quantity < quantity) return refuse('P002', { productId });
    const { name, price } = product;
    items.push({ productId, productName: name, price, quantity, subtotal: price * quantity });
  }
  const totalAmount = items.reduce((sum, { subtotal }) => sum + subtotal, 0);
  return {
    ok: true,
    value: {
      orderId: newId('order'),
      items,
      totalAmount,
      discountAmount: 0,
      finalAmount: totalAmount,
      createdAt: new Date().toISOString(),
    },
  };
}
