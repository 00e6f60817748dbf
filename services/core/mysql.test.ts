import { type CommitFate, type MysqlProxy, mysqlProxy } from '../../loadtests/test/mysql-proxy.ts';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { eventually } from '../../loadtests/test/stack.ts';
import { openWritePool, type Tx, type WritePool } from './mysql.ts';

let own: OwnStack;
let proxy: MysqlProxy;
const pools: WritePool[] = [];
beforeAll(async () => {
  own = await ownStack('mysql', { users: 100 });
  proxy = await mysqlProxy(own.config.databaseUrl);
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  await proxy.close();
  await own.remove();
});

const soon = (milliseconds = 10_000) => Date.now() + milliseconds;
const balanceOf = (user: number) => own.value('SELECT balance FROM users WHERE id = ?', [`own-${user}`]);
const idOf = async (tx: Tx) => Number((await tx.rows<{ id: number }>('SELECT CONNECTION_ID() AS id'))[0]?.id);
const add = (tx: Tx, user: number, amount: number) =>
  tx.write('UPDATE users SET balance = balance + ? WHERE id = ?', [amount, `own-${user}`]);

function pool(options: { connections?: number; lockWaitTimeoutS?: number; databaseUrl?: string } = {}) {
  const retries: string[] = [];
  let onRetry: (reason: string) => void = () => {};
  const opened = openWritePool({
    databaseUrl: options.databaseUrl ?? own.config.databaseUrl,
    connections: options.connections ?? 4,
    lockWaitTimeoutS: options.lockWaitTimeoutS ?? 3,
    metrics: {
      waited: () => {},
      held: () => {},
      ended: () => {},
      retried: (_operation, reason) => {
        retries.push(reason);
        onRetry(reason);
      },
    },
  });
  pools.push(opened);
  return {
    pool: opened,
    retries,
    onRetry: (listener: (reason: string) => void) => {
      onRetry = listener;
    },
  };
}

/** A point that all of `parties` must reach before any goes on; afterwards it is open. */
function rendezvous(parties: number) {
  let open = () => {};
  let here = 0;
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    here++;
    if (here === parties) open();
    return all;
  };
}

/** Another session that holds users' rows until told to let go. */
async function holder(...users: number[]) {
  const connection = await own.db.getConnection();
  await connection.query('START TRANSACTION');
  await connection.query('SELECT id FROM users WHERE id IN (?) FOR UPDATE', [users.map((user) => `own-${user}`)]);
  return async () => {
    await connection.query('ROLLBACK');
    connection.release();
  };
}
const isFree = async (user: number) => {
  try {
    await own.db.query('SELECT id FROM users WHERE id = ? FOR UPDATE NOWAIT', [`own-${user}`]);
    return true;
  } catch {
    return false;
  }
};

describe('a transaction of the write pool', () => {
  it('reads what others committed in between: READ COMMITTED', async () => {
    const { pool: p } = pool();
    const seen = await p.transaction(soon(), async (tx) => {
      const before = await tx.rows<{ balance: number }>("SELECT balance FROM users WHERE id = 'own-90'");
      await own.db.query("UPDATE users SET balance = balance + 5 WHERE id = 'own-90'");
      const after = await tx.rows<{ balance: number }>("SELECT balance FROM users WHERE id = 'own-90'");
      return Number(after[0]?.balance) - Number(before[0]?.balance);
    });
    expect(seen).toBe(5);
  });

  it('that is the victim of a deadlock is run again as a whole, and both take effect once', async () => {
    const { pool: p, retries } = pool();
    const bothHoldOne = rendezvous(2);
    let attempts = 0;
    const cross = (first: number, second: number) =>
      p.transaction(soon(), async (tx) => {
        attempts++;
        await add(tx, first, 1);
        await bothHoldOne();
        await add(tx, second, 10);
      });
    await Promise.all([cross(1, 2), cross(2, 1)]);
    expect(retries).toEqual(['deadlock']);
    expect(attempts).toBe(3);
    expect([await balanceOf(1), await balanceOf(2)]).toEqual([1_000_011, 1_000_011]);
  });

  it('that waited too long for a row is rolled back, not left half done, and run again', async () => {
    const { pool: p, retries, onRetry } = pool({ connections: 1, lockWaitTimeoutS: 1 });
    const letGo = await holder(4);
    let released: Promise<void> | undefined;
    onRetry(() => {
      released = letGo();
    });
    let attempts = 0;
    await p.transaction(soon(), async (tx) => {
      attempts++;
      await released;
      await add(tx, 3, 1);
      await add(tx, 4, 1);
    });
    expect(retries).toEqual(['lock_wait_timeout']);
    expect(attempts).toBe(2);
    // Without the explicit ROLLBACK the next START TRANSACTION would have committed the first attempt's half.
    expect([await balanceOf(3), await balanceOf(4)]).toEqual([1_000_001, 1_000_001]);
  });

  it('gives up with COMMON503 by its deadline when the rows stay locked, and leaves nothing', async () => {
    const { pool: p } = pool({ connections: 1, lockWaitTimeoutS: 1 });
    const letGo = await holder(6);
    const before = Date.now();
    const work = p.transaction(soon(1_500), async (tx) => {
      await add(tx, 5, 1);
      await add(tx, 6, 1);
    });
    await expect(work).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    expect(Date.now() - before).toBeLessThan(3_000);
    await letGo();
    await eventually(
      () => isFree(5),
      (free) => free,
    );
    expect([await balanceOf(5), await balanceOf(6)]).toEqual([1_000_000, 1_000_000]);
  });

  it('whose work fails leaves nothing, and gives back a connection that is in no transaction', async () => {
    const { pool: p } = pool({ connections: 1 });
    let first = 0;
    const failing = p.transaction(soon(), async (tx) => {
      first = await idOf(tx);
      await add(tx, 7, 1);
      throw new Error('a rule says no');
    });
    await expect(failing).rejects.toThrow('a rule says no');
    expect(await isFree(7)).toBe(true);
    expect(await p.transaction(soon(), idOf)).toBe(first);
    expect(await p.rows<{ id: number }>(soon(), 'SELECT CONNECTION_ID() AS id')).toEqual([{ id: first }]);
    expect(await balanceOf(7)).toBe(1_000_000);
    expect(p.usage()).toEqual({ inUse: 0, waiting: 0 });
  });

  it('whose statement is wrong fails with that error and leaves nothing', async () => {
    const { pool: p } = pool({ connections: 1 });
    const failing = p.transaction(soon(), async (tx) => {
      await add(tx, 8, 1);
      await tx.rows('SELECT nothing FROM nowhere');
    });
    await expect(failing).rejects.toMatchObject({ errno: 1146 });
    expect(await isFree(8)).toBe(true);
    expect(await balanceOf(8)).toBe(1_000_000);
    expect(p.usage()).toEqual({ inUse: 0, waiting: 0 });
  });

  it.each(['between two statements', 'during a statement'] as const)(
    'whose connection is killed %s is refused with COMMON503 and leaves nothing',
    async (when) => {
      const { pool: p } = pool({ connections: 1 });
      let killed = 0;
      let attempts = 0;
      const kill = async (id: number) => {
        if (when === 'during a statement')
          await eventually(
            () =>
              own.value("SELECT COUNT(*) FROM information_schema.processlist WHERE id = ? AND info LIKE '%SLEEP%'", [
                id,
              ]),
            (sleeping) => sleeping === 1,
          );
        await own.db.query(`KILL CONNECTION ${id}`);
      };
      const failing = p.transaction(soon(), async (tx) => {
        attempts++;
        killed = await idOf(tx);
        await add(tx, 9, 1);
        if (when === 'during a statement') await Promise.all([kill(killed), tx.rows('SELECT SLEEP(20)')]);
        else await kill(killed);
        await add(tx, 9, 1);
      });
      await expect(failing).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
      expect(attempts).toBe(1);
      expect(await p.transaction(soon(), idOf)).not.toBe(killed);
      expect(await balanceOf(9)).toBe(1_000_000);
      expect(p.usage()).toEqual({ inUse: 0, waiting: 0 });
    },
  );

  it('is refused in time when its deadline passes during a statement, and its connection is not used again', async () => {
    const { pool: p } = pool({ connections: 1 });
    let stuck = 0;
    const before = Date.now();
    const slow = p.transaction(soon(300), async (tx) => {
      stuck = await idOf(tx);
      await add(tx, 10, 1);
      await tx.rows('SELECT SLEEP(20)');
    });
    await expect(slow).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    expect(Date.now() - before).toBeLessThan(1_500);
    expect(await p.transaction(soon(), idOf)).not.toBe(stuck);
    expect(p.usage()).toEqual({ inUse: 0, waiting: 0 });
    await own.db.query(`KILL CONNECTION ${stuck}`).catch(() => {});
    await eventually(
      () => isFree(10),
      (free) => free,
    );
    expect(await balanceOf(10)).toBe(1_000_000);
  });

  it('is refused with COMMON503 in time, unbegun, when no connection becomes free', async () => {
    const { pool: p } = pool({ connections: 1 });
    let end = () => {};
    const until = new Promise<void>((resolve) => {
      end = resolve;
    });
    const inside = rendezvous(2);
    const first = p.transaction(soon(), async () => {
      await inside();
      await until;
    });
    await inside();
    let began = false;
    const before = Date.now();
    const second = p.transaction(soon(200), async () => {
      began = true;
    });
    expect(p.usage()).toEqual({ inUse: 1, waiting: 1 });
    await expect(second).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    expect(Date.now() - before).toBeLessThan(1_500);
    end();
    await first;
    expect(await p.transaction(soon(), async () => 'free')).toBe('free');
    expect(began).toBe(false);
    expect(p.usage()).toEqual({ inUse: 0, waiting: 0 });
  });

  it('is refused in time by an engine that takes connections and says nothing', async () => {
    const silent = await mysqlProxy(own.config.databaseUrl);
    silent.goSilent();
    const { pool: p } = pool({ databaseUrl: silent.url });
    const before = Date.now();
    await expect(p.transaction(soon(300), idOf)).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    await expect(p.rows(soon(300), 'SELECT 1')).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    expect(Date.now() - before).toBeLessThan(2_500);
    expect(p.usage()).toEqual({ inUse: 0, waiting: 0 });
    await silent.close();
  });

  it('is refused with COMMON503 when the engine is not there', async () => {
    const { pool: p } = pool({ databaseUrl: 'mysql://nobody@127.0.0.1:9/nothing' });
    await expect(p.transaction(soon(), idOf)).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    expect(p.usage()).toEqual({ inUse: 0, waiting: 0 });
  });
});

describe('a COMMIT whose answer does not come', () => {
  it.each(['lost', 'answer lost', 'late', 'unanswered'] as const)(
    'is reported as unknown where nothing can be looked up (%s)',
    async (fate) => {
      const { pool: p } = pool({ connections: 2, databaseUrl: proxy.url });
      const before = await balanceOf(20);
      proxy.nextCommit(fate);
      let attempts = 0;
      const work = p.transaction(soon(3_000), async (tx) => {
        attempts++;
        await add(tx, 20, 1);
      });
      await expect(work).rejects.toMatchObject({ name: 'CommitUnknown' });
      expect(attempts).toBe(1);
      const committed = fate !== 'lost';
      expect(
        await eventually(
          () => balanceOf(20),
          (balance) => balance === before + (committed ? 1 : 0),
        ),
      ).toBe(before + (committed ? 1 : 0));
      expect(p.usage()).toEqual({ inUse: 0, waiting: 0 });
    },
  );

  it.each<[CommitFate, number]>([
    ['lost', 1],
    ['answer lost', 0],
    ['late', 0],
  ])('is looked up: work that must take effect once does (%s)', async (fate, effectsOfSecondRun) => {
    const { pool: p, retries } = pool({ connections: 2, databaseUrl: proxy.url });
    const before = await balanceOf(21);
    proxy.nextCommit(fate);
    const seen: [boolean, boolean][] = [];
    await p.transactionUntilKnown(soon(), async (tx, again) => {
      const [row] = await tx.rows<{ balance: number }>("SELECT balance FROM users WHERE id = 'own-21' FOR UPDATE");
      const done = Number(row?.balance) > before;
      seen.push([again, done]);
      if (!done) await add(tx, 21, 1);
    });
    expect(seen).toEqual([
      [false, false],
      [true, effectsOfSecondRun === 0],
    ]);
    expect(retries).toEqual(['commit_unknown']);
    expect(await balanceOf(21)).toBe(before + 1);
  });

  it('is COMMON504, never COMMON503, once the deadline leaves no time to look it up', async () => {
    const { pool: p } = pool({ connections: 2, databaseUrl: proxy.url });
    proxy.nextCommit('unanswered');
    const before = Date.now();
    const work = p.transactionUntilKnown(soon(500), (tx) => add(tx, 22, 1));
    await expect(work).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON504' });
    expect(Date.now() - before).toBeLessThan(2_000);
  });

  it('is COMMON504 when the engine stays away afterwards', async () => {
    const breaking = await mysqlProxy(own.config.databaseUrl);
    const { pool: p, onRetry } = pool({ connections: 2, databaseUrl: breaking.url });
    breaking.nextCommit('answer lost');
    onRetry(() => breaking.goSilent());
    const work = p.transactionUntilKnown(soon(3_000), (tx) => add(tx, 23, 1));
    await expect(work).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON504' });
    expect(await balanceOf(23)).toBe(1_000_001);
    await breaking.close();
  });
});
