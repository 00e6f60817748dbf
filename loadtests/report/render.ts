import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runAsProgram } from '../../services/core/program.ts';
import { reportPage } from './page.ts';
import type { Results } from './results.ts';

// node run.mjs loadtests/report/render.ts results.json: writes report.html beside it.
runAsProgram('loadtests/report/render.ts', async () => {
  const file = process.argv[2];
  if (!file) throw new Error('usage: node run.mjs loadtests/report/render.ts results.json');
  const results = JSON.parse(readFileSync(file, 'utf8')) as Results;
  const page = join(dirname(file), 'report.html');
  writeFileSync(page, reportPage(results));
  console.log(page);
});
