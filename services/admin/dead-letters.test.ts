import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { runProgram } from '../../loadtests/test/run-program.ts';
import { eventually } from '../../loadtests/test/stack.ts';

let own: OwnStack;
beforeAll(async () => {
  own = await ownStack('dead', { topics: true });
}, 60_000);
afterAll(() => own.remove());

const run = (args: string[], env: Record<string, string> = {}) =>
  runProgram('services/admin/dead-letters.ts', args, { ...own.env, ...env });

describe('npm run dead-letters', () => {
  it('lists where each message came from, why it was moved and what it was', async () => {
    expect((await run([])).out).toBe(`0 dead letters in ${own.names.couponDeadTopic}; shown: 0\n`);

    const consumer = await own.start({ ROLES: 'coupon-consumer' });
    const producer = own.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({
      topic: own.names.couponTopic,
      acks: -1,
      messages: [
        { partition: 1, key: 'a', value: 'not json\u001b[2J' },
        { partition: 1, key: null, value: null },
        { partition: 1, key: 'c', value: JSON.stringify({ couponId: 'c', userId: 'u u', filler: 'x'.repeat(100) }) },
      ],
    });
    await producer.disconnect();
    const all = await eventually(
      () => run([]),
      ({ out }) => out.startsWith('offset') && out.includes('3 dead letters'),
      30_000,
    );
    const lines = all.out.trimEnd().split('\n');
    const place = (offset: number) => `${own.names.couponTopic}/1/${offset}`;
    expect(lines[1]).toMatch(/^0 +\d{4}-\d\d-\d\dT[\d:.]+Z /);
    // What others wrote is not sent to the terminal as it is.
    expect(lines[1]).toMatch(new RegExp(`${place(0)} +not JSON +a +not json\\\\x1b\\[2J$`));
    expect(lines[2]).toMatch(new RegExp(`${place(1)} +no value +\\(none\\) +\\(none\\)$`));
    expect(lines[3]).toMatch(new RegExp(`${place(2)} +userId: .*generation: .* +c +\\{"couponId":"c"`));
    expect(lines[4]).toBe(`3 dead letters in ${own.names.couponDeadTopic}; shown: 3`);
    expect(all.code).toBe(0);

    const [first, second] = (await run(['--limit', '2', '--json'])).out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first).toEqual({
      offset: '0',
      at: expect.any(String),
      from: place(0),
      reason: 'not JSON',
      key: 'a',
      value: 'not json\u001b[2J',
    });
    expect(second.value).toBeNull();
    await consumer.stop();
    const admin = own.kafka.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    expect(groups.filter(({ groupId }) => groupId.startsWith(own.names.couponDeadTopic))).toEqual([]);
  }, 90_000);

  it('says what is wrong in one line', async () => {
    const [limit, unknown, missing, away] = await Promise.all([
      run(['--limit', 'all']),
      run(['--list']),
      run([], { ONRUSH_NAMESPACE: 'nobody' }),
      run([], { KAFKA_BROKERS: '127.0.0.1:1' }),
    ]);
    expect(limit.err).toBe('BadOption: --limit "all": expected a whole number from 1 to 999999\n');
    expect(unknown.err).toContain("Unknown option '--list'");
    expect(missing.err).toContain('the topic nobody.coupon-issue.dead is missing; npm run migrate creates it');
    expect(away.err).toMatch(/^Error: Kafka at 127\.0\.0\.1:1 is out of reach \(.+\)\n$/);
    expect([limit, unknown, missing, away].map(({ code }) => code)).toEqual([2, 2, 2, 2]);
  }, 60_000);
});
