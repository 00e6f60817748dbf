import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { generated, links } from './source/generated.ts';

describe('what is made from dashboards/source', () => {
  const files = generated();

  test.each([...files])('%s is as its source says (npm run dashboards)', (path, text) => {
    expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(text);
  });

  test.each([...links()])('%s leads to it', (link, path) => {
    expect(realpathSync(link)).toBe(resolve(path));
  });

  test('no dashboard is left whose source is gone', () => {
    const there = readdirSync('dashboards').filter((name) => name.endsWith('.json'));
    expect(there.map((name) => `dashboards/${name}`).filter((path) => !files.has(path))).toEqual([]);
  });
});
