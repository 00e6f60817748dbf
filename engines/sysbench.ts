import { findProgram } from './command.ts';
import { EngineFailure } from './failure.ts';
import { aptInstall } from './native/apt.ts';
import { say } from './say.ts';

/** The path of sysbench; undefined, after one line, where it cannot be had. */
export async function findSysbench(): Promise<string | undefined> {
  const installed = findProgram('sysbench');
  if (installed) return installed;
  try {
    await aptInstall(['sysbench'], 'runs the same SQL against the database without the services, to compare with');
    return findProgram('sysbench');
  } catch (error) {
    if (!(error instanceof EngineFailure)) throw error;
    say(`no sysbench, so no figure for the database alone: ${error.message}`);
    return undefined;
  }
}
