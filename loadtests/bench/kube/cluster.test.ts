import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../../test/stack.ts';

/** In kubectl's place: what `kubectl proxy` says, and a namespace that tells who answers. Ends by itself. */
const KUBECTL = `#!${process.execPath}
const { readFileSync } = require('node:fs');
const server = require('node:http').createServer((_req, res) => {
  const group = Number(readFileSync('/proc/self/stat', 'utf8').replace(/.*\\) /s, '').split(' ')[2]);
  res.end(JSON.stringify({ pid: process.pid, group }));
});
server.listen(0, '127.0.0.1', () => console.log('Starting to serve on 127.0.0.1:' + server.address().port));
setTimeout(() => process.exit(), 60_000);
`;

const PROGRAM = `import { Cluster } from './loadtests/bench/kube/cluster.ts';
const cluster = await Cluster.open('onrush', undefined);
console.log(await cluster.text('/api/v1/namespaces/onrush'));
cluster.close();`;

const directory = mkdtempSync(join(tmpdir(), 'onrush-kubectl-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('Ctrl-C does not reach the proxy, which ends when the work is done', async () => {
  writeFileSync(join(directory, 'kubectl'), KUBECTL);
  chmodSync(join(directory, 'kubectl'), 0o755);
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    env: { ...process.env, PATH: `${directory}:${process.env.PATH}` },
  });
  const { pid, group } = JSON.parse(stdout) as { pid: number; group: number };
  // A signal of the terminal goes to the program's own process group, of which this one is no part.
  expect(group).toBe(pid);
  await eventually(
    async () => existsSync(`/proc/${pid}`),
    (there) => !there,
  );
});
