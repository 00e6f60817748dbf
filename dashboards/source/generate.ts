import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { runAsProgram } from '../../services/core/program.ts';
import { generated, links } from './generated.ts';

/** Writes everything that is made from these sources: npm run dashboards. */
runAsProgram('dashboards/source/generate.ts', async () => {
  for (const [path, text] of generated()) {
    writeFileSync(path, text);
    console.log(path);
  }
  for (const [link, path] of links()) {
    mkdirSync(dirname(link), { recursive: true });
    rmSync(link, { force: true });
    symlinkSync(relative(dirname(link), path), link);
  }
});
