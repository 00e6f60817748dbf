import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inState } from '../../engines/directory.ts';
import { say } from '../../engines/say.ts';
import { BenchFailure } from '../bench/failure.ts';

const git = (...args: string[]): string =>
  execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** The commit that a name means. @throws BenchFailure if there is none. */
export function commitOf(ref: string): string {
  try {
    return git('rev-parse', '--verify', '--quiet', `${ref}^{commit}`);
  } catch {
    throw new BenchFailure(`${ref} names no commit here; a shallow clone has only the last one: git fetch --unshallow`);
  }
}

/** The commit this is, with a plus where files differ from it. */
export const ownCommit = (): string =>
  git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--', 'services') ? '+' : '');

/** A work tree of the commit under .onrush/compare with its packages; made once and kept. */
export function checkOut(commit: string): string {
  const tree = resolve(inState('compare', commit.slice(0, 12)));
  if (!existsSync(join(tree, 'package.json'))) {
    say(`git worktree add ${tree}: the program that is compared with`);
    git('worktree', 'prune');
    git('worktree', 'add', '--detach', '--force', tree, commit);
  }
  const modules = join(tree, 'node_modules');
  if (existsSync(modules)) return tree;
  const lock = (directory: string) => readFileSync(join(directory, 'package-lock.json'), 'utf8');
  if (lock(tree) === lock('.')) symlinkSync(resolve('node_modules'), modules);
  else {
    say('npm ci in it: its packages are others');
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: tree, stdio: ['ignore', 2, 2] });
  }
  return tree;
}
