import { findProgram } from './command.ts';
import { EngineFailure } from './failure.ts';
import { aptInstall } from './native/apt.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The path of a Chromium: the installed one, else Debian's, installed now. */
export async function findChromium(): Promise<string> {
  const installed = findProgram(...NAMES);
  if (installed) return installed;
  await aptInstall(['chromium'], 'draws pages for pictures and tests');
  const after = findProgram('chromium');
  if (!after) throw new EngineFailure('the package chromium brought no program');
  return after;
}

/** Whether `findChromium` has a chance: there is one, or a way to install it. Tests that need it are skipped otherwise. */
export const chromiumCanBeHad = (): boolean =>
  findProgram(...NAMES) !== undefined ||
  (findProgram('apt-get') !== undefined && (process.getuid?.() === 0 || findProgram('sudo') !== undefined));
