import { writeFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import type { Connection } from 'mysql2/promise';
import { type Names, namesOf } from '../../services/core/names.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { connectDatabase, connectKafka, connectRedis } from '../seed/connect.ts';
import { readBefore } from './before.ts';
import { type Check, countRows, type NotChecked, runCheck } from './check.ts';
import { clientChecks, promiseCheck } from './clients.ts';
import { couponChecks } from './coupons.ts';
import { backlogReasons, drained, look } from './drained.ts';
import { type Mapping, ONRUSH, requireSources } from './mapping.ts';
import { compareMembers, type Differences, memberChecks, membersNotChecked } from './members.ts';
import { parseVerifyOptions, USAGE } from './options.ts';
import { orderChecks } from './orders.ts';
import { printVerdict } from './print.ts';
import { inSnapshot } from './snapshot.ts';
import { stockChecks } from './stock.ts';
import type { Verdict, VerifyOptions } from './verdict.ts';
import { walletChecks } from './wallets.ts';

/**
 * Judges what the database holds. One violated invariant is FAIL. Otherwise anything that could not be decided (queues
 * that are not empty, no baselines) is INCONCLUSIVE, never PASS.
 * @throws EngineAway, BadMapping
 */
export async function verify(options: VerifyOptions): Promise<Verdict> {
  const { namespace, clients, mapping = ONRUSH, allowLostPromises = false } = options;
  const began = performance.now();
  await using open = new AsyncDisposableStack();
  const connection = await connectDatabase(options.databaseUrl);
  open.defer(() => connection.end());
  const redis = options.redisUrl ? await connectRedis(options.redisUrl) : undefined;
  open.defer(() => redis?.disconnect());
  const kafka = options.kafkaBrokers ? await connectKafka(options.kafkaBrokers, namespace) : undefined;
  open.defer(() => kafka?.disconnect());
  await requireSources(connection, mapping);

  const names = namesOf(namespace);
  const queues = { connection, redis, kafka, names, mapping };
  const queuesBefore = await drained(queues);
  const seen = await inSnapshot(connection, async () => ({
    ...(await checkSets(connection, mapping)),
    members: await membersOf(connection, redis, mapping, names),
    now: clients && (await readBefore(connection, mapping)),
  }));
  const queuesAfter = await look(queues);

  const reasons = [...queuesBefore.reasons];
  if (queuesBefore.drained) reasons.push(...backlogReasons(queuesAfter));
  if (queuesBefore.drained && queuesBefore.last.ends !== queuesAfter.ends)
    reasons.push('the queues were written to while the checks ran');
  // A dead letter never moves again, so it does not keep the comparison with Redis from being decided.
  const { stream, couponLag } = queuesAfter.backlog;
  const settled = queuesBefore.last.ends === queuesAfter.ends && stream === 0 && couponLag === 0;

  const found: (Check | NotChecked)[] = [...seen.found, ...judgeMembers(seen.members, settled)];
  let lostPromises: number | null = null;
  if (clients && seen.now) {
    const promises = promiseCheck(clients, seen.now, { settled, allowLostPromises });
    lostPromises = promises.lostPromises;
    found.push(promises.check, ...clientChecks(clients, seen.now));
  } else {
    found.push({ id: 'clients', group: 5, title: 'acknowledged ≤ rows ≤ sent', reason: 'no figures were given' });
  }
  found.sort((a, b) => a.group - b.group);
  const checks = found.filter((check): check is Check => 'status' in check);
  const notChecked = found.filter((check): check is NotChecked => !('status' in check));
  return {
    ...formVerdict(checks, reasons),
    checks,
    notChecked,
    lostPromises,
    backlog: queuesAfter.backlog,
    seconds: (performance.now() - began) / 1000,
  };
}

async function checkSets(connection: Connection, mapping: Mapping): Promise<{ found: (Check | NotChecked)[] }> {
  const counts = await countRows(connection, mapping);
  const found: (Check | NotChecked)[] = [];
  for (const check of [...couponChecks, ...walletChecks, ...stockChecks, ...orderChecks]) {
    found.push(await runCheck(connection, mapping, counts, check));
  }
  return { found };
}

async function membersOf(
  connection: Connection,
  redis: Redis | undefined,
  mapping: Mapping,
  names: Names,
): Promise<Differences | string> {
  if (!redis) return 'no Redis was given';
  if (!mapping.coupons || !mapping.user_coupons) return 'the mapping has no coupons or no user_coupons';
  return compareMembers(connection, redis, names, mapping);
}

function judgeMembers(members: Differences | string, settled: boolean): (Check | NotChecked)[] {
  return typeof members === 'string' ? membersNotChecked(members) : memberChecks(members, settled);
}

function formVerdict(checks: Check[], undecided: string[]): Pick<Verdict, 'verdict' | 'reasons'> {
  const violated = checks.filter(({ status }) => status === 'violated');
  const unknown = checks.filter(({ status }) => status === 'unknown');
  const reasons = [
    ...violated.map(({ id, violations }) => `${id}: ${violations} violations`),
    ...unknown.map(({ id, reason }) => `${id}: ${reason}`),
    ...undecided,
  ];
  if (violated.length > 0) return { verdict: 'FAIL', reasons };
  return { verdict: reasons.length > 0 ? 'INCONCLUSIVE' : 'PASS', reasons };
}

const EXIT_CODES = { PASS: 0, FAIL: 1, INCONCLUSIVE: 2 } as const;

runAsProgram('loadtests/verify/verify.ts', async () => {
  const options = await parseVerifyOptions(process.argv.slice(2), process.env);
  if (options === 'help') {
    console.log(USAGE);
    return;
  }
  const verdict = await verify(options);
  if (options.json === '-') console.log(JSON.stringify(verdict));
  else {
    if (options.json) await writeFile(options.json, `${JSON.stringify(verdict, null, 2)}\n`);
    printVerdict(verdict, process.stdout);
  }
  process.exitCode = EXIT_CODES[verdict.verdict];
});
