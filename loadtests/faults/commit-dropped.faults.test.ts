import { ROLES } from '../../services/core/config.ts';
import { type CommitFate, type MysqlProxy, mysqlProxy } from '../test/mysql-proxy.ts';
import type { Started } from '../test/start-services.ts';
import { type Answered, type Call, charge, figuresOf, order, untilDefinite } from './clients.ts';
import { type JudgedStack, judgedStack } from './judged-stack.ts';
import { metric } from './metric.ts';

const API = ['balance-api', 'order-api'] as const;
/** So that a COMMIT whose answer never comes is past its deadline soon. */
const DEADLINE = 1_500;

let judged: JudgedStack;
let proxy: MysqlProxy;
let through: Started;
let direct: Started;
beforeAll(async () => {
  judged = await judgedStack('dropped', 200);
  proxy = await mysqlProxy(judged.own.config.databaseUrl);
  const env = { DATABASE_URL: proxy.url, ONRUSH_REQUEST_TIMEOUT_MS: String(DEADLINE) };
  [through, direct] = await Promise.all([judged.start(API, { env }), judged.start(ROLES)]);
}, 60_000);
afterAll(async () => {
  await through.stop();
  await proxy.close();
  await judged.remove();
});

const FATES: CommitFate[] = ['lost', 'answer lost', 'late', 'unanswered'];
let drops = 0;
/** Gives one COMMIT after the other a fate, until there are no more requests. */
async function dropCommits(during: Promise<unknown>): Promise<void> {
  let over = false;
  const end = during.then(() => {
    over = true;
  });
  while (!over) {
    const befell = proxy.nextCommit(FATES[drops % FATES.length] as CommitFate);
    await Promise.race([befell, end]);
    if (!over) drops++;
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 60)), end]);
  }
  proxy.nextCommit('pass');
}

let batches = 0;
function calls(kind: 'charge' | 'order', count: number): Call[] {
  const batch = ++batches;
  return Array.from({ length: count }, (_, n) =>
    kind === 'charge' ? charge(1 + (n % 20), 1_000 + n, `${batch}-${n}`) : order(1 + n, `${batch}-${n}`),
  );
}

describe.each(['charge', 'order'] as const)('%ss in a crowd, whose COMMITs break one after the other', (kind) => {
  it('take effect exactly once each, and everybody gets the right answer in the end', async () => {
    const before = await judged.before();
    const retries = () => metric(through, 'onrush_transaction_retries_total', { reason: 'commit_unknown' });
    const [dropsBefore, retriesBefore] = [drops, await retries()];
    const answered: Answered[] = [];
    // The same keys through another process at the same time, which must wait for the row and then find them.
    const all = calls(kind, kind === 'charge' ? 400 : 180);
    const some = all.filter((_, n) => n % 5 === 0);
    let elsewhere: Answered[] = [];
    await dropCommits(
      Promise.all([
        untilDefinite(all, () => [through.url]).then((answers) => answered.push(...answers)),
        untilDefinite(some, () => [direct.url], 4).then((answers) => {
          elsewhere = answers;
        }),
      ]),
    );
    expect(drops - dropsBefore).toBeGreaterThanOrEqual(2 * FATES.length);
    expect((await retries()) - retriesBefore).toBeGreaterThan(0);
    expect(answered.filter(({ answer }) => answer?.status !== 200)).toEqual([]);

    // Both processes were asked under the same key: one answer.
    const bodyOf = new Map(answered.map(({ call, answer }) => [call.key, answer?.body]));
    for (const { call, answer } of elsewhere) expect(answer?.body).toEqual(bodyOf.get(call.key));

    const verdict = await judged.verdict(figuresOf(before, answered));
    expect(verdict.reasons).toEqual([]);
    expect(verdict.verdict).toBe('PASS');
    expect(verdict.checks.find(({ id }) => id === `client-${kind}s`)?.checked).toBe(all.length);
  });

  it('whose deadline passes meanwhile are told that the outcome is unknown, and the same key then says what it was', async () => {
    const before = await judged.before();
    const [first] = calls(kind, 1);
    const befell = proxy.nextCommit('unanswered');
    const began = Date.now();
    const answer = await fetch(`${through.url}${first?.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': first?.key ?? '' },
      body: JSON.stringify(first?.body),
    });
    await befell;
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'COMMON504']);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(Date.now() - began).toBeLessThan(3 * DEADLINE);
    const answered = await untilDefinite([first as Call], () => [through.url]);
    expect(answered[0]?.answer).toMatchObject({ status: 200, replayed: true });
    const verdict = await judged.verdict(figuresOf(before, answered));
    expect(verdict.reasons).toEqual([]);
    expect(verdict.checks.find(({ id }) => id === `client-${kind}s`)?.checked).toBe(1);
  });
});
