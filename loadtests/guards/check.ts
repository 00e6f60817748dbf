import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { runAsProgram } from '../../services/core/program.ts';
import { CALLER_GUARDS } from './caller-guards.ts';
import { CRASH_GUARDS } from './crash-guards.ts';
import { FAULT_GUARDS } from './fault-guards.ts';
import { GUARDS, type Guard } from './guards.ts';

/**
 * Takes each guard out of a copy of the sources and runs its tests there, on the same engines: they must fail. An argument
 * picks guards by a part of their name. Exit code 1 if a test did not miss its guard.
 */
runAsProgram('loadtests/guards/check.ts', async () => {
  const wanted = process.argv[2] ?? '';
  const copy = mkdtempSync(join(tmpdir(), 'onrush-guards-'));
  try {
    copySources(copy);
    const missed: string[] = [];
    for (const guard of [...GUARDS, ...CRASH_GUARDS, ...FAULT_GUARDS, ...CALLER_GUARDS].filter(({ name }) =>
      name.includes(wanted),
    )) {
      const failing = failingTests(copy, guard);
      if (failing.length === 0) missed.push(guard.name);
      console.log(
        `${failing.length > 0 ? 'missed by' : 'NOT MISSED'}  ${guard.name}: ${failing.join('; ') || 'no test failed'}`,
      );
    }
    console.log(missed.length === 0 ? 'every guard is missed by a test' : `not missed: ${missed.join(', ')}`);
    process.exit(missed.length === 0 ? 0 : 1);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

function copySources(copy: string): void {
  const left = new Set(['node_modules', '.git', '.onrush']);
  cpSync('.', copy, { recursive: true, filter: (source) => !left.has(basename(source)) });
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
}

/** Names of the tests that fail without the guard. */
function failingTests(copy: string, { file, find, replace, tests, named, name }: Guard): string[] {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`guard "${name}": its text does not stand once in ${file}`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  const results = join(copy, 'results.json');
  rmSync(results, { force: true });
  const config = tests.startsWith('faults/') ? 'jest.faults.config.cjs' : 'jest.config.json';
  const args = [
    `--config=${config}`,
    '--json',
    `--outputFile=${results}`,
    '--forceExit',
    `--testPathPatterns=${tests}`,
  ];
  if (named !== '') args.push(`--testNamePattern=${named}`);
  try {
    spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', ...args], {
      cwd: copy,
      env: { ...process.env, ONRUSH_DIR: resolve(process.env.ONRUSH_DIR ?? '.onrush') },
      stdio: 'ignore',
    });
    const { testResults } = JSON.parse(readFileSync(results, 'utf8')) as {
      testResults: { assertionResults: { status: string; title: string }[] }[];
    };
    return testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === 'failed')
      .map(({ title }) => title);
  } finally {
    writeFileSync(path, source);
  }
}
