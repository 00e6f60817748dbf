import { findProgram } from './command.ts';
import { EngineFailure } from './failure.ts';
import { aptInstall } from './native/apt.ts';

/** The path of a Chromium: the installed one, else Debian's, installed now. */
export async function findChromium(): Promise<string> {
  const installed = findProgram('chromium', 'chromium-browser', 'google-chrome');
  if (installed) return installed;
  await aptInstall(['chromium'], 'draws pages for pictures and tests');
  const after = findProgram('chromium');
  if (!after) throw new EngineFailure('the package chromium brought no program');
  return after;
}
