import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { inState } from '../../engines/directory.ts';
import { runAsProgram } from '../../services/core/program.ts';
import type { Period } from '../monitor/grafana.ts';
import { Prometheus } from '../monitor/prometheus.ts';
import { drawAll } from './draw-all.ts';

/**
 * Draws every dashboard from what a Prometheus has recorded, without Grafana: npm run pictures -- URL [--minutes 15]
 * [--until SECONDS] [--to DIRECTORY].
 */
runAsProgram('dashboards/pictures/pictures.ts', async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '15' },
      until: { type: 'string' },
      to: { type: 'string', default: inState('pictures') },
    },
  });
  const to = values.until ? Number(values.until) : Math.floor(Date.now() / 1000);
  const from = to - Number(values.minutes) * 60;
  const period: Period = { from, to, step: Math.max(5, Math.ceil((to - from) / 200 / 5) * 5) };
  mkdirSync(values.to, { recursive: true });
  const drawn = await drawAll(new Prometheus(positionals[0] ?? 'http://127.0.0.1:9090'), period, values.to);
  for (const { path } of drawn) console.log(path);
});
