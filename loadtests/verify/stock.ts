import type { SetCheck } from './check.ts';

const sold = 'SELECT product_id, SUM(quantity) AS sold FROM order_items GROUP BY product_id';

export const stockChecks: SetCheck[] = [
  {
    id: 'stock-sum',
    group: 3,
    title: 'baseline − sold = quantity',
    looksAt: ['stock', 'order_items'],
    baseline: 'stock',
    // Nothing adds products under load: one without a baseline, or sold without a stock row, is a violation itself.
    violations: `SELECT s.product_id, b.value AS baseline, COALESCE(o.sold, 0) AS sold, s.quantity
        FROM stock s
        LEFT JOIN baselines b ON b.kind = 'stock' AND b.id = s.product_id
        LEFT JOIN (${sold}) o ON o.product_id = s.product_id
        WHERE b.value IS NULL OR b.value - COALESCE(o.sold, 0) <> s.quantity
      UNION ALL SELECT o.product_id, NULL, o.sold, NULL
        FROM (${sold}) o LEFT JOIN stock s ON s.product_id = o.product_id WHERE s.product_id IS NULL`,
  },
  {
    id: 'stock-negative',
    group: 3,
    title: 'quantity ≥ 0',
    looksAt: ['stock'],
    violations: 'SELECT product_id, quantity FROM stock WHERE quantity < 0',
  },
];
