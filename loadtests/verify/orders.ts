import type { SetCheck } from './check.ts';

/** What the coupon takes off; a percentage rounds down, and nothing takes off more than the order's total. */
const discount = `CASE
  WHEN o.coupon_id IS NULL THEN 0
  WHEN o.total_amount < c.min_order_amount THEN 0
  WHEN c.discount_type = 'FIXED' THEN
    LEAST(c.discount_value, COALESCE(c.max_discount_amount, o.total_amount), o.total_amount)
  WHEN c.discount_type = 'PERCENT' THEN
    LEAST(o.total_amount * c.discount_value DIV 100, COALESCE(c.max_discount_amount, o.total_amount), o.total_amount)
  END`;

export const orderChecks: SetCheck[] = [
  {
    id: 'order-total',
    group: 4,
    title: 'sum of subtotals = total',
    looksAt: ['orders', 'order_items'],
    violations: `SELECT o.order_id, o.total_amount, i.subtotals
      FROM orders o
      LEFT JOIN (SELECT order_id, SUM(subtotal) AS subtotals FROM order_items GROUP BY order_id) i
        ON i.order_id = o.order_id
      WHERE i.subtotals IS NULL OR i.subtotals <> o.total_amount`,
  },
  {
    id: 'order-subtotal',
    group: 4,
    title: 'subtotal = price × quantity',
    looksAt: ['order_items'],
    violations: `SELECT order_id, product_id, price, quantity, subtotal FROM order_items
      WHERE subtotal <> price * quantity OR quantity < 1`,
  },
  {
    id: 'order-price',
    group: 4,
    title: 'price = the product’s',
    looksAt: ['order_items'],
    needs: ['products'],
    // An item keeps the price it was sold at; nothing changes a product's under load, so the two are still the same.
    violations: `SELECT i.order_id, i.product_id, i.price, p.price AS product_price
      FROM order_items i LEFT JOIN products p ON p.product_id = i.product_id
      WHERE p.product_id IS NULL OR i.price <> p.price`,
  },
  {
    id: 'order-discount',
    group: 4,
    title: 'discount = what the coupon takes off, its minimum met',
    looksAt: ['orders'],
    needs: ['coupons'],
    violations: `SELECT order_id, coupon_id, total_amount, discount_amount, recomputed, min_order_amount FROM (
        SELECT o.order_id, o.coupon_id, o.total_amount, o.discount_amount, ${discount} AS recomputed, c.min_order_amount
        FROM orders o LEFT JOIN coupons c ON c.coupon_id = o.coupon_id) r
      WHERE recomputed IS NULL OR recomputed <> discount_amount OR total_amount < min_order_amount`,
  },
  {
    id: 'order-final',
    group: 4,
    title: 'final = total − discount ≥ 0',
    looksAt: ['orders'],
    violations: `SELECT order_id, total_amount, discount_amount, final_amount FROM orders
      WHERE final_amount <> total_amount - discount_amount OR final_amount < 0`,
  },
  {
    id: 'order-payment',
    group: 4,
    title: 'exactly one payment, of the final amount, by the same user',
    looksAt: ['orders', 'payments'],
    violations: `SELECT o.order_id, o.user_id, o.final_amount, COALESCE(p.payments, 0) AS payments, p.amount, p.payer
      FROM orders o
      LEFT JOIN (SELECT order_id, COUNT(*) AS payments, SUM(amount) AS amount, MIN(user_id) AS payer
        FROM payments GROUP BY order_id) p ON p.order_id = o.order_id
      WHERE p.payments IS NULL OR p.payments <> 1 OR p.amount <> o.final_amount OR p.payer <> o.user_id`,
  },
  {
    id: 'order-event',
    group: 4,
    title: 'exactly one event',
    looksAt: ['orders', 'events'],
    violations: `SELECT o.order_id, COALESCE(e.events, 0) AS events FROM orders o
      LEFT JOIN (SELECT order_id, COUNT(*) AS events FROM events GROUP BY order_id) e ON e.order_id = o.order_id
      WHERE COALESCE(e.events, 0) <> 1`,
  },
  {
    id: 'event-failed',
    group: 4,
    title: 'no event was given up',
    looksAt: ['events'],
    violations: 'SELECT order_id, failed FROM events WHERE failed = 1',
  },
  {
    id: 'order-coupon',
    group: 4,
    title: 'a coupon is used ⇔ exactly one order names it',
    looksAt: ['user_coupons', 'orders'],
    violations: `SELECT user_id, coupon_id, SUM(held) AS held, SUM(used) AS used, SUM(named) AS orders
      FROM (SELECT user_id, coupon_id, 1 AS held, used, 0 AS named FROM user_coupons
        UNION ALL SELECT user_id, coupon_id, 0, 0, 1 FROM orders WHERE coupon_id IS NOT NULL) mentioned
      GROUP BY user_id, coupon_id HAVING SUM(named) <> SUM(used) OR SUM(named) > 1 OR SUM(held) = 0`,
  },
  {
    id: 'order-orphans',
    group: 4,
    title: 'every item, payment and event has its order, every order its user',
    looksAt: ['order_items', 'payments', 'events', 'orders'],
    needs: ['wallets'],
    violations: `SELECT 'item' AS kind, i.order_id AS id, i.product_id AS belongs_to
        FROM (SELECT order_id, MIN(product_id) AS product_id FROM order_items GROUP BY order_id) i
        LEFT JOIN orders o ON o.order_id = i.order_id WHERE o.order_id IS NULL
      UNION ALL SELECT 'payment', p.order_id, p.user_id
        FROM payments p LEFT JOIN orders o ON o.order_id = p.order_id WHERE o.order_id IS NULL
      UNION ALL SELECT 'event', e.order_id, NULL
        FROM events e LEFT JOIN orders o ON o.order_id = e.order_id WHERE o.order_id IS NULL
      UNION ALL SELECT 'order', o.order_id, o.user_id
        FROM orders o LEFT JOIN wallets w ON w.user_id = o.user_id WHERE w.user_id IS NULL`,
  },
];
