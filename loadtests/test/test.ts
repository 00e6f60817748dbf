import { up } from '../../engines/up.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { runJest } from './jest.ts';

/** Runs the whole suite on real engines. Arguments go to Jest. */
runAsProgram('loadtests/test/test.ts', async () => {
  // Before Jest, so that what cannot be installed or started is said in one line.
  await up();
  process.exit(await runJest('jest.config.json', process.argv.slice(2)));
});
