import { runAsProgram } from '../../services/core/program.ts';
import { startEngineSet } from './engine-set.ts';
import { run } from './run.ts';

runAsProgram('loadtests/faults/rush.ts', async () => {
  const engines = await startEngineSet();
  try {
    const result = await run(engines, {
      faults: [{ kind: process.argv[2] as 'kill', engine: process.argv[3] as 'redis', at: 5, lasts: 5 }],
      seconds: 20,
      rates: { coupon: 40, charge: 40, order: 20 },
      users: 5_000,
      coupons: 2_000,
      processes: 2,
      requestTimeoutMs: 5_000,
      onFault: (fault, what) => console.log(fault, what),
      onSample: (sample) => console.log(sample),
    });
    const { requests, samples, invariants, ...shown } = result;
    console.dir(shown, { depth: 5 });
    console.log(invariants.verdict, invariants.reasons, invariants.lostPromises);
  } finally {
    await engines.stop();
  }
  process.exit(0);
});
