import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { inState } from '../../engines/directory.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { readLedger } from './ledger.ts';
import { trendsPage } from './trends-page.ts';

// npm run trends [-- LEDGER]: draws what the ledger holds as a page.
runAsProgram('loadtests/compare/trends.ts', async () => {
  const entries = readLedger(process.argv[2]);
  if (entries.length === 0)
    throw new Error('the ledger is empty: npm run bench -- --profile saturate --record adds a line');
  const page = inState('results', 'trends.html');
  mkdirSync(dirname(page), { recursive: true });
  writeFileSync(page, trendsPage(entries));
  console.log(`${entries.length} entries: ${relative(process.cwd(), page)}`);
});
