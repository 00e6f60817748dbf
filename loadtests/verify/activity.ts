import type { Connection } from 'mysql2/promise';

/**
 * What a load run leaves behind, as the services would have written it, on seeded data: three charges a user, a coupon
 * for each, and an order of the user's cart, every other one with the coupon. For tests and the benchmark.
 */
export async function addActivity(connection: Connection): Promise<void> {
  for (const statement of STATEMENTS) await connection.query(statement);
}

/** 1,000, 2,000 and 3,000 won on the seeded million; the payment then is the fourth version. */
const STATEMENTS = [
  `INSERT INTO balance_charge_history
      (user_id, balance_version, amount, previous_balance, current_balance, idempotency_key, charged_at)
    SELECT id, k, 1000 * k, balance + 500 * k * (k - 1), balance + 500 * k * (k + 1), CONCAT('key-', k), UTC_TIMESTAMP(3)
    FROM users JOIN (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) charge`,
  `INSERT INTO user_coupons
      (user_id, coupon_id, status, stream_id, topic_partition, topic_offset, accepted_at, issued_at, used_at)
    SELECT u.id, c.id, IF(u.id REGEXP '[02468]$', 'USED', 'AVAILABLE'), '1-1', 0, 0, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3),
      IF(u.id REGEXP '[02468]$', UTC_TIMESTAMP(3), NULL)
    FROM users u JOIN coupons c`,
  `UPDATE coupons SET issued_quantity = (SELECT COUNT(*) FROM user_coupons)`,
  `INSERT INTO orders
      (id, user_id, coupon_id, total_amount, discount_amount, final_amount, status, idempotency_key, created_at)
    SELECT CONCAT('order-', SUBSTR(u.user_id, 11)), u.user_id, IF(u.status = 'USED', u.coupon_id, NULL), 30000,
      IF(u.status = 'USED', 1000, 0), IF(u.status = 'USED', 29000, 30000), 'PAID', 'key-order', UTC_TIMESTAMP(3)
    FROM user_coupons u`,
  `INSERT INTO order_items (order_id, product_id, product_name, price, quantity, subtotal)
    SELECT o.id, p.id, p.name, p.price, i.quantity, p.price * i.quantity
    FROM orders o JOIN carts c ON c.user_id = o.user_id JOIN cart_items i ON i.cart_id = c.id
    JOIN products p ON p.id = i.product_id`,
  `INSERT INTO payments (order_id, user_id, amount, previous_balance, current_balance, balance_version, paid_at)
    SELECT o.id, o.user_id, o.final_amount, u.balance + 6000, u.balance + 6000 - o.final_amount, 4, o.created_at
    FROM orders o JOIN users u ON u.id = o.user_id`,
  `INSERT INTO outbox_events (aggregate_id, event_type, payload, status, next_attempt_at, created_at, published_at)
    SELECT id, 'order.placed', '{}', 'PUBLISHED', created_at, created_at, created_at FROM orders`,
  `UPDATE users u JOIN payments p ON p.user_id = u.id SET u.balance = p.current_balance, u.balance_version = 4`,
  `UPDATE stocks s JOIN (SELECT product_id, SUM(quantity) AS sold FROM order_items GROUP BY product_id) o
    ON o.product_id = s.product_id SET s.quantity = s.quantity - o.sold`,
];
