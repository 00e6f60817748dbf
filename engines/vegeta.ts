import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { findProgram, runLogged } from './command.ts';
import { inState } from './directory.ts';
import { findGo } from './go.ts';
import { say } from './say.ts';

const vegetaModule = 'github.com/tsenart/vegeta/v12@v12.12.0';

/**
 * The path of vegeta: the one on PATH, the one built before, else one built now from its Go module (half a minute).
 * @throws EngineFailure with one line that says what to install.
 */
export async function findVegeta(): Promise<string> {
  const built = inState('bin', 'vegeta');
  const found = findProgram('vegeta') ?? (existsSync(built) ? built : undefined);
  if (found) return found;
  const go = await findGo('vegeta', 'vegeta (on PATH)');
  say(`go install ${vegetaModule}: sends requests at a constant rate; there is none on this machine`);
  mkdirSync(dirname(built), { recursive: true });
  await runLogged('vegeta', go, ['install', '-trimpath', '-ldflags=-s -w', vegetaModule], 'vegeta could not be built', {
    env: { ...process.env, GOBIN: dirname(built), GOFLAGS: '', CGO_ENABLED: '0' },
  });
  return built;
}
