import type { SetCheck } from './check.ts';

const perCoupon = 'SELECT coupon_id, COUNT(*) AS issued_rows FROM user_coupons GROUP BY coupon_id';

export const couponChecks: SetCheck[] = [
  {
    id: 'coupon-total',
    group: 1,
    title: 'issued rows ≤ total quantity',
    looksAt: ['user_coupons'],
    needs: ['coupons'],
    violations: `SELECT c.coupon_id, c.total_quantity, u.issued_rows
      FROM coupons c JOIN (${perCoupon}) u ON u.coupon_id = c.coupon_id
      WHERE u.issued_rows > c.total_quantity`,
  },
  {
    id: 'coupon-once',
    group: 1,
    title: 'issued rows = distinct users',
    looksAt: ['user_coupons'],
    violations: `SELECT user_id, coupon_id, COUNT(*) AS issued_rows FROM user_coupons
      GROUP BY user_id, coupon_id HAVING COUNT(*) > 1`,
  },
  {
    id: 'coupon-counted',
    group: 1,
    title: 'issued rows = issued_quantity',
    looksAt: ['user_coupons'],
    needs: ['coupons'],
    violations: `SELECT c.coupon_id, c.issued_quantity, COALESCE(u.issued_rows, 0) AS issued_rows
      FROM coupons c LEFT JOIN (${perCoupon}) u ON u.coupon_id = c.coupon_id
      WHERE c.issued_quantity <> COALESCE(u.issued_rows, 0)`,
  },
  {
    id: 'coupon-orphans',
    group: 1,
    title: 'every issued coupon has its user and its coupon',
    looksAt: ['user_coupons'],
    needs: ['coupons', 'wallets'],
    violations: `SELECT u.user_id, u.coupon_id, w.user_id IS NULL AS no_user, c.coupon_id IS NULL AS no_coupon
      FROM user_coupons u
      LEFT JOIN wallets w ON w.user_id = u.user_id
      LEFT JOIN coupons c ON c.coupon_id = u.coupon_id
      WHERE w.user_id IS NULL OR c.coupon_id IS NULL`,
  },
];
