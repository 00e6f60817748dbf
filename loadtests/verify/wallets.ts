import type { SetCheck } from './check.ts';

const entries = `SELECT user_id, balance_version, previous_balance, current_balance FROM charges
  UNION ALL SELECT user_id, balance_version, previous_balance, current_balance FROM payments`;

/** Each entry of a wallet beside the one before it, which is NULL for the first. */
const ordered = `SELECT user_id, balance_version, previous_balance,
    LAG(current_balance) OVER wallet AS balance_before, LAG(balance_version) OVER wallet AS version_before
  FROM (${entries}) entry WINDOW wallet AS (PARTITION BY user_id ORDER BY balance_version)`;

const perUser = (source: 'charges' | 'payments') =>
  `SELECT user_id, SUM(amount) AS won, MAX(balance_version) AS version FROM ${source} GROUP BY user_id`;

/** A user that came after the baselines were taken began with nothing; one that went, took money along. */
export const walletChecks: SetCheck[] = [
  {
    id: 'wallet-balance',
    group: 2,
    title: 'baseline + charges − payments = balance; last version = the wallet’s',
    looksAt: ['wallets', 'charges', 'payments'],
    baseline: 'wallet',
    violations: `SELECT user_id, baseline, charges, payments, balance, last_version, balance_version
      FROM (SELECT w.user_id, w.balance, w.balance_version, COALESCE(b.value, 0) AS baseline,
          COALESCE(c.won, 0) AS charges, COALESCE(p.won, 0) AS payments,
          GREATEST(COALESCE(b.version, 0), COALESCE(c.version, 0), COALESCE(p.version, 0)) AS last_version
        FROM wallets w
        LEFT JOIN baselines b ON b.kind = 'wallet' AND b.id = w.user_id
        LEFT JOIN (${perUser('charges')}) c ON c.user_id = w.user_id
        LEFT JOIN (${perUser('payments')}) p ON p.user_id = w.user_id) summed
      WHERE baseline + charges - payments <> balance OR last_version <> balance_version
      UNION ALL SELECT b.id, b.value, NULL, NULL, NULL, NULL, NULL
        FROM baselines b LEFT JOIN wallets w ON w.user_id = b.id WHERE b.kind = 'wallet' AND w.user_id IS NULL`,
  },
  {
    id: 'wallet-step',
    group: 2,
    title: 'every charge adds its amount, every payment takes it',
    looksAt: ['charges', 'payments'],
    violations: `SELECT user_id, balance_version, amount, previous_balance, current_balance FROM charges
        WHERE current_balance <> previous_balance + amount
      UNION ALL SELECT user_id, balance_version, -amount, previous_balance, current_balance FROM payments
        WHERE current_balance <> previous_balance - amount`,
  },
  {
    id: 'wallet-chain',
    group: 2,
    title: 'every entry begins where the one before ended, versions without gaps',
    looksAt: ['charges', 'payments'],
    baseline: 'wallet',
    // Both in one pass: ordering the entries is the longest work of all checks.
    violations: `SELECT e.user_id, e.balance_version, COALESCE(e.version_before, b.version, 0) AS version_before,
        e.previous_balance, COALESCE(e.balance_before, b.value, 0) AS balance_before
      FROM (${ordered}) e
      LEFT JOIN baselines b ON e.version_before IS NULL AND b.kind = 'wallet' AND b.id = e.user_id
      WHERE e.previous_balance <> COALESCE(e.balance_before, b.value, 0)
        OR e.balance_version <> COALESCE(e.version_before, b.version, 0) + 1`,
  },
  {
    id: 'wallet-orphans',
    group: 2,
    title: 'every charge and payment has its wallet',
    looksAt: ['charges', 'payments'],
    needs: ['wallets'],
    violations: `SELECT e.user_id, e.entries
      FROM (SELECT user_id, COUNT(*) AS entries FROM charges GROUP BY user_id
        UNION ALL SELECT user_id, COUNT(*) FROM payments GROUP BY user_id) e
      LEFT JOIN wallets w ON w.user_id = e.user_id WHERE w.user_id IS NULL`,
  },
];
