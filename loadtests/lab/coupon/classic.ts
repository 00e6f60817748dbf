import { consume, untilDone } from '../../../services/core/consume.ts';
import { newId } from '../../../services/core/ids.ts';
import type { Tx } from '../../../services/core/mysql.ts';
import { refuse } from '../../../services/core/refusals.ts';
import { redlocked } from '../redlock.ts';
import type { CouponStrategy, Deps, IssueRequest } from '../strategy.ts';
import { accepted, answerWithoutIssuing, type Rows, readAsker, readCoupon } from './coupon.ts';

/** A request that passed the checks, on its way to the consumer. */
interface Message extends IssueRequest {
  id: string;
  generation: string;
  acceptedAt: number;
}

/**
 * The classic flow: a Redlock on the coupon → check in MySQL → publish to Kafka → 202; a consumer issues under the unique
 * key of user and coupon.
 *
 * Right in the end: the unique key and the counter's condition in the consumer let nothing past, whatever was published.
 * Where it ends: the lock makes one line of all requests, each of which takes two round trips to Redis, two to MySQL and
 * one to Kafka while it holds it; and yet the check reads what the consumer has issued, not what was published before it.
 * So more are told 202 than there are coupons, and the rest are rejected behind their backs: the lock costs most of the
 * rate and protects nothing.
 */
export const classic: CouponStrategy = async (deps) => {
  const { pool, kafka, names, atStop } = deps;
  const locked = redlocked(deps);
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  atStop(() => producer.disconnect());
  await startConsumer(deps);

  return (request, deadline) =>
    locked(`coupon:${request.couponId}`, deadline, async () => {
      const rows: Rows = (sql, values) => pool.rows(deadline, sql, values);
      const coupon = await readCoupon(rows, request.couponId);
      if (!coupon) return refuse('C404');
      const answer = answerWithoutIssuing(request, coupon, await readAsker(rows, request));
      if (answer) return answer;
      const message: Message = {
        ...request,
        id: newId('msg'),
        generation: coupon.generation,
        acceptedAt: Date.now(),
      };
      await producer.send({
        topic: names.couponTopic,
        acks: -1,
        messages: [{ key: `${request.couponId}:${request.userId}`, value: JSON.stringify(message) }],
      });
      return accepted(request, coupon.issued + 1);
    });
};

async function startConsumer({ pool, kafka, names, logger, atStop }: Deps): Promise<void> {
  const consumer = await consume({
    kafka,
    logger,
    groupId: names.consumerGroup,
    topic: names.couponTopic,
    eachBatch: (payload) =>
      untilDone(payload, logger, async () => {
        for (const { value } of payload.batch.messages) {
          const message = JSON.parse(String(value)) as Message;
          await pool.transaction(Date.now() + 10_000, (tx) => issue(tx, message));
          await payload.heartbeat();
        }
      }),
  });
  atStop(() => consumer.stop());
}

/** Issues what was published, or writes down why not. A message that comes again changes nothing. */
async function issue(tx: Tx, message: Message): Promise<void> {
  const { couponId, userId, key, id, generation, acceptedAt } = message;
  // Left from an earlier data set.
  if ((await readCoupon(tx.rows, couponId))?.generation !== generation) return;
  const inserted = await tx.write(
    `INSERT IGNORE INTO user_coupons
       (user_id, coupon_id, idempotency_key, stream_id, topic_partition, topic_offset, accepted_at, issued_at)
     VALUES (?)`,
    [[userId, couponId, key, id, 0, 0, new Date(acceptedAt), new Date()]],
  );
  if (inserted.affectedRows === 0) {
    const [held] = await tx.rows<{ stream_id: string }>(
      'SELECT stream_id FROM user_coupons WHERE user_id = ? AND coupon_id = ?',
      [userId, couponId],
    );
    if (held?.stream_id !== id) await reject(tx, message, 'ALREADY');
    return;
  }
  const counted = await tx.write(
    'UPDATE coupons SET issued_quantity = issued_quantity + 1 WHERE id = ? AND issued_quantity < total_quantity',
    [couponId],
  );
  if (counted.affectedRows === 1) return;
  await tx.write('DELETE FROM user_coupons WHERE user_id = ? AND coupon_id = ?', [userId, couponId]);
  await reject(tx, message, 'SOLD_OUT');
}

const reject = (tx: Tx, { couponId, userId, id, generation }: Message, reason: string) =>
  tx.write(
    `INSERT IGNORE INTO coupon_rejections
       (coupon_id, user_id, stream_id, generation, reason, topic_partition, topic_offset, rejected_at)
     VALUES (?)`,
    [[couponId, userId, id, generation, reason, 0, 0, new Date()]],
  );
