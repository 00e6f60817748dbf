import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { generated } from './source/generated.ts';

describe('what is made from dashboards/source', () => {
  const files = generated();

  test.each([...files])('%s is as its source says (npm run dashboards)', (path, text) => {
    expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(text);
  });

  test('no dashboard is left whose source is gone', () => {
    const there = readdirSync('dashboards').filter((name) => name.endsWith('.json'));
    expect(there.map((name) => `dashboards/${name}`).filter((path) => !files.has(path))).toEqual([]);
  });
});
