import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { inState } from '../../engines/directory.ts';
import { writePrivate } from '../../engines/files.ts';
import type { RawLoad } from './load.ts';

/** Transactions a second that sysbench gets out of the engine with this many threads. */
export async function runSysbench(
  sysbench: string,
  databaseUrl: string,
  { kind, users }: RawLoad,
  threads: number,
  seconds: number,
): Promise<number> {
  const url = new URL(databaseUrl);
  // In a file, since a password on the command line is everybody's to read.
  const settings = inState('run', `sysbench-${process.pid}.conf`);
  const lines = {
    'db-driver': 'mysql',
    'mysql-host': url.hostname,
    'mysql-port': url.port || '3306',
    'mysql-user': decodeURIComponent(url.username),
    'mysql-password': decodeURIComponent(url.password),
    'mysql-db': url.pathname.slice(1),
    // Deadlock, lock wait timeout, changed record: the transaction is run again, as in the services.
    'mysql-ignore-errors': '1213,1205,1020',
  };
  writePrivate(
    settings,
    Object.entries(lines)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  try {
    const { stdout } = await promisify(execFile)(sysbench, [
      `--config-file=${settings}`,
      `--threads=${threads}`,
      `--time=${seconds}`,
      '--events=0',
      `--wallets=${users}`,
      `--run-id=${Date.now().toString(36)}`,
      `loadtests/raw/${kind}.lua`,
      'run',
    ]);
    const perSecond = /transactions:\s+\d+\s+\(([\d.]+) per sec/.exec(stdout)?.[1];
    if (!perSecond) throw new Error(`sysbench told no rate:\n${stdout}`);
    return Number(perSecond);
  } finally {
    rmSync(settings, { force: true });
  }
}
