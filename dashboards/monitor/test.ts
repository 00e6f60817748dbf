import { up } from '../../engines/up.ts';
import { runJest } from '../../loadtests/test/jest.ts';
import { runAsProgram } from '../../services/core/program.ts';

/** Dashboards and alerts against a real Prometheus and real load: npm run test:observability. Arguments go to Jest. */
runAsProgram('dashboards/monitor/test.ts', async () => {
  await up();
  process.exit(await runJest('jest.observability.config.cjs', process.argv.slice(2)));
});
