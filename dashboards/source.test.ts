import { stack } from '../loadtests/test/stack.ts';
import { COLOURS } from './source/colours.ts';
import { DASHBOARDS } from './source/dashboards.ts';
import { node, onrush } from './source/metrics.ts';
import { queriesOf } from './source/spec.ts';

const panels = DASHBOARDS.flatMap(({ title, rows }) =>
  rows.flatMap((row) => row.panels.map((panel) => ({ dashboard: title, panel, name: `${title}: ${panel.title}` }))),
);

describe('every panel', () => {
  test.each(panels)('$name says in one line what a bad picture means', ({ panel }) => {
    expect(panel.description).toMatch(/^\w.{30,240}[.…]$/);
  });

  test('can be told from the others of its dashboard', () => {
    for (const { title } of DASHBOARDS) {
      const titles = panels.filter(({ dashboard }) => dashboard === title).map(({ panel }) => panel.title);
      expect(new Set(titles).size).toBe(titles.length);
    }
  });

  test('has its namespace narrowed by the variable, or its run', () => {
    for (const { name, panel } of panels)
      for (const { expr } of queriesOf(panel))
        expect([name, expr.text]).toEqual([name, expect.stringMatching(/namespace=~"\$namespace"|run=~"\$run"/)]);
  });
});

test('the palette is Okabe and Ito’s', () => {
  const theirs = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#F0E442'];
  expect(Object.values(COLOURS).filter((colour) => !theirs.includes(colour))).toEqual([COLOURS.grey]);
});

describe('a live process', () => {
  let text: string;
  beforeAll(async () => {
    text = await (await fetch(`${stack().url}/metrics`)).text();
  });

  test.each(Object.values({ ...onrush, ...node }))('tells of $name, with the labels that are asked for', (metric) => {
    expect(text).toContain(`# TYPE ${metric.name} ${'histogram' in metric ? 'histogram' : ''}`);
    const series = [...text.matchAll(new RegExp(`^${metric.name}(?:_count)?\\{(.*)\\} `, 'gm'))];
    for (const [, labels = ''] of series)
      expect([...labels.matchAll(/(\w+)="/g)].map(([, label]) => label)).toEqual(
        expect.arrayContaining([...metric.labels]),
      );
  });
});
