import { leftByScavenge } from '../../loadtests/test/left-by-scavenge.ts';
import { Coalescer } from './coalesce.ts';
import { type Outcome, refuse } from './refusals.ts';

/** Work that ends when told to, and counts how often it was begun. */
function work() {
  let began = 0;
  let end: (outcome: Outcome<number>) => void = () => {};
  let fail: (error: Error) => void = () => {};
  return {
    begun: () => began,
    run: () => {
      began++;
      return new Promise<Outcome<number>>((resolve, reject) => {
        end = resolve;
        fail = reject;
      });
    },
    end: (outcome: Outcome<number>) => end(outcome),
    fail: (error: Error) => fail(error),
  };
}

describe('requests of one key at the same time', () => {
  it('share one execution; only the followers’ answers are replays', async () => {
    const coalescer = new Coalescer<number>();
    const { run, end, begun } = work();
    const answers = Array.from({ length: 5 }, () => coalescer.run('k', 'body', run));
    end({ ok: true, value: 7 });
    const [first, ...others] = await Promise.all(answers);
    expect(begun()).toBe(1);
    expect(first).toEqual({ ok: true, value: 7 });
    expect(others).toEqual(Array(4).fill({ ok: true, value: 7, replayed: true }));
  });

  it('share a refusal and a failure alike', async () => {
    const coalescer = new Coalescer<number>();
    const refused = work();
    const both = [coalescer.run('k', 'b', refused.run), coalescer.run('k', 'b', refused.run)];
    refused.end(refuse('PAY001'));
    expect(await Promise.all(both)).toEqual([refuse('PAY001'), refuse('PAY001')]);
    const failed = work();
    const failing = [coalescer.run('k', 'b', failed.run), coalescer.run('k', 'b', failed.run)];
    failed.fail(new Error('engine away'));
    expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([refused.begun(), failed.begun()]).toEqual([1, 1]);
  });

  it('with another body are refused at once and disturb nothing', async () => {
    const coalescer = new Coalescer<number>();
    const { run, end, begun } = work();
    const first = coalescer.run('k', 'amount 1', run);
    expect(await coalescer.run('k', 'amount 2', run)).toEqual(refuse('I422'));
    end({ ok: true, value: 1 });
    expect(await first).toEqual({ ok: true, value: 1 });
    expect(begun()).toBe(1);
  });

  it('are executed anew once the first has ended, whichever way', async () => {
    const coalescer = new Coalescer<number>();
    const failed = work();
    const first = coalescer.run('k', 'b', failed.run);
    failed.fail(new Error('engine away'));
    await expect(first).rejects.toThrow('engine away');
    const next = work();
    const second = coalescer.run('k', 'another body', next.run);
    next.end({ ok: true, value: 2 });
    expect(await second).toEqual({ ok: true, value: 2 });
  });

  it('of different keys do not share', async () => {
    const coalescer = new Coalescer<number>();
    const [one, two] = [work(), work()];
    const answers = [coalescer.run('k1', 'b', one.run), coalescer.run('k2', 'b', two.run)];
    two.end({ ok: true, value: 2 });
    one.end({ ok: true, value: 1 });
    expect(await Promise.all(answers)).toEqual([
      { ok: true, value: 1 },
      { ok: true, value: 2 },
    ]);
  });

  it('leave nothing behind that only a full collection would free', async () => {
    const coalescer = new Coalescer<number[]>();
    const running: (() => Promise<unknown>)[] = [];
    const begin = (key: string) => {
      let end = (_: Outcome<number[]>) => {};
      const answer = coalescer.run(key, 'b', () => new Promise((resolve) => (end = resolve)));
      running.push(() => {
        // 10 kB each.
        end({ ok: true, value: Array(1_250).fill(running.length) });
        return answer;
      });
    };
    const [, ...left] = await leftByScavenge(5, async (round) => {
      for (let nth = 0; nth < 500; nth++) {
        begin(`key ${round} ${nth}`);
        if (running.length > 100) await running.shift()?.();
      }
    });
    // Of five million bytes.
    expect(Math.min(...left)).toBeLessThan(1_500_000);
  });
});
