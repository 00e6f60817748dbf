import { consume, untilDone } from '../../../services/core/consume.ts';
import { refuse } from '../../../services/core/refusals.ts';
import type { CouponStrategy, Deps, IssueRequest } from '../strategy.ts';
import { accepted, type Coupon } from './coupon.ts';

/** How old the gate's knowledge may be: a quarter of a second, which few would call stale. Milliseconds. */
const LIFE = 250;

/** A request that passed the gate, on its way to the consumer. */
interface Message extends IssueRequest {
  generation: string;
}

/**
 * Broken: a stale gate. What is left of a coupon is kept in Redis for a quarter of a second, and asked of MySQL again
 * after that (cache-aside). Who comes while something is left is promised a coupon; the consumer trusts the gate.
 *
 * It is fast, and users are told apart rightly (SADD says who is new). But the number it judges by was true a moment ago:
 * until it is read anew everybody passes, and even then promises that the consumer has not got to are missing from it. So
 * does any gate speak whose state may be older than promises already given: a replica that took over with a lag, a
 * Redis restored from yesterday's file, a rebuild that did not wait for the queue. Ours counts its own promises, closes
 * under another Redis, waits for the queue before it opens again, and has MySQL's count behind it.
 */
export const staleGate: CouponStrategy = async (deps) => {
  const { redis, kafka, names, namespace, atStop } = deps;
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  atStop(() => producer.disconnect());
  await startConsumer(deps);

  return async (request, deadline) => {
    const { couponId, userId } = request;
    const gate = await readGate(deps, couponId, deadline);
    if (!gate) return refuse('C404');
    if (gate.left <= 0) return refuse('C001');
    if ((await redis.sadd(`${namespace}:lab:promised:${gate.generation}:${couponId}`, userId)) === 0)
      return refuse('C006');
    const message: Message = { ...request, generation: gate.generation };
    await producer.send({
      topic: names.couponTopic,
      acks: -1,
      messages: [{ key: `${couponId}:${userId}`, value: JSON.stringify(message) }],
    });
    return accepted(request, 1);
  };
};

interface Gate {
  left: number;
  generation: string;
}

async function readGate(
  { redis, pool, namespace }: Deps,
  couponId: string,
  deadline: number,
): Promise<Gate | undefined> {
  const key = `${namespace}:lab:left:${couponId}`;
  const known = await redis.get(key);
  if (known !== null) return JSON.parse(known) as Gate;
  const [coupon] = await pool.rows<Pick<Coupon, 'total' | 'issued' | 'generation'>>(
    deadline,
    'SELECT total_quantity AS total, issued_quantity AS issued, generation FROM coupons WHERE id = ?',
    [couponId],
  );
  if (!coupon) return undefined;
  const gate = { left: coupon.total - coupon.issued, generation: coupon.generation };
  await redis.set(key, JSON.stringify(gate), 'PX', LIFE);
  return gate;
}

async function startConsumer({ pool, kafka, names, logger, atStop }: Deps): Promise<void> {
  const consumer = await consume({
    kafka,
    logger,
    groupId: names.consumerGroup,
    topic: names.couponTopic,
    eachBatch: (payload) =>
      untilDone(payload, logger, async () => {
        const messages = payload.batch.messages.map(({ value }) => JSON.parse(String(value)) as Message);
        for (const [couponId, of] of Map.groupBy(messages, (message) => message.couponId))
          await issueAll(pool, couponId, of);
      }),
  });
  atStop(() => consumer.stop());
}

/** Trusts the gate: neither the total nor the users are looked at again. */
function issueAll(pool: Deps['pool'], couponId: string, messages: Message[]): Promise<void> {
  return pool.transaction(Date.now() + 10_000, async (tx) => {
    const [coupon] = await tx.rows<{ generation: string }>('SELECT generation FROM coupons WHERE id = ?', [couponId]);
    // Others are left from an earlier data set.
    const current = messages.filter(({ generation }) => generation === coupon?.generation);
    if (current.length === 0) return;
    const now = new Date();
    await tx.write(
      `INSERT INTO user_coupons
         (user_id, coupon_id, idempotency_key, stream_id, topic_partition, topic_offset, accepted_at, issued_at)
       VALUES ?`,
      [current.map(({ userId, key }) => [userId, couponId, key, '', 0, 0, now, now])],
    );
    await tx.write('UPDATE coupons SET issued_quantity = issued_quantity + ? WHERE id = ?', [current.length, couponId]);
  });
}
