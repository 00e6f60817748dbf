import { type ChildProcess, spawn } from 'node:child_process';
import { BenchFailure } from '../failure.ts';

/** The parts of Kubernetes objects that are used here. */
export interface Meta {
  name: string;
  uid: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
export interface Item {
  metadata: Meta;
}
export interface Pod extends Item {
  spec: {
    nodeName?: string;
    containers: { name: string; image: string; ports?: { name?: string; containerPort: number }[] }[];
  };
  status: {
    phase: string;
    startTime?: string;
    containerStatuses?: {
      name: string;
      restartCount: number;
      ready: boolean;
      state: { terminated?: { exitCode: number; reason?: string } };
    }[];
  };
}

const ANSWERS_WITHIN_MS = 20_000;
const STARTS_WITHIN_MS = 15_000;

/**
 * The cluster's API as `kubectl proxy` gives it: with whatever credentials the user's kubectl has, on a free port of
 * loopback, for as long as this program runs.
 */
export class Cluster {
  readonly #proxy: ChildProcess;
  readonly #url: string;
  readonly namespace: string;

  private constructor(proxy: ChildProcess, url: string, namespace: string) {
    this.#proxy = proxy;
    this.#url = url;
    this.namespace = namespace;
  }

  /** @throws BenchFailure if there is no kubectl or it reaches no cluster. */
  static async open(namespace: string, context: string | undefined): Promise<Cluster> {
    const args = [...(context ? ['--context', context] : []), 'proxy', '--port=0', '--keepalive=30s'];
    // Ctrl-C on the terminal ends this program's work and not its way to the cluster: what it made is still to be deleted.
    const proxy = spawn('kubectl', args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const port = await new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('it did not start')), STARTS_WITHIN_MS);
      const listen = (chunk: Buffer) => {
        said = (said + chunk).slice(-2_000);
        const told = /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
        if (told) {
          clearTimeout(late);
          resolve(told);
        }
      };
      proxy.stdout.on('data', listen);
      proxy.stderr.on('data', listen);
      proxy.on('error', reject);
      proxy.on('exit', () => reject(new Error(said.trim().split('\n').at(-1) ?? 'it ended')));
    }).catch((error: Error) => {
      proxy.kill();
      throw new BenchFailure(`kubectl proxy: ${error.message}`);
    });
    const cluster = new Cluster(proxy, `http://127.0.0.1:${port}`, namespace);
    try {
      await cluster.get(`/api/v1/namespaces/${namespace}`);
    } catch (error) {
      cluster.close();
      throw new BenchFailure(
        `the namespace ${namespace} cannot be read (${(error as Error).message}): is kubectl's context the right cluster, and Onrush installed there?`,
      );
    }
    return cluster;
  }

  close(): void {
    this.#proxy.kill();
  }

  /** Path of this namespace in an API group: `batch/v1`, or `v1` for the core. */
  path(group: string, kind: string, name = ''): string {
    const root = group.includes('/') ? `/apis/${group}` : `/api/${group}`;
    return `${root}/namespaces/${this.namespace}/${kind}${name && `/${name}`}`;
  }

  /** Base URL of a Service's port, through the proxy. */
  service(name: string, port: number): string {
    return `${this.#url}/api/v1/namespaces/${this.namespace}/services/${name}:${port}/proxy`;
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.text(path)) as T;
  }

  async list<T extends Item>(group: string, kind: string, selector: string): Promise<T[]> {
    const path = `${this.path(group, kind)}?labelSelector=${encodeURIComponent(selector)}`;
    return (await this.get<{ items: T[] }>(path)).items;
  }

  async create(group: string, kind: string, object: object): Promise<void> {
    await this.text(this.path(group, kind), 'POST', object);
  }

  /** With what it made; one that is not there is deleted already. */
  async delete(group: string, kind: string, name: string): Promise<void> {
    const path = `${this.path(group, kind, name)}?propagationPolicy=Foreground`;
    await this.text(path, 'DELETE').catch((error: Error) => {
      if (!(error instanceof NotFound)) throw error;
    });
  }

  /** @throws NotFound, or an Error with what the API said. */
  async text(path: string, method = 'GET', body?: object): Promise<string> {
    const answer = await fetch(this.#url + path, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
      signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
    });
    const text = await answer.text();
    if (answer.status === 404) throw new NotFound(messageOf(text) ?? `${path} is not there`);
    if (!answer.ok) throw new Error(messageOf(text) ?? `${method} ${path} was answered ${answer.status}`);
    return text;
  }
}

/** The API knows no such object, or no such kind. */
export class NotFound extends Error {
  override name = 'NotFound';
}

function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch {
    return undefined;
  }
}
