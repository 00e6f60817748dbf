import { existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { composeDown } from './compose.ts';
import { inState } from './directory.ts';
import { engineNames, labels } from './engines.ts';
import { EngineFailure, runAsProgram } from './failure.ts';
import { readIfThere } from './files.ts';
import { withLock } from './lock.ts';
import { stopDaemon } from './native/daemon.ts';
import { forgetRecord, readRecord } from './record.ts';
import { say } from './say.ts';

/** Stops what `up` started and nothing else; with `wipe` their data and passwords go as well. */
export async function down({ wipe = false } = {}): Promise<void> {
  await withLock(async () => {
    const record = readRecord();
    const stops = engineNames.map(async (name) => {
      if (await stopDaemon(name, labels[name])) say(`${labels[name]}: stopped`);
      else if (record?.[name].kind === 'external') say(`${labels[name]}: external, left running`);
    });
    const failed = (await Promise.allSettled(stops)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const composed = engineNames.some((name) => record?.[name].kind === 'compose');
    // Volumes outlive a `down`, and so does this file beside them.
    if (composed || (wipe && existsSync(inState('compose.env')))) {
      await composeDown(wipe);
      say('Docker Compose: stopped');
    }
    forgetRecord();
    if (wipe) wipeData();
  });
}

function wipeData(): void {
  const socketDirectory = readIfThere(inState('run', 'mysql.socket-directory'));
  if (socketDirectory && dirname(socketDirectory) !== '/') rmSync(socketDirectory, { recursive: true, force: true });
  // Downloaded programs (bin, kafka/libs) stay: they are no data.
  for (const data of [
    'mysql',
    'redis',
    'kafka/data',
    'kafka/formatted',
    'run',
    'log',
    'passwords.json',
    'compose.env',
  ]) {
    rmSync(inState(data), { recursive: true, force: true });
  }
  say('data removed');
}

runAsProgram('engines/down.ts', async (args) => {
  const unknown = args.find((arg) => arg !== '--wipe');
  if (unknown) throw new EngineFailure(`unknown argument ${unknown}: npm run down [-- --wipe]`);
  await down({ wipe: args.includes('--wipe') });
  return 0;
});
