import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, findProgram, runLogged } from './command.ts';
import { composeService } from './compose.ts';
import { inState } from './directory.ts';
import { EngineFailure, reason, runAsProgram } from './failure.ts';
import { writePrivate } from './files.ts';
import { passwords } from './passwords.ts';
import { readMysql } from './running/mysql.ts';
import { say } from './say.ts';

// The MySQL of compose.yaml in a container of its own, beside whatever else runs: tests that ran on MariaDB run again
// on MySQL, with its binary log, by `export $(node run.mjs engines/container-mysql.ts)`. On the host's network, since
// the port forwarding of a bridge costs latency. Its data go with it at `--down`.

const port = 13307;
const container = () => `onrush-mysql-${createHash('sha256').update(inState()).digest('hex').slice(0, 8)}`;
const answerWithinMs = 120_000;

async function start(): Promise<void> {
  const { image, command = [] } = composeService('mysql');
  const { mysql, mysqlRoot } = passwords();
  const environment = inState('container-mysql.env');
  const values = {
    MYSQL_DATABASE: 'onrush',
    MYSQL_USER: 'onrush',
    MYSQL_PASSWORD: mysql,
    MYSQL_ROOT_PASSWORD: mysqlRoot,
  };
  writePrivate(
    environment,
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const grants = `${resolve('engines/mysql/grants.sql')}:/docker-entrypoint-initdb.d/grants.sql:ro`;
  const options = ['-d', '--name', container(), '--network', 'host', '--env-file', environment, '-v', grants];
  const listen = [`--port=${port}`, '--bind-address=127.0.0.1'];
  say(`docker run ${image} on port ${port}`);
  await runLogged(
    'container-mysql',
    'docker',
    ['run', ...options, image, ...command, ...listen],
    `${image} did not start`,
  );
}

async function stop(): Promise<void> {
  if (!(await ask('docker', ['inspect', container()])).ok) return;
  if ((await ask('docker', ['rm', '-f', '-v', container()], 60_000)).ok) say(`${container()}: removed`);
}

async function untilAnswering(url: string): Promise<string> {
  const deadline = Date.now() + answerWithinMs;
  for (;;) {
    try {
      return (await readMysql(url)).version;
    } catch (error) {
      const { output } = await ask('docker', ['inspect', '-f', '{{.State.Running}}', container()]);
      if (output !== 'true' || Date.now() > deadline) {
        const logs = await ask('docker', ['logs', '--tail', '3', container()]);
        throw new EngineFailure(`${container()} does not answer: ${reason(error)}\n${logs.output}`);
      }
      await sleep(200);
    }
  }
}

runAsProgram('engines/container-mysql.ts', async (args) => {
  const unknown = args.find((arg) => arg !== '--down');
  if (unknown) throw new EngineFailure(`unknown argument ${unknown}: container-mysql.ts [--down]`);
  if (!findProgram('docker')) throw new EngineFailure('no Docker on this machine');
  if (args.includes('--down')) {
    await stop();
    return 0;
  }
  const url = `mysql://onrush:${passwords().mysql}@127.0.0.1:${port}/onrush`;
  const { output } = await ask('docker', ['inspect', '-f', '{{.State.Running}}', container()]);
  if (output !== 'true') {
    await stop();
    await start();
  }
  say(`${await untilAnswering(url)} answers on port ${port}`);
  // With its password, unlike everything else that is printed: a shell is to evaluate it.
  console.log(`DATABASE_URL=${url}`);
  return 0;
});
