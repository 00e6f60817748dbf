import type { SetCheck } from './check.ts';

const sold = 'SELECT product_id, SUM(quantity) AS sold FROM order_items GROUP BY product_id';

export const stockChecks: SetCheck[] = [
  {
    id: 'stock-sum',
    group: 3,
    title: 'baseline − sold = quantity',
    looksAt: ['stock', 'order_items'],
    baseline: 'stock',
    // Nothing adds or removes products under load: stock without a baseline, and a baseline or a sale without stock, are
    // violations themselves.
    violations: `SELECT s.product_id, b.value AS baseline, COALESCE(o.sold, 0) AS sold, s.quantity
        FROM stock s
        LEFT JOIN baselines b ON b.kind = 'stock' AND b.id = s.product_id
        LEFT JOIN (${sold}) o ON o.product_id = s.product_id
        WHERE b.value IS NULL OR b.value - COALESCE(o.sold, 0) <> s.quantity
      UNION ALL SELECT known.product_id, MAX(known.baseline), MAX(known.sold), NULL
        FROM (SELECT id AS product_id, value AS baseline, NULL AS sold FROM baselines WHERE kind = 'stock'
          UNION ALL SELECT product_id, NULL, sold FROM (${sold}) o) known
        LEFT JOIN stock s ON s.product_id = known.product_id
        WHERE s.product_id IS NULL GROUP BY known.product_id`,
  },
  {
    id: 'stock-negative',
    group: 3,
    title: 'quantity ≥ 0',
    looksAt: ['stock'],
    violations: 'SELECT product_id, quantity FROM stock WHERE quantity < 0',
  },
];
