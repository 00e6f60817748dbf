import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inState } from './directory.ts';
import { EngineFailure } from './failure.ts';
import { readIfThere } from './files.ts';
import { startTime } from './native/daemon.ts';
import { say } from './say.ts';

const patienceMs = 15 * 60_000;

/** Lets one `up` or `down` at a time work in the state directory; the lock of a program that died is taken over. */
export async function withLock<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(inState(), { recursive: true });
  const path = inState('lock');
  const mine = `${path}.${randomUUID()}`;
  writeFileSync(mine, `${process.pid} ${await startTime(process.pid)}`);
  const deadline = Date.now() + patienceMs;
  let said = false;
  try {
    for (;;) {
      try {
        // A link appears with its content, so that nobody reads a lock that does not yet say whose it is.
        linkSync(mine, path);
        break;
      } catch {
        const [pid, started] = readIfThere(path)?.split(/ (.*)/s) ?? [];
        if (pid && (await startTime(Number(pid))) !== started) {
          rmSync(path, { force: true });
          continue;
        }
        if (Date.now() > deadline)
          throw new EngineFailure(`another up or down (pid ${pid}) has been working for 15 minutes`);
        if (!said) say(`waiting for another up or down (pid ${pid})`);
        said = true;
        await sleep(200);
      }
    }
  } finally {
    rmSync(mine, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
