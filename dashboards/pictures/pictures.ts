import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { findChromium } from '../../engines/chromium.ts';
import { inState } from '../../engines/directory.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { type Period, readDashboards } from '../monitor/grafana.ts';
import { Prometheus } from '../monitor/prometheus.ts';
import { dashboardPage } from './page.ts';

const COLUMNS = 1628;

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
  await drawAll(new Prometheus(positionals[0] ?? 'http://127.0.0.1:9090'), period, values.to);
});

export async function drawAll(prometheus: Prometheus, period: Period, directory: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: COLUMNS, height: 900 } });
    for (const dashboard of readDashboards()) {
      const name = dashboard.uid.replace(/^onrush-/, '');
      const text = await dashboardPage(prometheus, dashboard, period);
      writeFileSync(join(directory, `${name}.html`), text);
      await page.setContent(text);
      await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
      console.log(join(directory, `${name}.png`));
    }
  } finally {
    await browser.close();
  }
}
