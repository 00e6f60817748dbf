import type { Redis } from 'ioredis';
import type { Names } from '../core/names.ts';
import { type Outcome, refuse } from '../core/refusals.ts';
import type { Models } from '../database/models.ts';
import type { IssueStatusResponse } from './contract.ts';

/**
 * What became of a user's request. A coupon that MySQL holds is issued whatever Redis says; a promise that Redis holds
 * and MySQL does not is pending; what is neither was rejected, or never asked for. With Redis away only what MySQL
 * knows is answered.
 */
export async function issueStatus(
  { models, redis, names }: { models: Models; redis: Redis; names: Names },
  couponId: string,
  userId: string,
): Promise<Outcome<IssueStatusResponse>> {
  const answer = (status: IssueStatusResponse['status']): Outcome<IssueStatusResponse> => ({
    ok: true,
    value: { couponId, userId, status },
  });
  const of = { where: { coupon_id: couponId, user_id: userId } };
  if ((await models.coupons.count({ where: { id: couponId } })) === 0) return refuse('C404');
  const promised = await redis.hexists(names.admitted(couponId), userId).catch(() => 0);
  if ((await models.userCoupons.count(of)) > 0) return answer('issued');
  if (promised) return answer('pending');
  return answer((await models.couponRejections.count(of)) > 0 ? 'rejected' : 'none');
}
