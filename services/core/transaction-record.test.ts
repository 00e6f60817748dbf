import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import type { HoldPlace, LockMetrics } from './metrics.ts';
import { locking, openWritePool, type Tx, type WritePool, writing } from './mysql.ts';
import { TransactionRecord } from './transaction-record.ts';

let own: OwnStack;
let pool: WritePool;
let seen: string[];
let holds: [HoldPlace, number][];
beforeAll(async () => {
  own = await ownStack('record', { users: 10 });
  const metrics: LockMetrics = {
    waited: (at) => void seen.push(`waited ${at}`),
    held(at, milliseconds) {
      seen.push(`held ${at}`);
      holds.push([at, milliseconds]);
    },
    ended: (operation, outcome) => void seen.push(`ended ${operation} ${outcome}`),
    retried: (operation, reason) => void seen.push(`retried ${operation} ${reason}`),
  };
  pool = openWritePool({ databaseUrl: own.config.databaseUrl, connections: 2, lockWaitTimeoutS: 1, metrics });
});
beforeEach(() => {
  seen = [];
  holds = [];
});
afterAll(async () => {
  await pool?.close();
  await own?.remove();
});

const lock = (user: string) => locking('SELECT id FROM users WHERE id = ? FOR UPDATE', [user], (rows) => rows.length);
const add = (user: string) => writing('UPDATE users SET balance = balance + 1 WHERE id = ?', [user]);
const soon = () => Date.now() + 10_000;
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const stepsOf = ({ steps }: TransactionRecord) =>
  steps.map(({ name, reason }) => (reason ? `${name} ${reason}` : name));

/** Another session that holds a user’s row until told to let go. */
async function hold(user: string) {
  const connection = await own.db.getConnection();
  await connection.beginTransaction();
  await connection.query('SELECT id FROM users WHERE id = ? FOR UPDATE', [user]);
  return async () => {
    await connection.rollback();
    connection.release();
  };
}

describe('a transaction', () => {
  it('tells each wait, how long its rows were held and how it ended, and notes its steps in order', async () => {
    const record = new TransactionRecord('charge', 3);
    await pool.transaction(
      soon(),
      async (tx: Tx) => {
        await tx.locking('user_row', lock('own-1'));
        await sleep(60);
        await tx.run(add('own-1'));
      },
      record,
    );
    expect(seen).toEqual(['waited pool', 'waited user_row', 'held user_row', 'ended charge committed']);
    expect(holds[0]?.[1]).toBeGreaterThanOrEqual(59);
    expect(stepsOf(record)).toEqual(['pool', 'user_row', 'statements', 'commit']);
    expect(record.outcome).toBe('committed');
    for (const { from, to } of record.steps) expect(to).toBeGreaterThanOrEqual(from);
  });

  it('that waited in vain counts that wait, holds nothing, and goes on with another attempt', async () => {
    const letGo = await hold('own-2');
    const record = new TransactionRecord('checkout', 1);
    let attempts = 0;
    await pool.transaction(
      soon(),
      async (tx: Tx) => {
        if (++attempts === 2) await letGo();
        await tx.locking('user_row', lock('own-2'));
      },
      record,
    );
    expect(seen).toEqual([
      'waited pool',
      'waited user_row',
      'ended checkout rolled_back',
      'retried checkout lock_wait_timeout',
      'waited pool',
      'waited user_row',
      'held user_row',
      'ended checkout committed',
    ]);
    expect(stepsOf(record)).toEqual([
      'pool',
      'user_row',
      'rollback ER_LOCK_WAIT_TIMEOUT',
      'retry lock_wait_timeout',
      'pool',
      'user_row',
      'commit',
    ]);
    const [, waited] = record.steps;
    expect((waited?.to ?? 0) - (waited?.from ?? 0)).toBeGreaterThan(900);
  });

  it('whose work fails is told as rolled back, and what it had locked as held until then', async () => {
    const failing = pool.transaction(soon(), async (tx: Tx) => {
      await tx.locking('stock_row', lock('own-3'));
      throw new Error('enough');
    });
    await expect(failing).rejects.toThrow('enough');
    expect(seen).toEqual(['waited pool', 'waited stock_row', 'held stock_row', 'ended other rolled_back']);
  });
});

describe('a record', () => {
  it('calls those who wait for its end once, and those who come later at once', () => {
    const record = new TransactionRecord('issue', 1);
    const calls: string[] = [];
    record.whenOver(() => calls.push('first'));
    record.whenOver(() => calls.push('second'));
    expect(calls).toEqual([]);
    record.end();
    record.end();
    record.whenOver(() => calls.push('late'));
    expect(calls).toEqual(['first', 'second', 'late']);
  });
});
