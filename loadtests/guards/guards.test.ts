import { existsSync, readFileSync } from 'node:fs';
import { CALLER_GUARDS } from './caller-guards.ts';
import { CRASH_GUARDS } from './crash-guards.ts';
import { FAULT_GUARDS } from './fault-guards.ts';
import { GUARDS } from './guards.ts';

// Taking them out (npm run guards) takes hours; that they are still where they are looked for shows at once.
test.each([...GUARDS, ...CRASH_GUARDS, ...FAULT_GUARDS, ...CALLER_GUARDS])(
  '$name can be taken out',
  ({ file, find, replace }) => {
    expect(existsSync(file)).toBe(true);
    const source = readFileSync(file, 'utf8');
    expect(source.split(find).length - 1).toBe(1);
    expect(replace).not.toBe(find);
  },
);
