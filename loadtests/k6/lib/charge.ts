import { Counter } from 'k6/metrics';
import type { ChargeRequest, ChargeResponse } from '../../../services/balance/contract.ts';
import { definite } from './definite.ts';
import { Results } from './results.ts';

const results = new Results('charge', ['U002']);
/** Money is summed beside the counts: the verifier compares both with the rows. */
const sentWon = new Counter('charge_sent_won');
const acknowledgedWon = new Counter('charge_acknowledged_won');

export function charge(userId: string, amount: number): void {
  const body: ChargeRequest = { amount };
  sentWon.add(amount);
  const answer = definite(results, `/api/users/${userId}/balance/charge`, body);
  if (answer) acknowledgedWon.add((JSON.parse(answer.body) as ChargeResponse).chargedAmount);
}

/** 1,000 to 10,000 won, so that a count alone does not give the sum. */
export const randomAmount = (): number => 1_000 * (1 + Math.floor(Math.random() * 10));
