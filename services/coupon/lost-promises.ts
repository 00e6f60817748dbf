import type { Redis } from 'ioredis';
import { Op } from 'sequelize';
import type { Names } from '../core/names.ts';
import type { Models } from '../database/models.ts';

/**
 * Users to whom the gate has promised a coupon that is neither issued nor rejected, although everything that was promised
 * is settled: their promises were lost between Redis and MySQL. Call it in a rebuild, before the users are read back.
 *
 * Where Redis knows no more users than MySQL has coupons nobody is looked for: a loss of entries by which Redis forgot as
 * many users again would go unnoticed here, and is the verifier's to find.
 */
export async function lostPromises(
  { redis, models, names }: { redis: Redis; models: Models; names: Names },
  couponId: string,
): Promise<string[]> {
  const promised = await redis.hlen(names.admitted(couponId));
  if (promised === 0 || promised <= (await models.userCoupons.count({ where: { coupon_id: couponId } }))) return [];
  const lost: string[] = [];
  let cursor = '0';
  do {
    const [next, pairs] = await redis.hscan(names.admitted(couponId), cursor, 'COUNT', 1_000);
    cursor = next;
    const page = new Map<string, string>();
    for (let at = 0; at < pairs.length; at += 2)
      page.set(pairs[at] as string, (pairs[at + 1] as string).split('|', 1)[0] as string);
    const of = { where: { coupon_id: couponId, user_id: { [Op.in]: [...page.keys()] } }, raw: true } as const;
    const issued = (await models.userCoupons.findAll({ attributes: ['user_id'], ...of })) as unknown as Row[];
    const rejected = (await models.couponRejections.findAll({
      attributes: ['user_id', 'stream_id'],
      ...of,
    })) as unknown as Row[];
    for (const { user_id } of issued) page.delete(user_id);
    for (const { user_id, stream_id } of rejected) if (page.get(user_id) === stream_id) page.delete(user_id);
    lost.push(...page.keys());
  } while (cursor !== '0');
  return lost;
}

interface Row {
  user_id: string;
  stream_id: string;
}
