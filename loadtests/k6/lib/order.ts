import { Counter } from 'k6/metrics';
import type { OrderRequest, OrderResponse } from '../../../services/order/contract.ts';
import { definite } from './definite.ts';
import { Results } from './results.ts';
import { weightOf } from './weight.ts';

/** O409: the user's other order runs. PAY001: money is used up. P002: stock is. C003: the coupon was used before. */
const results = new Results('order', ['O409', 'PAY001', 'P002', 'C003', 'COMMON001']);
const acknowledgedWon = new Counter('order_acknowledged_won');
const acknowledgedWeighed = new Counter('order_acknowledged_weighed');

export function order(userId: string, couponId?: string): OrderResponse | undefined {
  const body: OrderRequest = couponId ? { userId, couponId } : { userId };
  const answer = definite(results, '/api/orders', body);
  if (!answer) return undefined;
  const placed = JSON.parse(answer.body) as OrderResponse;
  acknowledgedWon.add(placed.finalAmount);
  acknowledgedWeighed.add(placed.finalAmount * weightOf(userId));
  return placed;
}
