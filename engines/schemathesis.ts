import { existsSync } from 'node:fs';
import { findProgram, runLogged } from './command.ts';
import { inState } from './directory.ts';
import { EngineFailure } from './failure.ts';
import { aptInstall } from './native/apt.ts';
import { say } from './say.ts';

const PACKAGE = 'schemathesis==4.32.5';

/** The path of schemathesis (`st`) in an environment of the checkout's own, made now where it is not there. */
export async function findSchemathesis(): Promise<string> {
  const directory = inState('venv');
  const st = `${directory}/bin/st`;
  if (existsSync(st)) return st;
  say(`pip install ${PACKAGE} into ${directory}, once`);
  // Debian's Python comes without what makes environments.
  if (!findProgram('python3') || !(await makes(directory))) {
    await aptInstall(['python3', 'python3-venv'], 'runs schemathesis, which asks the APIs what their contract allows');
    if (!(await makes(directory))) throw new EngineFailure(`python3 -m venv ${directory} failed`);
  }
  await runLogged(
    'schemathesis',
    `${directory}/bin/pip`,
    ['install', '--quiet', PACKAGE],
    `pip could not install ${PACKAGE}`,
  );
  return st;
}

async function makes(directory: string): Promise<boolean> {
  const python = findProgram('python3');
  if (!python) return false;
  return runLogged('schemathesis', python, ['-m', 'venv', '--clear', directory], 'python3 -m venv failed').then(
    () => true,
    () => false,
  );
}
