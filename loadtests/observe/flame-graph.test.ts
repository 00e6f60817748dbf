import { type CpuProfile, flameGraph } from './flame-graph.ts';

const at = (functionName: string, url: string) => ({ functionName, url, lineNumber: 1 });

/** handle calls emit and admit; a tenth of the time nothing was to be done. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: at('(root)', ''), children: [2, 6] },
    { id: 2, callFrame: at('handle', 'file:///somewhere/node_modules/router/index.js'), children: [3, 4, 5] },
    { id: 3, callFrame: at('emit', 'node:events') },
    { id: 4, callFrame: at('admit', 'file:///somewhere/services/coupon/gate.ts') },
    // Compiled anew: the same function is another node.
    { id: 5, callFrame: at('admit', 'file:///somewhere/services/coupon/gate.ts') },
    { id: 6, callFrame: at('(idle)', '') },
  ],
  samples: [2, 3, 4, 5, 6],
  timeDeltas: [100, 200, 300, 300, 100],
};

test('each bar is a share of the busy time, with what it called; one function is one bar', () => {
  const svg = flameGraph(profile, 'a < b');
  expect(svg).toContain('<title>handle router 100.0 %</title>');
  expect(svg).toContain('<title>emit node:events 22.2 %</title>');
  expect(svg).toContain('<title>admit services/coupon/gate.ts 66.7 %</title>');
  expect(svg.match(/<title>/g)).toHaveLength(3);
  expect(svg).toContain('a &#60; b');
  expect(svg).not.toMatch(/NaN|undefined|idle|somewhere/);
});

test('what is too narrow to be seen is left out, and what it called', () => {
  const nodes = [
    { id: 1, callFrame: at('(root)', ''), children: [2, 3] },
    { id: 2, callFrame: at('wide', ''), children: [] },
    { id: 3, callFrame: at('thin', ''), children: [4] },
    { id: 4, callFrame: at('inner', ''), children: [] },
  ];
  const svg = flameGraph({ nodes, samples: [2, 4], timeDeltas: [10_000, 1] }, 't');
  expect(svg).toContain('wide');
  expect(svg).not.toMatch(/thin|inner/);
});
