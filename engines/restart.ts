import { type EngineName, engineNames, labels } from './engines.ts';
import { EngineFailure, runAsProgram } from './failure.ts';
import { runningPid } from './native/daemon.ts';
import { prepareNative, startNative } from './native/start.ts';
import { readRecord } from './record.ts';
import { say } from './say.ts';

/** Starts one engine of this state directory again, whatever the others do: the second half of a crash. */
async function restart(name: EngineName): Promise<void> {
  const place = readRecord()?.[name];
  if (place?.kind !== 'native') throw new EngineFailure(`${labels[name]} was not started here by up`);
  if ((await runningPid(name)) !== undefined) throw new EngineFailure(`${labels[name]} is running`);
  await startNative(name, place, await prepareNative(name));
  say(`${labels[name]}: started again`);
}

runAsProgram('engines/restart.ts', async ([name, ...more]) => {
  if (!engineNames.includes(name as EngineName) || more.length > 0)
    throw new EngineFailure(`node run.mjs engines/restart.ts ${engineNames.join(' | ')}`);
  await restart(name as EngineName);
  return 0;
});
