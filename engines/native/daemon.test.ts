import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pidFile } from '../directory.ts';
import { writePrivate } from '../files.ts';
import { runningPid, startDaemon, startTime, stopDaemon } from './daemon.ts';

const directory = mkdtempSync(join(tmpdir(), 'onrush-daemon-'));
beforeAll(() => {
  process.env.ONRUSH_DIR = directory;
});
afterAll(() => {
  delete process.env.ONRUSH_DIR;
  rmSync(directory, { recursive: true, force: true });
});

test('a pid that another program has by now is not ours, and is not killed', async () => {
  const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
  const pid = bystander.pid as number;
  let ended = false;
  bystander.on('exit', () => {
    ended = true;
  });
  const started = await startTime(pid);
  try {
    writePrivate(pidFile('mysql'), `${pid} ${Number(started) - 1}\n`);
    expect(await runningPid('mysql')).toBeUndefined();
    expect(await stopDaemon('mysql', 'MySQL')).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(ended).toBe(false);

    // The same file with the right start time is ours: the start time alone made the difference.
    writePrivate(pidFile('mysql'), `${pid} ${started}\n`);
    expect(await stopDaemon('mysql', 'MySQL')).toBe(true);
  } finally {
    bystander.kill('SIGKILL');
  }
});

test('a server that ends at once is seen to have stopped, and leaves no pid that counts', async () => {
  const { stopped } = await startDaemon('redis', { command: 'false', args: [] });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(stopped()).toBe(true);
  expect(await runningPid('redis')).toBeUndefined();
});

test('a program that does not exist is seen to have stopped', async () => {
  const { stopped } = await startDaemon('redis', { command: '/nowhere/redis-server', args: [] });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(stopped()).toBe(true);
});
