import { Counter } from 'k6/metrics';
import type { ChargeRequest, ChargeResponse } from '../../../services/balance/contract.ts';
import { definite } from './definite.ts';
import { Results } from './results.ts';
import { weightOf } from './weight.ts';

const results = new Results('charge', ['U002']);
/** Money is summed beside the counts: the verifier compares both with the rows. */
const sentWon = new Counter('charge_sent_won');
const acknowledgedWon = new Counter('charge_acknowledged_won');
const sentWeighed = new Counter('charge_sent_weighed');
const acknowledgedWeighed = new Counter('charge_acknowledged_weighed');

export function charge(userId: string, amount: number): void {
  const body: ChargeRequest = { amount };
  sentWon.add(amount);
  sentWeighed.add(amount * weightOf(userId));
  const answer = definite(results, `/api/users/${userId}/balance/charge`, body);
  if (!answer) return;
  const { chargedAmount } = JSON.parse(answer.body) as ChargeResponse;
  acknowledgedWon.add(chargedAmount);
  acknowledgedWeighed.add(chargedAmount * weightOf(userId));
}

/** 1,000 to 10,000 won, so that a count alone does not give the sum. */
export const randomAmount = (): number => 1_000 * (1 + Math.floor(Math.random() * 10));
