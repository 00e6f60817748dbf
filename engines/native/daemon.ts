import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../command.ts';
import { logFile, pidFile } from '../directory.ts';
import { EngineFailure } from '../failure.ts';
import { readIfThere, writePrivate } from '../files.ts';

/** A server process to start. */
export interface Daemon {
  command: string;
  args: string[];
}

/** A started server: what a failure prints, and whether it has stopped again. */
export interface Started {
  log: { path: string; from: number };
  stopped: () => boolean;
}

/** When a process started, in whatever unit the system keeps it; undefined if there is none. A zombie is none. */
export async function startTime(pid: number): Promise<string | undefined> {
  if (!existsSync('/proc/self/stat')) {
    const { ok, output } = await ask('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return ok ? output : undefined;
  }
  try {
    // The second field is the program's name in parentheses and may hold anything; count from behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/**
 * The pid of the server we started, if it is alive. A pid file holds the process's start time beside its pid: the
 * system gives a pid again, but not with the same start time, so another program is never taken for ours.
 */
export async function runningPid(name: string): Promise<number | undefined> {
  const [pid, started] =
    readIfThere(pidFile(name))
      ?.trim()
      .split(/\s+(.*)/s) ?? [];
  if (!pid || !started || !/^\d+$/.test(pid)) return undefined;
  return (await startTime(Number(pid))) === started ? Number(pid) : undefined;
}

/** Starts a server that outlives this program, with its output appended to its log. */
export async function startDaemon(name: string, daemon: Daemon): Promise<Started> {
  const path = logFile(name);
  mkdirSync(dirname(path), { recursive: true });
  const from = existsSync(path) ? statSync(path).size : 0;
  const out = openSync(path, 'a');
  const child = spawn(daemon.command, daemon.args, {
    // A session of its own: Ctrl-C on the terminal reaches `up`, not the engines.
    detached: true,
    stdio: ['ignore', out, out],
    // Nothing of the user's settings reaches an engine but through its own configuration file.
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    cwd: dirname(path),
  });
  closeSync(out);
  let stopped = false;
  child.on('exit', () => {
    stopped = true;
  });
  child.on('error', () => {
    stopped = true;
  });
  const started = child.pid === undefined ? undefined : await startTime(child.pid);
  if (started !== undefined) writePrivate(pidFile(name), `${child.pid} ${started}\n`);
  child.unref();
  return { log: { path, from }, stopped: () => stopped };
}

const stopWithinMs = 90_000;

/** Asks our server to stop and waits until it has. Returns whether one was running. Never kills by force. */
export async function stopDaemon(name: string, label: string): Promise<boolean> {
  const pid = await runningPid(name);
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    const deadline = Date.now() + stopWithinMs;
    while ((await runningPid(name)) !== undefined) {
      if (Date.now() > deadline) {
        throw new EngineFailure(`${label} (pid ${pid}) did not stop within ${stopWithinMs / 1000} s of SIGTERM`, {
          path: logFile(name),
          from: 0,
        });
      }
      await sleep(50);
    }
  }
  rmSync(pidFile(name), { force: true });
  return pid !== undefined;
}
