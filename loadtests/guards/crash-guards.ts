// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import type { Guard } from './guards.ts';

const CRASHES = 'faults/crash-points';

/** What makes a crash whole: each is turned round, and the process killed where that matters. */
export const CRASH_GUARDS: Guard[] = [
  {
    name: 'crash: a promise keeps its request’s key',
    prevents: 'a promise whose answer was lost being refused as a second one',
    file: 'services/coupon/gate.ts',
    find: "local replayed = key ~= '' and string.sub(known, bar + 1) == key",
    replace: 'local replayed = false',
    tests: CRASHES,
    named: 'issue:gate-answered',
  },
  {
    name: 'crash: promises are deleted once Kafka has them',
    prevents: 'promises that are neither in the stream nor in Kafka',
    file: 'services/coupon/relay-promises.ts',
    find: `  await producer.send({
    topic: names.couponTopic,
`,
    // Twice: the process dies the second time.
    replace: `  await redis.xdel(names.stream, ...entries.map(([id]) => id));
  crashPoint('relay:acknowledged');
  crashPoint('relay:acknowledged');
  await producer.send({
    topic: names.couponTopic,
`,
    tests: CRASHES,
    named: 'relay:acknowledged',
  },
  {
    name: 'crash: the offset comes after the work',
    prevents: 'promises that are read and never settled, rejected ones that keep their place',
    file: 'services/core/consume.ts',
    find: '      await work();\n',
    replace: `      await commitOffsetsIfNecessary({
        topics: [
          { topic: batch.topic, partitions: [{ partition: batch.partition, offset: String(BigInt(batch.lastOffset()) + 1n) }] },
        ],
      });
      await work();
`,
    tests: CRASHES,
    named: 'consumer:received|settle:written|settle:committed|consumer:buried',
  },
  {
    name: 'crash: coupons and their count are one transaction',
    prevents: 'coupons that the coupon’s count does not know',
    file: 'services/coupon/settle.ts',
    find: `    const [inserted, counted] = await tx.locking(
      'coupon_row',
      insertCoupons(known),
      countIssued(couponId, generation, known.length),
    );
    // Which of them were new is not to be told afterwards; or they do not all fit.
    if (inserted < known.length || counted === 0) throw new NeedsCoupon();
    crashPoint('settle:written');
`,
    replace: `    const [inserted] = await tx.run(insertCoupons(known));
    await tx.write('COMMIT');
    crashPoint('settle:written');
    const [counted] = await tx.run(countIssued(couponId, generation, inserted));
    if (counted === 0) throw new NeedsCoupon();
`,
    tests: CRASHES,
    named: 'settle:written',
  },
  {
    name: 'crash: new rows are counted',
    prevents: 'a batch that is done again counting twice',
    file: 'services/coupon/settle.ts',
    find: 'if (inserted < known.length || counted === 0) throw new NeedsCoupon();',
    replace: 'if (counted === 0) throw new NeedsCoupon();',
    tests: CRASHES,
    named: 'consumer:settled',
  },
  {
    name: 'crash: a gate is closed before its users go',
    prevents: 'an open gate that has forgotten who has the coupon',
    file: 'services/coupon/rebuild-gate.ts',
    find: "    await step(names.gate(couponId), 'DEL');\n",
    replace: '',
    tests: CRASHES,
    named: 'rebuild:emptied',
  },
  {
    name: 'crash: a gate is written last',
    prevents: 'an open gate that does not know yet who has the coupon',
    file: 'services/coupon/rebuild-gate.ts',
    find: "    await step(names.admitted(couponId), 'DEL');\n",
    replace: `    await step(names.admitted(couponId), 'DEL');
    await step(names.gate(couponId), 'HSET', 'instance', runId, 'generation', coupon.generation, 'limit',
      coupon.total_quantity, 'from', coupon.valid_from.getTime(), 'until', coupon.valid_until.getTime());
`,
    tests: CRASHES,
    named: 'rebuild:emptied',
  },
  {
    name: 'rebuild: only the last one begun writes',
    prevents: 'a gatekeeper that slept through the loss of its lock opening a gate as it was before',
    file: 'services/coupon/rebuild-gate.ts',
    find: "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n",
    replace: '',
    tests: 'faults/two-gatekeepers',
    named: 'undo each other',
  },
  {
    name: 'crash: a charge and its balance are one transaction',
    prevents: 'a charge that the balance does not have',
    file: 'services/balance/charge.ts',
    find: `    if (rows.length > 0) tx.last(insertCharges(rows), writeBalances([...changed]));
    crashPoint('charge:computed');
`,
    replace: `    if (rows.length > 0) {
      await tx.run(insertCharges(rows));
      await tx.write('COMMIT');
      crashPoint('charge:computed');
      await tx.run(writeBalances([...changed]));
    }
`,
    tests: CRASHES,
    named: 'charge:computed',
  },
  {
    name: 'crash: the keys of charges are looked up',
    prevents: 'a charge whose answer was lost failing for ever, or being made twice',
    file: 'services/balance/charge.ts',
    find: 'const before = known.get(`${charge.userId} ${charge.key}`);',
    replace: 'const before = undefined as KnownCharge | undefined;',
    tests: CRASHES,
    named: 'charge:committed|commit:sent#5 .."balance-api',
  },
  {
    name: 'crash: an order and its stock are one transaction',
    prevents: 'an order for which nothing was taken',
    file: 'services/order/checkout.ts',
    find: `  tx.lastLocking('stock_row', ...takeFromStock(taken));
  crashPoint('order:computed');
`,
    replace: `  await tx.run(...insertOrders(orders), writeBalances(orders.map(({ wallet }) => wallet)));
  await tx.write('COMMIT');
  crashPoint('order:computed');
  tx.lastLocking('stock_row', ...takeFromStock(taken));
`,
    tests: CRASHES,
    named: 'order:computed',
  },
  {
    name: 'crash: the keys of orders are looked up',
    prevents: 'an order whose answer was lost failing for ever, or being placed twice',
    file: 'services/order/checkout.ts',
    find: 'const before = placed.get(`${checkout.userId} ${checkout.key}`);',
    replace: 'const before = undefined as ReturnType<typeof placed.get>;',
    tests: CRASHES,
    named: 'order:committed|commit:sent#5 .."order-api',
  },
  {
    name: 'crash: events are marked once Kafka has them',
    prevents: 'an event that nobody will ever send',
    file: 'services/core/outbox.ts',
    find: `    const failures = await sendEvents(deps, producer, events);
    crashPoint('outbox:acknowledged');
`,
    replace: `    const sure = events.map(({ id }) => id);
    await tx.write("UPDATE outbox_events SET status = 'PUBLISHED', published_at = NOW(3) WHERE id IN (?)", [sure]);
    await tx.write('COMMIT');
    crashPoint('outbox:acknowledged');
    const failures = await sendEvents(deps, producer, events);
`,
    tests: CRASHES,
    named: 'outbox:acknowledged',
  },
  {
    name: 'outbox: looks at the whole backlog',
    prevents: 'an event staying behind for ever that a later one was published before',
    file: 'services/core/outbox.ts',
    find: 'publishBatch(deps, producer, whole ? 0 : from)',
    replace: 'publishBatch(deps, producer, from)',
    tests: 'services/core/outbox',
    named: 'comes to light late',
  },
  {
    name: 'messages without a key have a partition',
    prevents: 'an unreadable message stopping its partition for ever, since nothing can bury it',
    file: 'services/core/partition-by-key.ts',
    find: 'if (message.key == null || message.partition != null) return others(args);',
    replace: "if (message.key == null) throw new Error('no key');",
    tests: 'services/core/partition',
    named: 'without a key',
  },
  {
    name: 'ranking: what Redis does not read is passed over',
    prevents: 'one message stopping the ranking of its partition for ever',
    file: 'services/catalog/ranking-projection.ts',
    find: 'z.string().refine((id) => id.isWellFormed())',
    replace: 'z.string()',
    tests: 'services/catalog/ranking',
    named: 'surrogate pair',
  },
  {
    name: 'ranking: an event counts once',
    prevents: 'an event that a relay sent twice counting twice',
    file: 'services/catalog/ranking-projection.ts',
    find: "redis.call('SETBIT', KEYS[bitmap], event[2], 1) == 0",
    replace: "redis.call('SETBIT', KEYS[bitmap], event[2], 1) >= 0",
    tests: 'services/catalog/ranking',
    named: 'however often it was sent',
  },
  {
    name: 'deadlocks and lock waits: the whole transaction again',
    prevents: 'a request failing because somebody else held its row for a moment',
    file: 'services/core/mysql.ts',
    find: '        if (!reason) throw error;\n',
    replace: '        if (error) throw error;\n',
    tests: 'faults/row-locks',
    named: 'run again',
  },
  {
    name: 'coupon messages: generation',
    prevents: 'a message of an earlier sale becoming a coupon of this one',
    file: 'services/coupon/settle.ts',
    find: 'if (promise.generation === generation && !current.has(promise.userId))',
    replace: 'if (!current.has(promise.userId))',
    tests: 'faults/messages',
    named: 'doubled, shuffled',
  },
  {
    name: 'redrive: all attempts anew',
    prevents: 'a redriven event being given up after its first failure',
    file: 'services/admin/outbox.ts',
    find: "SET status = 'PENDING', attempts = 0,",
    replace: "SET status = 'PENDING',",
    tests: 'services/admin/outbox',
    named: 'all attempts before it',
  },
];
