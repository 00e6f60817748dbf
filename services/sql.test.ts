// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import { globSync, readFileSync } from 'node:fs';
import { sqlInterpolations } from '../loadtests/test/sql-interpolations.ts';

/*
 * Values reach the engines as parameters. What stands in a statement's text itself is written down here, expression by
 * expression: constants of the program, settings that were parsed as numbers, lists of as many ? as there are values.
 */
const ALLOWED: Record<string, string[]> = {
  'services/admin/outbox.ts': ['BATCH'],
  'services/balance/wallets.ts': ['cases'],
  'services/catalog/stock.ts': ['quantity'],
  'services/core/mysql.ts': ['SESSION_LIFE_S', 'lockWaitTimeoutS'],
  // Two constants beside it.
  'services/core/named-lock.ts': ['seconds'],
  'services/core/outbox.ts': ['BATCH'],
  'services/core/watch/row-lock-waits.ts': ['MOST'],
  'services/coupon/gatekeeper.ts': ['LEASE_LIFE'],
  'services/database/migrations/0001-schema.ts': ['id', 'table', 'wonMax'],
  'services/database/sequelize.ts': ['Math.ceil((2 * silenceMs) / 1_000)', 'lockWaitTimeoutS'],
  // Texts of the function's own callers, in the same file; the ids they look for are parameters.
  'services/explain/find-rows.ts': ['columns', 'condition', 'table'],
};

it('nothing but what is written down here is put into the text of a statement', () => {
  const sources = globSync('services/**/*.ts').filter((file) => !file.endsWith('.test.ts'));
  const found = sources.flatMap((file) => sqlInterpolations(file, readFileSync(file, 'utf8')));
  const seen: Record<string, string[]> = {};
  for (const { file, expression } of found) seen[file] = [...new Set([...(seen[file] ?? []), expression])].sort();
  expect(seen).toEqual(ALLOWED);
});

it.each([
  ['a template', "pool.query(`SELECT * FROM users WHERE id = '${userId}'`)", ['userId']],
  ['a sum', "run.execute('SELECT 1 FROM users WHERE id = ' + userId)", ['userId']],
  ['a longer sum', "const sql = 'DELETE FROM carts WHERE id = \"' + cart.id + '\"';", ['cart.id']],
  ['a piece', 'Sequelize.literal(`quantity + ${body.quantity}`)', ['body.quantity']],
  ['a condition', 'const where = `${column} = ? AND user_id = ${userId}`;', ['column', 'userId']],
  ['what was made harmless', 'run("SELECT 1 FROM users WHERE id = " + db.escape(id))', ['db.escape(id)']],
  ['small letters', 'db.query(`select ${column} from users`)', ['column']],
  ['one in another', 'db.query(`SELECT ${`a, ${b}`} FROM users`)', ['b']],
  ['after letters of more than a byte', '// 원, ₩, “”\ndb.query(`SELECT ${name} FROM users`)', ['name']],
  ['nothing', "db.query('SELECT balance FROM users WHERE id = ?', [userId]); log(`user ${userId}`)", []],
])('the search sees %s', (_what, source, expected) => {
  expect(sqlInterpolations('x.ts', source).map(({ expression }) => expression)).toEqual(expected);
});
