import type { IssueRequest, IssueResponse, IssueStatusResponse } from '../../../services/coupon/contract.ts';
import { definite } from './definite.ts';
import { COUPON } from './environment.ts';
import { read } from './read.ts';
import { Results } from './results.ts';

/** C006: drawn twice. C001: sold out. C002: the drop has not begun or is over. */
const results = new Results('coupon', ['C001', 'C002', 'C006']);

/** Asks for the coupon; true if it was promised now. */
export function issue(userId: string): boolean {
  const body: IssueRequest = { userId };
  return definite(results, `/api/coupons/${COUPON}/issue`, body) !== undefined;
}

/** The same, and reads the answer, for scripts that are not about speed. */
export function issueAndRead(userId: string): IssueResponse | undefined {
  const body: IssueRequest = { userId };
  const answer = definite(results, `/api/coupons/${COUPON}/issue`, body);
  return answer && (JSON.parse(answer.body) as IssueResponse);
}

export function issueStatus(userId: string): IssueStatusResponse['status'] {
  const response = read(`/api/coupons/${COUPON}/issues/${userId}`);
  return response.status === 200 ? (JSON.parse(response.body) as IssueStatusResponse).status : 'pending';
}
