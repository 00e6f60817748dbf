import fc, { type Scheduler } from 'fast-check';
import { Combiner, type CombinerOptions } from './combiner.ts';
import { Unavailable } from './unavailable.ts';

interface Request {
  n: number;
  key: string;
  poison: boolean;
  expired: boolean;
}
interface Result {
  answerTo: number;
}
interface Run {
  keys: string[];
  batch: number[];
  lanesBusy: number;
}
interface Setting {
  lanes: number;
  maxBatch: number;
  onePerKey: boolean;
}

const requests = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    poison: fc.boolean(),
    expired: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
);
const setting = fc.record({
  lanes: fc.integer({ min: 1, max: 4 }),
  maxBatch: fc.integer({ min: 1, max: 5 }),
  onePerKey: fc.boolean(),
});
const FAR = Number.MAX_SAFE_INTEGER;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets requests arrive and transactions end in whatever order the scheduler chooses. */
async function simulate(
  scheduler: Scheduler,
  { lanes, maxBatch, onePerKey }: Setting,
  plan: Omit<Request, 'n'>[],
  fault: (batch: Request[]) => Error | undefined = () => undefined,
) {
  const arrived: Request[] = [];
  const runs: Run[] = [];
  let running = 0;
  const combiner = new Combiner<Request, Result>({
    operation: 'other',
    lanes,
    maxBatch,
    maxQueue: 1_000,
    onePerKey,
    laneKey: ({ key }) => key,
    isShared: (error) => error instanceof Unavailable,
    async run(batch) {
      running++;
      runs.push({ keys: batch.map(({ key }) => key), batch: batch.map(({ n }) => n), lanesBusy: running });
      await scheduler.schedule(Promise.resolve(), `run ${batch.map(({ n }) => n)}`);
      running--;
      const error = fault(batch);
      if (error) throw error;
      return batch.map(({ n }) => ({ answerTo: n }));
    },
  });
  const answers = plan.map(async (given, n) => {
    await scheduler.schedule(Promise.resolve(), `arrival ${n}`);
    const request = { ...given, n };
    arrived.push(request);
    return combiner.submit(request, given.expired ? 0 : FAR);
  });
  const settled = await scheduler.waitFor(Promise.allSettled(answers));
  return { arrived, runs, settled };
}

const healthy = (plan: Omit<Request, 'n'>[]) => plan.map((request) => ({ ...request, poison: false, expired: false }));
const inTime = (plan: Omit<Request, 'n'>[]) => plan.map((request) => ({ ...request, expired: false }));

function check(
  property: (scheduler: Scheduler, how: Setting, plan: Omit<Request, 'n'>[]) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(fc.scheduler(), setting, requests, property), { numRuns: 150 });
}

describe('a combiner, however arrivals and transactions interleave', () => {
  it('gives every request exactly one answer, its own', () =>
    check(async (scheduler, how, plan) => {
      const { runs, settled } = await simulate(scheduler, how, healthy(plan));
      expect(settled).toEqual(plan.map((_, n) => ({ status: 'fulfilled', value: { answerTo: n } })));
      expect(runs.flatMap(({ batch }) => batch).sort((a, b) => a - b)).toEqual(plan.map((_, n) => n));
    }));

  it('serves the requests of one key in order of arrival', () =>
    check(async (scheduler, how, plan) => {
      const { arrived, runs } = await simulate(scheduler, how, healthy(plan));
      const served = runs.flatMap(({ batch }) => batch);
      for (const key of new Set(arrived.map((request) => request.key))) {
        const inOrder = arrived.filter((request) => request.key === key).map(({ n }) => n);
        expect(served.filter((n) => inOrder.includes(n))).toEqual(inOrder);
      }
    }));

  it('runs no batch above its size and no more batches at once than it has lanes', () =>
    check(async (scheduler, how, plan) => {
      const { runs } = await simulate(scheduler, how, healthy(plan));
      for (const { batch, lanesBusy } of runs) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(how.maxBatch);
        expect(lanesBusy).toBeLessThanOrEqual(how.lanes);
      }
    }));

  it('never has one key in two running batches', () =>
    check(async (scheduler, how, plan) => {
      const running = new Map<string, number>();
      let clashes = 0;
      const combiner = new Combiner<Request, number>({
        operation: 'other',
        lanes: how.lanes,
        maxBatch: how.maxBatch,
        maxQueue: 1_000,
        onePerKey: how.onePerKey,
        laneKey: ({ key }) => key,
        isShared: () => false,
        async run(batch) {
          const keys = new Set(batch.map(({ key }) => key));
          for (const key of keys) {
            if (running.get(key)) clashes++;
            running.set(key, 1);
          }
          await scheduler.schedule(Promise.resolve());
          for (const key of keys) running.delete(key);
          return batch.map(({ n }) => n);
        },
      });
      await scheduler.waitFor(
        Promise.all(
          plan.map(async (request, n) => {
            await scheduler.schedule(Promise.resolve());
            return combiner.submit({ ...request, n }, FAR);
          }),
        ),
      );
      expect(clashes).toBe(0);
    }));

  it('puts at most one request of a key into a batch where that is asked for', () =>
    check(async (scheduler, how, plan) => {
      const { runs } = await simulate(scheduler, { ...how, onePerKey: true }, healthy(plan));
      for (const { keys } of runs) expect(new Set(keys).size).toBe(keys.length);
    }));

  it('fails the poison requests only, each with its own error', () =>
    check(async (scheduler, how, plan) => {
      const { settled } = await simulate(scheduler, how, inTime(plan), (batch) => {
        const poison = batch.filter((request) => request.poison);
        return poison.length > 0 ? new Error(`poison ${poison.map(({ n }) => n)}`) : undefined;
      });
      for (const [n, { poison }] of plan.entries()) {
        if (poison) expect(settled[n]).toEqual({ status: 'rejected', reason: new Error(`poison ${n}`) });
        else expect(settled[n]).toEqual({ status: 'fulfilled', value: { answerTo: n } });
      }
    }));

  it('fails a batch once, without trying singly, where the engine is away', () =>
    check(async (scheduler, how, plan) => {
      const { runs, settled } = await simulate(scheduler, how, inTime(plan), (batch) =>
        batch.some((request) => request.poison) ? new Unavailable('COMMON503', 'engine away') : undefined,
      );
      const ran = runs.flatMap(({ batch }) => batch);
      expect(ran).toHaveLength(plan.length);
      for (const { batch } of runs) {
        const failed = batch.some((n) => plan[n]?.poison);
        for (const n of batch) expect(settled[n]?.status).toBe(failed ? 'rejected' : 'fulfilled');
      }
    }));

  it('refuses requests whose deadline has passed and never runs them', () =>
    check(async (scheduler, how, plan) => {
      const { runs, settled } = await simulate(
        scheduler,
        how,
        plan.map((request) => ({ ...request, poison: false })),
      );
      const ran = new Set(runs.flatMap(({ batch }) => batch));
      for (const [n, { expired }] of plan.entries()) {
        expect(ran.has(n)).toBe(!expired);
        if (expired) expect(settled[n]).toMatchObject({ status: 'rejected', reason: { code: 'COMMON503' } });
        else expect(settled[n]).toEqual({ status: 'fulfilled', value: { answerTo: n } });
      }
    }));
});

describe('a combiner', () => {
  /** Runs that end when told to. */
  function held(options: Partial<CombinerOptions<Request, Result>> = {}) {
    const runs: { batch: number[]; end(error?: Error): void }[] = [];
    const queue: number[] = [];
    const combiner = new Combiner<Request, Result>({
      operation: 'other',
      lanes: 1,
      maxBatch: 10,
      maxQueue: 3,
      laneKey: ({ key }) => key,
      isShared: (error) => error instanceof Unavailable,
      onQueue: (waiting) => queue.push(waiting),
      run: (batch) =>
        new Promise((resolve, reject) => {
          runs.push({
            batch: batch.map(({ n }) => n),
            end: (error) => (error ? reject(error) : resolve(batch.map(({ n }) => ({ answerTo: n })))),
          });
        }),
      ...options,
    });
    const submit = (n: number, deadline = FAR, key = 'a') =>
      combiner.submit({ n, key, poison: false, expired: false }, deadline);
    return { runs, queue, submit, combiner };
  }
  const reasonOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'answered',
      (error: { code?: string; message: string }) => error.code ?? error.message,
    );

  it('starts a lone request at once, and gathers those that arrive while it runs into one batch', async () => {
    const { runs, submit } = held();
    const first = submit(1);
    await turn();
    expect(runs.map(({ batch }) => batch)).toEqual([[1]]);
    const rest = [submit(2), submit(3)];
    await turn();
    expect(runs).toHaveLength(1);
    runs[0]?.end();
    expect(await first).toEqual({ answerTo: 1 });
    await turn();
    expect(runs.map(({ batch }) => batch)).toEqual([[1], [2, 3]]);
    runs[1]?.end();
    expect(await Promise.all(rest)).toEqual([{ answerTo: 2 }, { answerTo: 3 }]);
  });

  it('starts another transaction beside one that hangs, but not for those that wait for its keys', async () => {
    const { runs, submit } = held({ lanes: 2 });
    const hanging = submit(1, FAR, 'a');
    await turn();
    const same = submit(2, FAR, 'a');
    const other = submit(3, FAR, 'b');
    await turn();
    expect(runs.map(({ batch }) => batch)).toEqual([[1]]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(runs.map(({ batch }) => batch)).toEqual([[1], [3]]);
    runs[1]?.end();
    expect(await other).toEqual({ answerTo: 3 });
    await turn();
    expect(runs).toHaveLength(2);
    runs[0]?.end();
    await hanging;
    await turn();
    runs[2]?.end();
    expect(await same).toEqual({ answerTo: 2 });
  });

  it('serves others while one user’s requests wait behind one that hangs, however many', async () => {
    const { runs, submit } = held({ lanes: 2, maxBatch: 2, maxQueue: 100, maxWaitMs: 100 });
    // A batch takes long, as is known by now.
    for (let at = 0; at < 10; at++) {
      const one = submit(at);
      await turn();
      await new Promise((resolve) => setTimeout(resolve, 40));
      runs[at]?.end();
      await one;
    }
    void submit(10, FAR, 'a');
    await turn();
    const backlog = Array.from({ length: 100 }, (_, n) => reasonOf(submit(11 + n, FAR, 'a')));
    expect(await Promise.race([backlog[99], turn()])).toBe('COMMON503');
    const others = [submit(200, FAR, 'b'), submit(201, FAR, 'c')];
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(runs.slice(10).map(({ batch }) => batch)).toEqual([[10], [200, 201]]);
    runs[11]?.end();
    expect(await Promise.all(others)).toEqual([{ answerTo: 200 }, { answerTo: 201 }]);
  });

  it('fails a batch, and serves the next, where what is told of it throws', async () => {
    let told = 0;
    const { runs, submit } = held({
      onBatch: () => {
        if (told++ === 0) throw new Error('no metrics');
      },
    });
    expect(await reasonOf(submit(1))).toBe('no metrics');
    const next = submit(2);
    await turn();
    runs[0]?.end();
    expect(await next).toEqual({ answerTo: 2 });
  });

  it('starts another transaction for many, at most as many as there are lanes', async () => {
    const { runs, submit } = held({ lanes: 2, maxBatch: 64, maxQueue: 1_000 });
    const key = (n: number) => `key ${n}`;
    const answers = [submit(0, FAR, key(0))];
    await turn();
    for (let n = 1; n < 64; n++) answers.push(submit(n, FAR, key(n)));
    await turn();
    expect(runs).toHaveLength(1);
    for (let n = 64; n < 300; n++) answers.push(submit(n, FAR, key(n)));
    await turn();
    expect(runs.map(({ batch }) => batch.length)).toEqual([1, 64]);
    for (let at = 0; at < runs.length; at++) {
      runs[at]?.end();
      await turn();
      await turn();
    }
    expect(await Promise.all(answers)).toHaveLength(300);
  });

  it('does not begin for many that all wait for the keys of a running one', async () => {
    let looked = 0;
    const laneKey = () => {
      looked++;
      return 'a';
    };
    const { runs, submit } = held({ lanes: 2, maxQueue: 1_000, maxBatch: 200, laneKey });
    const answers = [submit(0)];
    await turn();
    for (let n = 1; n < 200; n++) answers.push(submit(n));
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(runs).toHaveLength(1);
    // When each came, and when it was looked for what could begin; not in each turn of the event loop.
    expect(looked).toBeLessThan(2_000);
    runs[0]?.end();
    await turn();
    runs[1]?.end();
    expect(await Promise.all(answers)).toHaveLength(200);
  });

  it('refuses one request more than may wait, at once, and never runs it', async () => {
    const { runs, submit } = held();
    const running = submit(1);
    await turn();
    const waiting = [submit(2), submit(3), submit(4)];
    expect(await reasonOf(submit(5))).toBe('COMMON503');
    runs[0]?.end();
    await running;
    await turn();
    runs[1]?.end();
    await Promise.all(waiting);
    expect(runs.map(({ batch }) => batch)).toEqual([[1], [2, 3, 4]]);
    const later = submit(6);
    await turn();
    runs[2]?.end();
    expect(await later).toEqual({ answerTo: 6 });
  });

  it('refuses a request that would wait too long by what batches take, and admits again once they are quick', async () => {
    const { runs, submit } = held({ maxBatch: 2, maxQueue: 1_000, maxWaitMs: 100 });
    const took = async (at: number, milliseconds: number) => {
      await turn();
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      runs[at]?.end();
    };
    // Nobody knows yet what a batch takes.
    const early = Array.from({ length: 12 }, (_, n) => submit(n));
    for (let at = 0; at < 6; at++) await took(at, 60);
    await Promise.all(early);
    // By now 33 ms or, on a busy machine, more: three batches ahead are beyond 100 ms.
    void submit(20);
    await turn();
    const answers: Promise<unknown>[] = [];
    while (answers.length < 50) answers.push(reasonOf(submit(21 + answers.length)));
    const refused = await Promise.all(answers.map((answer) => Promise.race([answer, turn()])));
    const admitted = refused.indexOf('COMMON503');
    expect(admitted).toBeGreaterThanOrEqual(2);
    expect(admitted).toBeLessThanOrEqual(6);
    expect(refused.slice(admitted)).toEqual(Array(50 - admitted).fill('COMMON503'));

    let at = 6;
    for (; at < 6 + 1 + Math.ceil(admitted / 2); at++) await took(at, 0);
    for (const until = at + 30; at < until; at++) {
      const quick = submit(100 + at);
      await took(at, 0);
      await quick;
    }
    void submit(200);
    await turn();
    for (let n = 0; n < 9; n++) void submit(201 + n);
    expect(await Promise.race([reasonOf(submit(210)), turn()])).toBeUndefined();
  });

  it('takes a pause for no trend: one batch that stalled does not make it refuse', async () => {
    const { runs, submit } = held({ maxBatch: 1, maxQueue: 1_000, maxWaitMs: 100 });
    for (let at = 0; at < 5; at++) {
      const quick = submit(at);
      await turn();
      runs[at]?.end();
      await quick;
    }
    const stalled = submit(5);
    await turn();
    await new Promise((resolve) => setTimeout(resolve, 300));
    runs[5]?.end();
    await stalled;
    void submit(6);
    await turn();
    for (let n = 0; n < 9; n++) void submit(7 + n);
    expect(await Promise.race([reasonOf(submit(20)), turn()])).toBeUndefined();
  });

  it('refuses one that has waited too long while many wait behind it, and serves the last of them however late', async () => {
    const { runs, submit } = held({ maxBatch: 1, maxQueue: 1_000, maxWaitMs: 100 });
    // What a batch takes is known: 20 ms, or more on a busy machine.
    for (let at = 0; at < 12; at++) {
      const one = submit(at);
      await turn();
      await new Promise((resolve) => setTimeout(resolve, 20));
      runs[at]?.end();
      await one;
    }
    const stalled = submit(12);
    await turn();
    const waiting: Promise<string>[] = [];
    for (let answer = reasonOf(submit(13)); waiting.length < 50; answer = reasonOf(submit(13 + waiting.length))) {
      if ((await Promise.race([answer, turn()])) !== undefined) break;
      waiting.push(answer);
    }
    expect(waiting.length).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (let at = 12; at < 13 + waiting.length; at++) {
      runs[at]?.end();
      await turn();
    }
    await stalled;
    const outcomes = await Promise.all(waiting);
    // The first ones gave up their turns, the last one, with nobody behind it, did not.
    const served = outcomes.filter((outcome) => outcome === 'answered').length;
    expect(outcomes).toEqual([...Array(outcomes.length - served).fill('COMMON503'), ...Array(served).fill('answered')]);
    expect(served).toBeGreaterThan(0);
    if (waiting.length > 3) expect(served).toBeLessThan(waiting.length);
  });

  it('tells beforehand whether there is room', async () => {
    const { submit, combiner } = held({ maxQueue: 1 });
    const request = (key: string) => ({ n: 9, key, poison: false, expired: false });
    void submit(1);
    await turn();
    expect(() => combiner.assertRoom(request('a'))).not.toThrow();
    void submit(2);
    expect(() => combiner.assertRoom(request('a'))).toThrow(Unavailable);
    // Those that wait for the key in flight are in nobody else's way.
    expect(() => combiner.assertRoom(request('b'))).not.toThrow();
  });

  it('drops a request whose deadline passes while it waits', async () => {
    const { runs, submit } = held();
    const first = submit(1);
    await turn();
    const late = reasonOf(submit(2, Date.now() + 5));
    const patient = submit(3);
    await new Promise((resolve) => setTimeout(resolve, 10));
    runs[0]?.end();
    await first;
    expect(await late).toBe('COMMON503');
    await turn();
    expect(runs.map(({ batch }) => batch)).toEqual([[1], [3]]);
    runs[1]?.end();
    await patient;
  });

  it('does not try a request singly once its deadline has passed', async () => {
    const { runs, submit } = held();
    const late = reasonOf(submit(1, Date.now() + 20));
    const patient = submit(2);
    await turn();
    await new Promise((resolve) => setTimeout(resolve, 25));
    runs[0]?.end(new Error('poison'));
    expect(await late).toBe('COMMON503');
    await turn();
    expect(runs.map(({ batch }) => batch)).toEqual([[1, 2], [2]]);
    runs[1]?.end();
    expect(await patient).toEqual({ answerTo: 2 });
  });

  it('counts those that wait, back to none', async () => {
    const { runs, queue, submit } = held();
    const first = submit(1);
    const second = reasonOf(submit(2, 0));
    await turn();
    runs[0]?.end();
    await first;
    expect(await second).toBe('COMMON503');
    expect(queue).toEqual([1, 2, 0]);
  });
});
