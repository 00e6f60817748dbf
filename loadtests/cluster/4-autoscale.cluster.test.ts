import { setTimeout as sleep } from 'node:timers/promises';
import { bench } from './bench.ts';
import { done, kubectl, NAMESPACE, objects } from './commands.ts';
import { APIS, deployment, MINUTES, settled, violated } from './deployments.ts';

/** Changes values of the release and waits until its pods have them. */
const upgrade = (...values: string[]): string =>
  done('helm', [
    ...['upgrade', 'onrush', 'charts/onrush', '-n', NAMESPACE, '--reuse-values', '--wait', '--timeout=5m'],
    ...values.flatMap((value) => ['--set', value]),
  ]);

const autoscaling = (setting: string): string[] => APIS.map((api) => `components.${api}.autoscaling.${setting}`);

test(
  'an autoscaler adds pods while the spike lasts: PASS, and they are noted',
  async () => {
    upgrade(...autoscaling('enabled=true'), ...autoscaling('minReplicas=1'), ...autoscaling('maxReplicas=3'));
    try {
      // From three pods down to one takes its patience; what is asked here is how fast it goes up.
      for (const api of APIS) kubectl('scale', 'deployment', deployment(api), '--replicas=1');
      const measured = () =>
        objects('hpa').every(({ status }) => status.currentMetrics?.[0]?.resource?.current?.averageUtilization >= 0);
      for (const end = Date.now() + 2 * MINUTES; !measured(); await sleep(1_000))
        if (Date.now() > end) throw new Error(`no metrics: ${kubectl('get', 'hpa')}`);
      settled();
      const wanted = new Map<string, number>();
      const ready = new Map<string, number>();
      const { results } = await bench('spike', 75, 'fresh', async () => {
        const began = Date.now();
        const now = () => (Date.now() - began) / 1000;
        for (; now() < 75; await sleep(1_000)) {
          for (const { metadata, status } of objects('hpa'))
            if (status.desiredReplicas > 1 && !wanted.has(metadata.name)) wanted.set(metadata.name, now());
          for (const { metadata, status } of objects('deployments'))
            if (wanted.has(metadata.name) && status.readyReplicas > 1 && !ready.has(metadata.name))
              ready.set(metadata.name, now());
        }
      });
      const said = APIS.map(deployment).map(
        (name) => `${name}: asked for after ${wanted.get(name) ?? '-'} s, ready after ${ready.get(name) ?? '-'} s`,
      );
      console.log(`pods of the spike\n${said.join('\n')}`);
      expect([...ready.keys()]).toContain(deployment('coupon-api'));
      expect(violated(results)).toEqual([]);
      expect(results.verdict).toBe('PASS');
      expect(results.notes.join('\n')).toMatch(/spike: the pod onrush-coupon-api-\S+ is new/);
    } finally {
      upgrade(...autoscaling('enabled=false'));
      settled();
    }
  },
  10 * MINUTES,
);
