import { readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import helmet from 'helmet';

const PAGE = join(import.meta.dirname, 'page');

/** Programs of the page: modules that the browser loads one by one. They keep their names, so that imports fit. */
const MODULES = [
  'page.ts',
  'api-tile.ts',
  'chart.ts',
  'connection.ts',
  'columns.ts',
  'colours.ts',
  'coupon-sale.ts',
  'element.ts',
  'fill.ts',
  'figures.ts',
  'health.ts',
  'last-verdict.ts',
  'legend.ts',
  'table.ts',
];

/** Nothing but this origin, and nothing inline. As in core/http/docs.ts, TLS is left to what terminates it. */
export const secure = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
});

export interface PageFile {
  path: string;
  type: string;
  text: string;
}

/** All that the page loads, read once. The browser gets its programs as they are written, without their types. */
export function pageFiles(): PageFile[] {
  const uplot = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
  const read = (...path: string[]) => readFileSync(join(...path), 'utf8');
  return [
    { path: '/live', type: 'html', text: read(PAGE, 'index.html') },
    { path: '/live/style.css', type: 'text/css', text: read(PAGE, 'style.css') },
    { path: '/live/icon.svg', type: 'image/svg+xml', text: read(PAGE, 'icon.svg') },
    { path: '/live/uplot.css', type: 'text/css', text: read(uplot, 'uPlot.min.css') },
    { path: '/live/uplot.js', type: 'text/javascript', text: read(uplot, 'uPlot.iife.min.js') },
    ...MODULES.map((name) => ({
      path: `/live/${name}`,
      type: 'text/javascript',
      text: stripTypeScriptTypes(read(PAGE, name)),
    })),
  ];
}
