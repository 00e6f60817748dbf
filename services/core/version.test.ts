import { readFileSync } from 'node:fs';
import { VERSION } from './version.ts';

test('the version that the program tells is the package’s', () => {
  expect(VERSION).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
});
