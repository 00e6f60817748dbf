import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { pino } from 'pino';
import { observed, parseExposition, quantile } from '../../loadtests/bench/exposition.ts';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { eventually, stack } from '../../loadtests/test/stack.ts';
import { Live } from './live.ts';
import type { Hello, Sample } from './sample.ts';
import { MOST_WATCHERS } from './watchers.ts';

const ROUTE = '/api/users/:userId/balance/charge';

let own: OwnStack;
beforeAll(async () => {
  own = await ownStack('live', { users: 20, topics: true });
}, 60_000);
afterAll(async () => {
  await own?.remove();
});

interface Watch {
  hello: Hello;
  samples: Sample[];
  closed: Promise<void>;
  leave(): void;
}

/** Watches as a browser does. */
async function watch(url: string): Promise<Watch> {
  const aborter = new AbortController();
  const answer = await fetch(`${url}/live/events`, { signal: aborter.signal });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  const samples: Sample[] = [];
  let greeted = (_hello: Hello): void => {};
  const hello = new Promise<Hello>((resolve) => {
    greeted = resolve;
  });
  const closed = (async () => {
    let text = '';
    for await (const chunk of (answer.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
        if (name === 'hello') greeted(JSON.parse(data) as Hello);
        if (name === 'sample') samples.push(JSON.parse(data) as Sample);
      }
    }
  })().catch(() => {});
  return { hello: await hello, samples, closed, leave: () => aborter.abort() };
}

const charge = (url: string, n: number) =>
  fetch(`${url}/api/users/own-${1 + (n % 20)}/balance/charge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"amount":1}',
  }).then((answer) => {
    expect(answer.status).toBe(200);
    return answer.arrayBuffer();
  });

async function charges(url: string, many: number): Promise<void> {
  for (let n = 0; n < many; n += 10) await Promise.all(Array.from({ length: 10 }, (_, m) => charge(url, n + m)));
}

const metricsOf = async (url: string) => parseExposition(await (await fetch(`${url}/metrics`)).text());

/** Requests to the charge API in these samples' points, each a rate over the time since the one before. */
const chargesIn = (samples: Sample[], from: number): number =>
  samples.reduce((sum, { point }, n) => {
    const since = samples[n - 1]?.point.at ?? from;
    return sum + ((point.requests[1] ?? 0) * (point.at - since)) / 1000;
  }, 0);

test('is not there unless it is asked for', async () => {
  for (const path of ['/live', '/live/events', '/live/page.ts'])
    expect((await fetch(`${stack().url}${path}`)).status).toBe(404);
});

describe('one process', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await own.start({ ONRUSH_LIVE: 'on' }));
  }, 60_000);

  test('the page and all it loads come from this origin, with nothing inline', async () => {
    const page = await fetch(`${url}/live`);
    const policy = page.headers.get('content-security-policy');
    expect(policy).toMatch(/^default-src 'none';script-src 'self';style-src 'self';/);
    expect(policy).not.toContain('unsafe');
    const text = await page.text();
    expect(text).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=/);
    const loads = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(loads).toContain('/live/page.ts');
    for (const path of loads) {
      expect(path).toMatch(/^\/live\//);
      expect((await fetch(url + path)).status).toBe(200);
    }
  });

  test('its programs are loaded one by one, and each that is imported is there, as JavaScript', async () => {
    const seen = new Set<string>();
    const load = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const answer = await fetch(`${url}/live/${path}`);
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
        path,
        200,
        'text/javascript; charset=utf-8',
      ]);
      const text = await answer.text();
      expect(text).not.toMatch(/^(import type|interface|type) /m);
      for (const [, next] of text.matchAll(/^import .* from '\.\/([\w-]+\.ts)';$/gm)) if (next) await load(next);
    };
    await load('page.ts');
    expect(seen.size).toBeGreaterThan(10);
  });

  test('serves nothing else of its directory', async () => {
    for (const path of ['tsconfig.json', 'page/page.ts', '..%2Flive.ts', 'live.ts', 'index.html'])
      expect((await fetch(`${url}/live/${path}`)).status).toBe(404);
  });

  test('its figures are those of /metrics and of what was sent', async () => {
    const one = await watch(url);
    expect(one.hello.process).toMatchObject({ processes: 1, roles: expect.arrayContaining(['outbox-relay']) });
    expect(one.hello.apis.map(({ target }) => target)).toEqual([97, 288, 131]);
    await eventually(
      async () => one.samples.length,
      (many) => many > 0,
    );
    const from = one.samples[0]?.point.at ?? 0;
    const before = await metricsOf(url);
    await charges(url, 100);
    const after = await metricsOf(url);
    const ended = Date.now();
    await eventually(
      async () => one.samples.at(-1)?.point.at ?? 0,
      (at) => at > ended,
    );
    one.leave();
    await one.closed;
    expect(chargesIn(one.samples.slice(1), from)).toBeCloseTo(100, 0);
    // Sent within the ten seconds that the figures cover, the charges are all of them.
    const now = one.samples.find(({ point }) => point.at > ended)?.now;
    const truth = quantile(
      observed(before, after, 'onrush_http_request_duration_seconds', { method: 'POST', route: ROUTE }),
      0.95,
    );
    expect((now?.seconds ?? 0) * (now?.apis[1]?.requests ?? 0)).toBeCloseTo(100, 0);
    expect(now?.apis[1]?.p95).toBeCloseTo(1000 * (truth ?? 0), 0);
    const lockWait = observed(before, after, 'onrush_lock_wait_seconds', { at: 'user_row' });
    const at = one.hello.places.findIndex(({ name }) => name === 'user_row');
    expect((now?.seconds ?? 0) * (now?.waits[at]?.waiting ?? 0)).toBeCloseTo(lockWait.sum, 1);
  });

  test('watching is no request: neither counted, nor in flight, nor slow', async () => {
    const one = await watch(url);
    await fetch(`${url}/live`);
    one.leave();
    await one.closed;
    const metrics = await metricsOf(url);
    const routes = (metrics.get('onrush_http_request_duration_seconds_count') ?? []).map(({ labels }) => labels.route);
    expect(routes.filter((route) => route?.startsWith('/live'))).toEqual([]);
    expect(metrics.get('onrush_http_requests_in_flight')?.[0]?.value).toBe(0);
    // What only begins like it, is one.
    await fetch(`${url}/lively`);
    const later = await metricsOf(url);
    expect(later.get('onrush_http_request_duration_seconds_count')?.some(({ labels }) => labels.status === '404')).toBe(
      true,
    );
  });

  test('who comes later gets what was, and as many as there is room for come', async () => {
    const first = await watch(url);
    await eventually(
      async () => first.samples.length,
      (many) => many >= 2,
    );
    const later = await watch(url);
    const known = new Set(later.hello.history.map(({ at }) => at));
    for (const { point } of first.samples.slice(0, 2)) expect(known).toContain(point.at);
    const others = await Promise.all(Array.from({ length: MOST_WATCHERS - 2 }, () => watch(url)));
    const refused = await fetch(`${url}/live/events`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    for (const one of [first, later, ...others]) one.leave();
    await eventually(
      () =>
        fetch(`${url}/live/events`, { signal: AbortSignal.timeout(2_000) }).then(({ status, body }) => {
          void body?.cancel();
          return status;
        }),
      (status) => status === 200,
    );
  });
});

test('whoever watches does not hold up the end, and sees it', async () => {
  const { url, stop } = await own.start({ ONRUSH_LIVE: 'on' });
  const one = await watch(url);
  const began = performance.now();
  expect(await stop()).toBe(0);
  await one.closed;
  // Connections that did not end by themselves are cut after ten seconds.
  expect(performance.now() - began).toBeLessThan(9_000);
}, 60_000);

test('several processes on one port are counted together, and say so', async () => {
  const { url } = await own.start({ ONRUSH_LIVE: 'on', WORKERS: '2' });
  const one = await watch(url);
  expect(one.hello.process.processes).toBe(2);
  await eventually(
    async () => one.samples.length,
    (many) => many > 0,
  );
  const from = one.samples[0]?.point.at ?? 0;
  await charges(url, 200);
  const ended = Date.now();
  await eventually(
    async () => one.samples.at(-1)?.point.at ?? 0,
    (at) => at > ended,
  );
  one.leave();
  await one.closed;
  expect(chargesIn(one.samples.slice(1), from)).toBeCloseTo(200, 0);
}, 60_000);

test('a server that cannot read its own metrics says that it is there, and goes on', async () => {
  const app = express();
  const live = new Live({
    about: { version: '0', roles: [], processes: 1 },
    apis: [],
    read: () => Promise.reject(new Error('too slow')),
    lastVerdict: async () => null,
    logger: pino({ level: 'silent' }),
  });
  live.mount(app);
  const server = app.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { body } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/live/events`);
    let text = '';
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (text.split('event: beat\n').length > 2) break;
    }
    expect(text).toMatch(/^event: hello\n/);
  } finally {
    live.close();
    server.closeAllConnections();
    server.close();
  }
}, 20_000);

test('without metrics there is nothing to show, so no page', async () => {
  const { url } = await own.start({ ONRUSH_LIVE: 'on', ONRUSH_METRICS: 'off', ROLES: 'balance-api' });
  expect((await fetch(`${url}/live`)).status).toBe(404);
}, 60_000);
