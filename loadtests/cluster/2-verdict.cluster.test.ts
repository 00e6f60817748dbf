import { setTimeout as sleep } from 'node:timers/promises';
import { bench } from './bench.ts';
import { kubectl } from './commands.ts';
import { deployment, MINUTES, settled, violated } from './deployments.ts';

test(
  'coupons, charges and orders from two runners: PASS, and their figures agree with the database to the won',
  async () => {
    for (const scenario of ['coupon', 'charge', 'order'] as const) {
      const { code, results } = await bench(scenario, 5, scenario === 'coupon' ? 'fresh' : 'as it is');
      expect(results.reasons).toEqual([]);
      expect(code).toBe(0);
      expect(results.invariants?.checks.filter(({ group }) => group === 'Clients against database')).not.toEqual([]);
      expect(results.scenarios[0]?.apis[0]?.acknowledged).toBeGreaterThan(50);
    }
  },
  10 * MINUTES,
);

// Whether NetworkPolicy is enforced is the network plugin's affair: kind's does.
test(
  'a threshold that breaks is a FAIL',
  async () => {
    kubectl('scale', 'deployment', deployment('balance-api'), '--replicas=0');
    try {
      const { code, results } = await bench('charge', 5, 'as it is');
      expect(results.reasons.join('\n')).toMatch(
        /charge: the threshold http_req_failed\{name:charge\} rate<=0.01 is broken/,
      );
      expect([results.verdict, code]).toEqual(['FAIL', 1]);
    } finally {
      kubectl('scale', 'deployment', deployment('balance-api'), '--replicas=3');
      settled();
    }
  },
  6 * MINUTES,
);

test(
  'a runner that is lost leaves the run INCONCLUSIVE',
  async () => {
    const { code, results } = await bench('charge', 30, 'as it is', async () => {
      await sleep(3_000);
      kubectl(
        'delete',
        'pod',
        '-l',
        'k6_cr=balance-charge,runner=true,batch.kubernetes.io/job-name=balance-charge-1',
        '--wait=false',
      );
    });
    expect(results.reasons).toEqual([expect.stringMatching(/^charge: the runner balance-charge-1 is lost/)]);
    expect([results.verdict, code]).toEqual(['INCONCLUSIVE', 2]);
    expect(violated(results)).toEqual([]);
  },
  6 * MINUTES,
);
