import { findProgram } from './command.ts';
import { aptInstall } from './native/apt.ts';

/**
 * The path of wrk.
 * @throws EngineFailure where it cannot be had.
 */
export async function findWrk(): Promise<string> {
  const installed = findProgram('wrk');
  if (installed) return installed;
  await aptInstall(['wrk'], 'sends requests at a fraction of what k6 takes of the machine');
  return findProgram('wrk') as string;
}
