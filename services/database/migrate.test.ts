import type { Model, ModelStatic } from 'sequelize';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { stack } from '../../loadtests/test/stack.ts';
import { MIGRATIONS, migrate, SCHEMA_VERSION, schemaVersion } from './migrate.ts';
import { defineModels } from './models.ts';
import { openSequelize } from './sequelize.ts';

const { api, db, env, value } = stack();

describe('migrate', () => {
  let own: OwnStack;
  beforeAll(async () => {
    own = await ownStack('migrate', { schema: false });
  });
  afterAll(() => own.remove());

  it('by several processes at once on an empty database runs once, and all of them succeed', async () => {
    const all = [1, 2, 3].map(() => openSequelize(own.config.databaseUrl, 2));
    expect(await schemaVersion(all[0] as (typeof all)[number])).toBeUndefined();
    const ran = await Promise.all(all.map((sequelize) => migrate(sequelize, own.names.migrationLock)));
    expect(ran.flat()).toEqual(MIGRATIONS.map(({ name }) => name));
    for (const sequelize of all) expect(await schemaVersion(sequelize)).toBe(SCHEMA_VERSION);
    expect(await migrate(all[0] as (typeof all)[number], own.names.migrationLock)).toEqual([]);
    await Promise.all(all.map((sequelize) => sequelize.close()));
  });
});

describe('the schema', () => {
  const refusal = async (sql: string): Promise<{ errno: number; message: string }> => {
    const connection = await db.getConnection();
    await connection.query('START TRANSACTION');
    try {
      await connection.query(sql);
      return { errno: 0, message: 'it was taken' };
    } catch (error) {
      return error as { errno: number; message: string };
    } finally {
      await connection.query('ROLLBACK');
      connection.release();
    }
  };

  it.each([
    ['a negative balance', "UPDATE users SET balance = -1 WHERE id = 'test-user-1'", 'ck_users_balance'],
    [
      'a balance that is not exact',
      "UPDATE users SET balance = 9007199254740992 WHERE id = 'test-user-1'",
      'ck_users_balance',
    ],
    ['negative stock', "UPDATE stocks SET quantity = -1 WHERE product_id = 'test-product-1'", 'ck_stocks_quantity'],
    [
      'more coupons issued than there are',
      "UPDATE coupons SET issued_quantity = total_quantity + 1 WHERE id = 'test-coupon-1'",
      'ck_coupons_issued',
    ],
    [
      'fewer than no coupons issued',
      "UPDATE coupons SET issued_quantity = -1 WHERE id = 'test-coupon-1'",
      'ck_coupons_issued',
    ],
    [
      'a percentage above 100',
      "UPDATE coupons SET discount_type = 'PERCENT', discount_value = 101 WHERE id = 'test-coupon-1'",
      'ck_coupons_value',
    ],
    [
      'a period that ends before it begins',
      "UPDATE coupons SET valid_until = valid_from WHERE id = 'test-coupon-1'",
      'ck_coupons_period',
    ],
    ['a negative price', "UPDATE products SET price = -1 WHERE id = 'test-product-1'", 'ck_products_price'],
    [
      'a cart line of nothing',
      "UPDATE cart_items SET quantity = 0 WHERE cart_id = 'test-cart-1'",
      'ck_cart_items_quantity',
    ],
    [
      'a charge whose sum is wrong',
      "INSERT INTO balance_charge_history VALUES ('test-user-1', 999, 5, 10, 16, 'k', NOW(3))",
      'ck_charge_sum',
    ],
    [
      'a payment whose sum is wrong',
      "INSERT INTO payments VALUES ('o', 'test-user-1', 5, 10, 6, 999, NOW(3))",
      'ck_payments_sum',
    ],
    [
      'an order that costs less than nothing',
      "INSERT INTO orders VALUES ('o', 'test-user-1', NULL, 5, 6, -1, 'PAID', 'k', NOW(3))",
      'ck_orders_amounts',
    ],
    [
      'an order item whose subtotal is wrong',
      "INSERT INTO order_items VALUES ('o', 'test-product-1', 'P', 10, 2, 21)",
      'ck_order_items_subtotal',
    ],
    [
      'a used coupon without the time of its use',
      `INSERT INTO user_coupons VALUES ('test-user-1', 'x', 'USED', NULL, '0-1', 0, 0, NOW(3), NOW(3), NULL)`,
      'ck_user_coupons_used',
    ],
  ])('refuses %s', async (_what, sql, constraint) => {
    const { errno, message } = await refusal(sql);
    // MySQL's number of a violated CHECK, and MariaDB's.
    expect([3819, 4025]).toContain(errno);
    expect(message).toContain(constraint);
  });

  it('refuses a user’s second coupon, key and cart', async () => {
    for (const [sql, key] of [
      [
        "INSERT INTO user_coupons (user_id, coupon_id, stream_id, topic_partition, topic_offset, accepted_at, issued_at) VALUES ('a', 'b', '0-1', 0, 0, NOW(3), NOW(3)), ('a', 'b', '0-2', 0, 1, NOW(3), NOW(3))",
        'PRIMARY',
      ],
      [
        "INSERT INTO balance_charge_history VALUES ('a', 1, 5, 0, 5, 'k', NOW(3)), ('a', 2, 5, 5, 10, 'k', NOW(3))",
        'uk_charge_key',
      ],
      [
        "INSERT INTO orders VALUES ('o1', 'a', NULL, 0, 0, 0, 'PAID', 'k', NOW(3)), ('o2', 'a', NULL, 0, 0, 0, 'PAID', 'k', NOW(3))",
        'uk_order_key',
      ],
      ["INSERT INTO carts VALUES ('c1', 'a'), ('c2', 'a')", 'uk_cart_user'],
    ] as const) {
      const { errno, message } = await refusal(sql);
      expect(errno).toBe(1062);
      expect(message).toContain(key);
    }
  });

  it('compares ids byte by byte', async () => {
    expect(await value("SELECT COUNT(*) FROM users WHERE id = 'TEST-USER-1'")).toBe(0);
    expect(await value("SELECT COUNT(*) FROM users WHERE id = 'test-user-1'")).toBe(1);
    expect((await api('GET', '/api/users/TEST-USER-1/balance')).status).toBe(404);
  });

  it.each([
    ['a cart’s items', "SELECT * FROM cart_items WHERE cart_id = 'test-cart-1' ORDER BY id", 'idx_cart_id'],
    ['a user’s orders', "SELECT * FROM orders WHERE user_id = 'test-user-1'", 'idx_user_id|uk_order_key'],
    [
      'a charge by its key',
      "SELECT * FROM balance_charge_history WHERE (user_id, idempotency_key) IN (('a', 'b'))",
      'uk_charge_key|PRIMARY',
    ],
    ['events to publish', "SELECT id FROM outbox_events WHERE status = 'PENDING' ORDER BY id LIMIT 500", 'idx_status'],
  ])('finds %s by an index', async (_what, sql, index) => {
    const connection = await db.getConnection();
    // MySQL 9 draws a tree unless it is told; MariaDB has no such variable and always gives the table.
    await connection.query("SET SESSION explain_format = 'TRADITIONAL'").catch(() => {});
    const [plan] = await connection.query(`EXPLAIN ${sql}`);
    connection.release();
    const [row] = plan as { key: string | null; Extra: string }[];
    // A row that is known not to be there is found without a plan.
    if (row?.key === null && /Impossible|const table/.test(row.Extra)) return;
    expect(row?.key).toMatch(new RegExp(`^(${index})$`));
  });

  it('has the columns that the models name, and no more of those tables but the time a user was created', async () => {
    const sequelize = openSequelize(env.databaseUrl, 1);
    const models = Object.values(defineModels(sequelize)) as unknown as ModelStatic<Model>[];
    const [rows] = await db.query(
      'SELECT table_name AS name, column_name AS col FROM information_schema.columns WHERE table_schema = DATABASE()',
    );
    const live = Map.groupBy(rows as { name: string; col: string }[], ({ name }) => name);
    for (const model of models) {
      const columns = (live.get(String(model.getTableName())) ?? []).map(({ col }) => col);
      const named = Object.values(model.getAttributes()).map(({ field }) => String(field));
      const unnamed = columns.filter((column) => !named.includes(column));
      expect([model.getTableName(), named.filter((column) => !columns.includes(column))]).toEqual([
        model.getTableName(),
        [],
      ]);
      expect([model.getTableName(), unnamed]).toEqual([
        model.getTableName(),
        model.getTableName() === 'users' ? ['created_at'] : [],
      ]);
    }
    await sequelize.close();
  });
});
