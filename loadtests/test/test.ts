import { up } from '../../engines/up.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { countJest, printCounts, runJest } from './jest.ts';

const FAULTS = '--faults';
/** With --faults: only the race suite on several processes. */
const RACES_ONLY = '--races';

/** The files whose tests run races, which are run on the processes of a cluster too. */
const RACES = [
  'services/balance/charge.test',
  'services/cart/cart.test',
  'services/coupon/issue.test',
  'services/order/order.test',
];

/** Runs the whole suite on real engines, or with --faults the slow one that breaks things. Other arguments go to Jest. */
runAsProgram('loadtests/test/test.ts', async () => {
  const given = process.argv.slice(2).filter((argument) => argument !== FAULTS && argument !== RACES_ONLY);
  // Before Jest, so that what cannot be installed or started is said in one line.
  await up();
  if (!process.argv.includes(FAULTS)) process.exit(await runJest('jest.config.json', given));
  if (given.length > 0) process.exit(await runJest('jest.faults.config.cjs', given));
  const onlyRaces = process.argv.includes(RACES_ONLY);
  const faults = onlyRaces ? { passed: 0, failed: 0, code: 0 } : await countJest('jest.faults.config.cjs', []);
  const races = await countJest('jest.config.json', RACES, { ONRUSH_TEST_PROCESSES: 'split' });
  printCounts({ passed: faults.passed + races.passed, failed: faults.failed + races.failed, code: 0 });
  process.exit(faults.code || races.code);
});
