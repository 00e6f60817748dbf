import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inState } from '../../engines/directory.ts';
import { type EngineName, engineNames } from '../../engines/engines.ts';
import { readIfThere } from '../../engines/files.ts';
import { startTime } from '../../engines/native/daemon.ts';
import { port } from '../../engines/ports.ts';
import { startEngineSet } from './engine-set.ts';

/** Whether the set's engine is a living process. */
async function runs(name: EngineName): Promise<boolean> {
  const [pid, started] =
    readIfThere(inState('faults', 'run', `${name}.pid`))
      ?.trim()
      .split(/ (.*)/s) ?? [];
  return pid !== undefined && (await startTime(Number(pid))) === started;
}

async function left(): Promise<EngineName[]> {
  const alive = await Promise.all(engineNames.map(runs));
  return engineNames.filter((_, at) => alive[at]);
}

test('engines that did start are stopped where another one does not', async () => {
  // Where the set's Kafka would take what comes through its proxy: it gives up, after MySQL and Redis have started.
  const inTheWay = createServer().listen(port('ONRUSH_KAFKA_PORT') + 52, '127.0.0.1');
  await once(inTheWay, 'listening');
  try {
    await expect(startEngineSet()).rejects.toThrow('MySQL: started');
  } finally {
    inTheWay.close();
  }
  expect(await left()).toEqual([]);
}, 300_000);

test('Ctrl-C while the engines start leaves none behind', async () => {
  // The set may have been this process's until now.
  rmSync(inState('faults', 'owner'), { force: true });
  const args = ['--disable-warning=ExperimentalWarning', 'loadtests/faults/rush.ts', '--seconds', '5'];
  // As at a terminal: a process group of its own, all of which hears it.
  const rush = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  rush.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(rush, 'close');
  while (!(await runs('mysql')) && rush.exitCode === null) await sleep(20);
  process.kill(-(rush.pid as number), 'SIGINT');
  expect(await ended).toEqual([2, null]);
  expect(said).toContain('interrupted while the engines started');
  expect(await left()).toEqual([]);
}, 300_000);
