import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { runAsProgram } from '../../services/core/program.ts';
import { generated } from './generated.ts';

/** Writes everything that is made from these sources: npm run dashboards. */
runAsProgram('dashboards/source/generate.ts', async () => {
  for (const [path, text] of generated()) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(path);
  }
});
