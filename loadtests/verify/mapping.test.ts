import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fixture, openFixture } from './fixture.ts';
import { ONRUSH, readMapping } from './mapping.ts';
import { verify } from './verify.ts';

let fixture: Fixture;
let directory: string;
beforeAll(async () => {
  fixture = await openFixture('mapping');
  directory = await mkdtemp(join(tmpdir(), 'onrush-mapping-'));
}, 60_000);
afterAll(async () => {
  await fixture.close();
  await rm(directory, { recursive: true });
});

/** Another system: money in cents, one ledger of signed entries, no payments. */
const ledger = {
  wallets: 'SELECT owner AS user_id, cents AS balance, entries AS balance_version FROM accounts',
  charges: `SELECT owner AS user_id, n AS balance_version, cents AS amount, before_cents AS previous_balance,
    before_cents + cents AS current_balance FROM ledger`,
  payments: `SELECT NULL AS order_id, NULL AS user_id, 0 AS balance_version, 0 AS amount, 0 AS previous_balance,
    0 AS current_balance FROM DUAL WHERE FALSE`,
  baselines: `SELECT 'wallet' AS kind, owner AS id, 0 AS value, 0 AS version FROM accounts`,
};

test('another schema is judged through its mapping; what it leaves out is not checked', async () => {
  const { loose, looseUrl, namespace } = fixture;
  await loose.query('CREATE TABLE accounts (owner INT, cents BIGINT, entries INT)');
  await loose.query('CREATE TABLE ledger (owner INT, n INT, cents BIGINT, before_cents BIGINT)');
  await loose.query('INSERT INTO accounts VALUES (1, 300, 2), (2, 0, 0)');
  await loose.query('INSERT INTO ledger VALUES (1, 1, 100, 0), (1, 2, 200, 100)');
  const file = join(directory, 'ledger.json');
  await writeFile(file, JSON.stringify(ledger));

  const judge = async () => verify({ databaseUrl: looseUrl, namespace, mapping: await readMapping(file) });
  const clean = await judge();
  expect(clean.reasons).toEqual([]);
  expect(clean.verdict).toBe('PASS');
  expect(clean.checks.map(({ group }) => group)).toEqual([2, 2, 2, 2]);
  expect(clean.notChecked).toContainEqual(
    expect.objectContaining({ id: 'stock-negative', reason: 'the mapping has no stock' }),
  );

  await loose.query('UPDATE accounts SET cents = 299 WHERE owner = 1');
  expect((await judge()).verdict).toBe('FAIL');
});

test('a mapping that cannot be read is refused with the source named', async () => {
  const { looseUrl, namespace } = fixture;
  const wrong = { ...ONRUSH, wallets: 'SELECT id AS user_id, balance FROM users' };
  await expect(verify({ databaseUrl: looseUrl, namespace, mapping: wrong })).rejects.toThrow(
    /the source wallets cannot be read: .*balance_version/,
  );
  const file = join(directory, 'bad.json');
  await writeFile(file, '{"accounts": "SELECT 1", "stock": "DELETE FROM stocks"}');
  await expect(readMapping(file)).rejects.toThrow(/accounts[\s\S]*expected a SELECT/);
});
