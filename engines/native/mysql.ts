import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { ask, atLeast, findProgram, runLogged, versionIn } from '../command.ts';
import { inState } from '../directory.ts';
import { EngineFailure } from '../failure.ts';
import { readIfThere, writePrivate } from '../files.ts';
import { passwords } from '../passwords.ts';
import { port } from '../ports.ts';
import { aptCandidate, aptInstall } from './apt.ts';
import type { Daemon } from './daemon.ts';

interface Server {
  path: string;
  flavour: 'mysql' | 'mariadb';
}

/** SKIP LOCKED came with MySQL 8.0 and MariaDB 10.6; a redo log of one setting with MySQL 8.0.30. */
const oldest = { mysql: [8, 0, 30], mariadb: [10, 6] };

/** An installed server, a MySQL before a MariaDB: on Debian `mysqld` may be either, so its answer decides. */
async function installed(): Promise<Server | undefined> {
  const servers: Server[] = [];
  for (const path of [findProgram('mysqld'), findProgram('mariadbd')]) {
    if (!path) continue;
    const { output } = await ask(path, ['--no-defaults', '--version']);
    const flavour = /mariadb/i.test(output) ? 'mariadb' : 'mysql';
    if (atLeast(versionIn(output.replace(/^.*?Ver /, '')), oldest[flavour])) servers.push({ path, flavour });
  }
  return servers.find(({ flavour }) => flavour === 'mysql') ?? servers[0];
}

/** The -core packages hold the server without the scripts that would start it as a system service. */
async function install(): Promise<Server> {
  const before = await installed();
  if (before) return before;
  const candidate = await aptCandidate([
    { name: 'mysql-server-core', version: [8, 4] },
    { name: 'mysql-server-core-9.7', version: [9] },
    { name: 'mysql-server-core-8.4', version: [8, 4] },
    { name: 'mariadb-server-core', version: oldest.mariadb },
  ]);
  const packages = candidate?.startsWith('mysql') ? [candidate] : ['mariadb-server-core', 'mariadb-client-core'];
  await aptInstall(packages, 'the database engine, as programs only, without a system service');
  const after = await installed();
  if (!after) throw new EngineFailure(`${packages.join(' ')} brought no server that is new enough`);
  return after;
}

const dataDirectory = () => inState('mysql');
const configuration = () => inState('run', 'mysql.cnf');
const initFile = () => inState('run', 'mysql-init.sql');
const runAs = () => (process.getuid?.() === 0 ? ['--user=root'] : []);

const longestSocketPath = 107;

/** Where the server's Unix socket lies: nobody connects to it, but MariaDB insists on one, of a short path. */
function socket(): string {
  const beside = inState('run', 'mysql.sock');
  if (beside.length <= longestSocketPath) return beside;
  const note = inState('run', 'mysql.socket-directory');
  const kept = readIfThere(note);
  const directory = kept && existsSync(kept) ? kept : mkdtempSync(join(tmpdir(), 'onrush-'));
  writePrivate(note, directory);
  return join(directory, 'mysql.sock');
}

/** 1 GiB, or an eighth of a small machine's memory, in MiB. */
const bufferPool = () => Math.max(128, Math.min(1024, Math.floor(totalmem() / 8 / 2 ** 20)));

/** Durable as in production: every commit is on disk, and in the binary log where there is one. */
function settings({ flavour }: Server): string[] {
  return [
    `datadir=${dataDirectory()}`,
    `socket=${socket()}`,
    `pid-file=${inState('run', 'mysql.server-pid')}`,
    `init-file=${initFile()}`,
    'bind-address=127.0.0.1',
    `port=${port('ONRUSH_MYSQL_PORT')}`,
    'skip-name-resolve=ON',
    'max-connections=300',
    'character-set-server=utf8mb4',
    "default-time-zone='+00:00'",
    'transaction-isolation=READ-COMMITTED',
    'innodb-flush-log-at-trx-commit=1',
    `innodb-buffer-pool-size=${bufferPool()}M`,
    // Long enough for the longest honest queue at a hot row, short enough that a stuck one shows.
    'innodb-lock-wait-timeout=3',
    // Who waits for what is read from it. Its cost drowned in the noise: sysbench oltp_write_only, 8 threads, MariaDB
    // 10.11, medians of 4 in turns, 1,950 tx/s with it and 1,853 without.
    'performance-schema=ON',
    'event-scheduler=OFF',
    'local-infile=OFF',
    ...(flavour === 'mysql'
      ? [
          'log-bin=binlog',
          'sync-binlog=1',
          'binlog-expire-logs-seconds=86400',
          'innodb-redo-log-capacity=1G',
          'mysqlx=OFF',
          // The packaged default is a directory the -core package does not make.
          'secure-file-priv=NULL',
        ]
      : // MariaDB writes no binary log unless told to: a single server without replicas needs none to be durable.
        ['innodb-log-file-size=1G']),
  ];
}

/** Statements the server runs at each start, one a line: the account is always what passwords.json says. */
function accountStatements({ flavour }: Server): string[] {
  const { mysql, mysqlRoot } = passwords();
  const grants = readFileSync('engines/mysql/grants.sql', 'utf8').trim().split('\n');
  return [
    'CREATE DATABASE IF NOT EXISTS onrush;',
    `CREATE USER IF NOT EXISTS 'onrush'@'%' IDENTIFIED BY '${mysql}';`,
    `ALTER USER 'onrush'@'%' IDENTIFIED BY '${mysql}';`,
    ...grants,
    // MariaDB's root is let in by the Unix socket's peer only; MySQL's starts with an empty password.
    ...(flavour === 'mysql' ? [`ALTER USER 'root'@'localhost' IDENTIFIED BY '${mysqlRoot}';`] : []),
  ];
}

/** Makes the data directory under another name first: one that has its right name is complete. */
async function initialize(server: Server): Promise<void> {
  if (existsSync(dataDirectory())) return;
  const unfinished = 'mysql-unfinished-';
  for (const name of readdirSync(inState())) {
    if (name.startsWith(unfinished)) rmSync(inState(name), { recursive: true, force: true });
  }
  const fresh = mkdtempSync(inState(unfinished));
  const failed = 'MySQL: its data directory could not be made';
  if (server.flavour === 'mysql') {
    await runLogged(
      'mysql',
      server.path,
      ['--no-defaults', '--initialize-insecure', `--datadir=${fresh}`, ...runAs()],
      failed,
    );
  } else {
    const script = findProgram('mariadb-install-db', 'mysql_install_db');
    if (!script) throw new EngineFailure('MySQL: mariadbd is installed, but mariadb-install-db is not');
    const options = [
      '--no-defaults',
      `--datadir=${fresh}`,
      '--skip-test-db',
      '--auth-root-authentication-method=socket',
    ];
    await runLogged('mysql', script, [...options, ...runAs()], failed);
  }
  renameSync(fresh, dataDirectory());
}

/** Finds or installs the server, makes its data directory and configuration, and says how to start it. */
export async function prepareMysql(): Promise<Daemon> {
  const server = await install();
  mkdirSync(dirname(configuration()), { recursive: true, mode: 0o700 });
  await initialize(server);
  writePrivate(initFile(), `${accountStatements(server).join('\n')}\n`);
  writePrivate(configuration(), `[mysqld]\n${settings(server).join('\n')}\n`);
  return { command: server.path, args: [`--defaults-file=${configuration()}`, ...runAs()] };
}
