import { createHook } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { stack } from '../../loadtests/test/stack.ts';
import { openKafka } from './kafka.ts';

describe('a Kafka client', () => {
  it('that has nothing to do sets no timer after timer, and works', async () => {
    const { kafkaBrokers, namespace } = stack().env;
    const kafka = openKafka({ kafkaBrokers: [kafkaBrokers], namespace }, 'idle');
    const admin = kafka.admin();
    await admin.connect();
    await admin.listTopics();
    let timers = 0;
    const hook = createHook({
      init(_, type) {
        if (type === 'Timeout') timers++;
      },
    }).enable();
    await sleep(1_000);
    hook.disable();
    expect(timers).toBeLessThan(50);
    expect(await Promise.all(Array.from({ length: 50 }, () => admin.listTopics()))).toHaveLength(50);
    await admin.disconnect();
  });
});
