import { stack } from './stack.ts';

/**
 * Links of a seeded user's wallet that are broken: a charge or payment that does not begin where the one before ended,
 * or a version that is missing or there twice.
 */
export function brokenLinks(userId: string): Promise<number> {
  return stack().value(
    `SELECT COUNT(*) FROM (
       SELECT previous_balance, balance_version,
              COALESCE(LAG(current_balance) OVER w, 1000000) AS expected_balance,
              COALESCE(LAG(balance_version) OVER w, 0) + 1 AS expected_version
         FROM (SELECT previous_balance, current_balance, balance_version FROM balance_charge_history WHERE user_id = ?
               UNION ALL
               SELECT previous_balance, current_balance, balance_version FROM payments WHERE user_id = ?) moves
       WINDOW w AS (ORDER BY balance_version)) chain
      WHERE previous_balance <> expected_balance OR balance_version <> expected_version`,
    [userId, userId],
  );
}
