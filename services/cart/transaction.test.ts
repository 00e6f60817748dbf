import { Sequelize, type Transaction } from 'sequelize';
import { stack } from '../../loadtests/test/stack.ts';
import { openSequelize } from '../database/sequelize.ts';
import { cartTransaction } from './transaction.ts';

const { db, env, value } = stack();

const soon = () => Date.now() + 10_000;
const quantityOf = (id: string) => value('SELECT quantity FROM cart_items WHERE id = ?', [id]);

describe('cartTransaction', () => {
  let sequelize: Sequelize;
  beforeAll(() => {
    sequelize = openSequelize(env.databaseUrl, 4);
  });
  afterAll(async () => {
    await db.query("DELETE FROM cart_items WHERE cart_id = 'tx-cart'");
    await sequelize.close();
  });
  // Own rows of a cart that belongs to nobody.
  beforeEach(async () => {
    for (const id of ['tx-1', 'tx-2'])
      await db.query(
        "INSERT INTO cart_items (id, cart_id, product_id, quantity) VALUES (?, 'tx-cart', ?, 1) ON DUPLICATE KEY UPDATE quantity = 1",
        [id, `test-product-${id.slice(3)}`],
      );
  });

  const increment = (id: string, transaction: Transaction) =>
    sequelize.query('UPDATE cart_items SET quantity = quantity + 1 WHERE id = ?', { replacements: [id], transaction });

  /** Cuts the connection under the transaction. */
  const cut = async (transaction: Transaction) => {
    const [rows] = await sequelize.query('SELECT CONNECTION_ID() AS id', { transaction });
    const { id } = (rows as { id: number }[])[0] ?? {};
    await db.query(`KILL ${id}`);
    await new Promise((wake) => setTimeout(wake, 50));
  };

  test('two that deadlock both commit, and the victim is run again as a whole', async () => {
    let begun = 0;
    let runs = 0;
    const both = (first: string, second: string) =>
      cartTransaction(sequelize, soon(), async (transaction) => {
        runs++;
        await increment(first, transaction);
        begun++;
        while (begun < 2) await new Promise((wake) => setTimeout(wake, 5));
        await increment(second, transaction);
      });
    await Promise.all([both('tx-1', 'tx-2'), both('tx-2', 'tx-1')]);
    expect(runs).toBe(3);
    expect([await quantityOf('tx-1'), await quantityOf('tx-2')]).toEqual([3, 3]);
  });

  test('a row that is released within the attempts is waited for; past the deadline nothing is done', async () => {
    const holder = await db.getConnection();
    const held = async (deadline: number, releaseAfter: number) => {
      await holder.query('START TRANSACTION');
      await holder.query("SELECT id FROM cart_items WHERE id = 'tx-2' FOR UPDATE");
      const release = setTimeout(() => holder.query('COMMIT'), releaseAfter);
      try {
        await cartTransaction(sequelize, deadline, async (transaction) => {
          await sequelize.query('SET SESSION innodb_lock_wait_timeout = 1', { transaction });
          await increment('tx-1', transaction);
          await increment('tx-2', transaction);
        });
      } finally {
        clearTimeout(release);
        await holder.query('COMMIT');
      }
    };
    await held(soon(), 1_500);
    expect([await quantityOf('tx-1'), await quantityOf('tx-2')]).toEqual([2, 2]);
    await expect(held(Date.now() + 500, 5_000)).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    expect([await quantityOf('tx-1'), await quantityOf('tx-2')]).toEqual([2, 2]);
    holder.release();
  });

  test('an error of the work rolls back and is not tried again', async () => {
    let runs = 0;
    const failing = cartTransaction(sequelize, soon(), async (transaction) => {
      runs++;
      await increment('tx-1', transaction);
      throw new Error('a bug');
    });
    await expect(failing).rejects.toThrow('a bug');
    expect(runs).toBe(1);
    expect(await quantityOf('tx-1')).toBe(1);
  });

  test('a connection lost at work is COMMON503 and nothing was done', async () => {
    const lost = cartTransaction(sequelize, soon(), async (transaction) => {
      await increment('tx-1', transaction);
      await cut(transaction);
      await increment('tx-2', transaction);
    });
    await expect(lost).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    expect(await quantityOf('tx-1')).toBe(1);
  });

  test('a connection lost at the commit is COMMON504: the outcome is unknown', async () => {
    const lost = cartTransaction(sequelize, soon(), async (transaction) => {
      await increment('tx-1', transaction);
      await cut(transaction);
    });
    await expect(lost).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON504' });
  });

  test('a database out of reach is COMMON503', async () => {
    const nowhere = openSequelize(env.databaseUrl.replace(/:\d+\//, ':1/'), 1);
    const asked = cartTransaction(nowhere, soon(), async () => {});
    await expect(asked).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    await nowhere.close();
  });

  test('no free connection in time is COMMON503', async () => {
    const narrow = new Sequelize(env.databaseUrl, { logging: false, pool: { max: 1, acquire: 100 } });
    const busy = cartTransaction(narrow, soon(), () => new Promise((wake) => setTimeout(wake, 300)));
    const asked = cartTransaction(narrow, soon(), async () => {});
    await expect(asked).rejects.toMatchObject({ name: 'Unavailable', code: 'COMMON503' });
    await busy;
    await narrow.close();
  });
});
