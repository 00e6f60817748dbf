import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../../engines/chromium.ts';
import { type GrafanaDashboard, type Period, readDashboards } from '../monitor/grafana.ts';
import type { Prometheus } from '../monitor/prometheus.ts';
import { dashboardPage } from './page.ts';

/** As wide as the page's style says. */
const WIDTH = 1600;

export interface Drawn {
  dashboard: GrafanaDashboard;
  path: string;
  panels: { title: string; blank: boolean }[];
}

/** Draws every dashboard into a directory, as NAME.png and NAME.html. */
export async function drawAll(prometheus: Prometheus, period: Period, directory: string): Promise<Drawn[]> {
  const browser = await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 } });
    const drawn: Drawn[] = [];
    for (const dashboard of readDashboards()) {
      const name = dashboard.uid.replace(/^onrush-/, '');
      const text = await dashboardPage(prometheus, dashboard, period);
      writeFileSync(join(directory, `${name}.html`), text);
      await page.setContent(text);
      const path = join(directory, `${name}.png`);
      await page.screenshot({ path, fullPage: true });
      const panels = await page.$$eval('.panel', (sections) =>
        sections.map((section) => ({
          title: section.getAttribute('data-title') ?? '',
          blank: section.querySelector('svg path, .bar, td, .big:not(.nothing)') === null,
        })),
      );
      drawn.push({ dashboard, path, panels });
    }
    return drawn;
  } finally {
    await browser.close();
  }
}
