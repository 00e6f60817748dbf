import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../test/stack.ts';
import { Cluster } from './cluster.ts';

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

const directory = mkdtempSync(join(tmpdir(), 'onrush-kubectl-'));
const path = process.env.PATH;
beforeAll(() => {
  writeFileSync(join(directory, 'kubectl'), KUBECTL);
  chmodSync(join(directory, 'kubectl'), 0o755);
  process.env.PATH = `${directory}:${path}`;
});
afterAll(() => {
  process.env.PATH = path;
  rmSync(directory, { recursive: true, force: true });
});

test('Ctrl-C does not reach the proxy, which ends when the work is done', async () => {
  const cluster = await Cluster.open('onrush', undefined);
  const { pid, group } = await cluster.get<{ pid: number; group: number }>('/api/v1/namespaces/onrush');
  cluster.close();
  // A signal of the terminal goes to this program's own process group.
  expect(group).toBe(pid);
  await eventually(
    async () => existsSync(`/proc/${pid}`),
    (there) => !there,
  );
});
