import { up } from '../../engines/up.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { runJest } from './jest.ts';

const FAULTS = '--faults';

/** Runs the whole suite on real engines, or with --faults the slow one that breaks things. Other arguments go to Jest. */
runAsProgram('loadtests/test/test.ts', async () => {
  const given = process.argv.slice(2);
  // Before Jest, so that what cannot be installed or started is said in one line.
  await up();
  const config = given.includes(FAULTS) ? 'jest.faults.config.cjs' : 'jest.config.json';
  process.exit(
    await runJest(
      config,
      given.filter((argument) => argument !== FAULTS),
    ),
  );
});
