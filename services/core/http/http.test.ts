import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type OwnStack, ownStack } from '../../../loadtests/test/own-stack.ts';
import { eventually, stack } from '../../../loadtests/test/stack.ts';
import type { Started } from '../../../loadtests/test/start-services.ts';

const { api, url } = stack();
let own: OwnStack;
beforeAll(async () => {
  own = await ownStack('http', { users: 50 });
});
afterAll(() => own.remove());

const BALANCE_ONLY = { ROLES: 'balance-api' };
const charge = (base: string, user: number, key?: string) =>
  api('POST', `/api/users/own-${user}/balance/charge`, {
    url: base,
    body: { amount: 1 },
    ...(key ? { headers: { 'idempotency-key': key } } : {}),
  });
const balanceOf = (user: number) => own.value('SELECT balance FROM users WHERE id = ?', [`own-${user}`]);

/** Another session holds a user's row until told to let go. */
async function lockRow(user: number) {
  const connection = await own.db.getConnection();
  await connection.query('START TRANSACTION');
  await connection.query('SELECT id FROM users WHERE id = ? FOR UPDATE', [`own-${user}`]);
  return async () => {
    await connection.query('ROLLBACK');
    connection.release();
  };
}
/** Sessions of this stack's database whose running statement waits for users' rows. */
const untilWaiting = (statements: number) =>
  eventually(
    () =>
      own.value(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT id, balance, balance_version%FOR UPDATE'",
      ),
    (count) => count === statements,
  );
const metric = async (base: string, name: string, labels = ''): Promise<number> => {
  const text = await (await fetch(`${base}/metrics`)).text();
  let sum = 0;
  for (const line of text.split('\n'))
    if (line.startsWith(`${name}{`) && line.includes(labels)) sum += Number(line.slice(line.lastIndexOf(' ')));
    else if (labels === '' && line.startsWith(`${name} `)) sum += Number(line.slice(line.lastIndexOf(' ')));
  return sum;
};

/** Sends bytes and returns all that comes until the other side closes or falls silent. */
function raw(base: string, text: string, silenceMs = 300): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    let answer = '';
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => socket.write(text));
    socket.on('data', (data) => {
      answer += data;
      clearTimeout(timer);
      timer = setTimeout(end, silenceMs);
    });
    socket.on('close', end);
    socket.on('error', reject);
  });
}
function halfOpen(base: string, text: string): Socket {
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(text);
  return socket;
}

describe('what no route takes', () => {
  it('is 404 where there is no such path, 405 with what is allowed where there is', async () => {
    expect(await api('GET', '/api/nothing')).toMatchObject({
      status: 404,
      body: { code: 'COMMON404', details: { path: '/api/nothing' } },
    });
    const wrong = await api('DELETE', '/api/users/test-user-1/balance');
    expect(wrong).toMatchObject({ status: 405, body: { code: 'COMMON405' } });
    expect(wrong.headers.get('allow')).toBe('GET, HEAD');
    expect((await api('GET', '/api/users/test-user-1/balance/charge')).headers.get('allow')).toBe('POST');
    expect((await api('PUT', '/api/orders', { body: {} })).headers.get('allow')).toBe('GET, HEAD, POST');
    expect((await api('PUT', '/api/coupons/validate', { body: {} })).headers.get('allow')).toBe('POST');
  });

  it('answers HEAD like GET without a body, and OPTIONS with what is allowed', async () => {
    const head = await fetch(`${url}/api/users/test-user-1/balance`, { method: 'HEAD' });
    const get = await fetch(`${url}/api/users/test-user-1/balance`);
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
    const options = await fetch(`${url}/api/orders`, { method: 'OPTIONS' });
    expect(options.status).toBeLessThan(500);
    expect(options.headers.get('allow')).toBe('GET, HEAD, POST');
    const unknown = await fetch(`${url}/api/users/nobody/balance`, { method: 'HEAD' });
    expect([unknown.status, await unknown.text()]).toEqual([404, '']);
  });

  it.each(['/api/users/%/balance', '/api/users/%c3%28/balance', '/%'])('is 400 for the URL %s', async (path) => {
    expect(await raw(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 (400|404) [\s\S]*"code":"COMMON40[04]"/,
    );
  });

  it('refuses headers that are too large and requests that are none, and goes on', async () => {
    const long = 'x'.repeat(20_000);
    expect(await raw(url, `GET /health/live HTTP/1.1\r\nHost: x\r\nX-Long: ${long}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await raw(url, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });
});

describe('the trace id of a refusal', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };

  it('is the caller’s, for every kind of refusal', async () => {
    for (const answer of [
      await api('GET', '/api/users/nobody/balance', { headers }),
      await api('GET', '/api/nothing', { headers }),
      await api('POST', '/api/users/test-user-1/balance/charge', { headers, body: '{' }),
      await api('POST', '/api/users/test-user-1/balance/charge', { headers, body: 'x'.repeat(17_000) }),
    ]) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.body.traceId).toBe(traceId);
    }
  });

  it('is a new one where the caller’s is not valid', async () => {
    for (const traceparent of [
      'garbage',
      `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
      `ff-${traceId}-00f067aa0ba902b7-01`,
    ]) {
      const { body } = await api('GET', '/api/nothing', { headers: { traceparent } });
      expect(body.traceId).toMatch(/^(?!0{32})[\da-f]{32}$/);
      expect(body.traceId).not.toBe(traceId);
    }
  });
});

describe('overload', () => {
  it('beyond the requests in flight is 503 at once, before any work, under the caller’s trace id', async () => {
    const { url: base, stop } = await own.start({ ...BALANCE_ONLY, ONRUSH_MAX_IN_FLIGHT: '2' });
    const letGo = await lockRow(1);
    const running = [charge(base, 1), charge(base, 1)];
    await untilWaiting(1);
    await eventually(
      () => charge(base, 2),
      ({ status }) => status === 503,
    );
    const traceId = 'aaf92f3577b34da6a3ce929d0e0e4736';
    const before = await balanceOf(2);
    const refused = await api('POST', '/api/users/own-2/balance/charge', {
      url: base,
      body: { amount: 1 },
      headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    });
    expect(refused).toMatchObject({ status: 503, body: { code: 'COMMON503', traceId } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await fetch(`${base}/health/ready`)).status).toBe(200);
    expect(await metric(base, 'onrush_http_request_duration_seconds_count', 'status="503"')).toBeGreaterThan(0);
    await letGo();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await charge(base, 2)).status).toBe(200);
    expect(await balanceOf(2)).toBe(before + 1);
    await stop();
  });

  it('beyond the requests in flight is 503 too when their bodies end together', async () => {
    const { url: base, stop } = await own.start({ ...BALANCE_ONLY, ONRUSH_MAX_IN_FLIGHT: '2' });
    const letGo = await lockRow(30);
    const body = '{"amount":1}';
    const clients = Array.from({ length: 10 }, () =>
      halfOpen(
        base,
        `POST /api/users/own-30/balance/charge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, -1)}`,
      ),
    );
    const heard = clients.map(
      (socket) => new Promise<string>((resolve) => socket.once('data', (data) => resolve(`${data}`))),
    );
    await charge(base, 31);
    for (const socket of clients) socket.write('}');
    await Promise.race([Promise.all(heard), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    await letGo();
    const statuses = (await Promise.all(heard)).map((answer) => answer.slice(9, 12)).sort();
    expect(statuses).toEqual([...Array(2).fill('200'), ...Array(8).fill('503')]);
    expect(await balanceOf(30)).toBe(1_000_002);
    for (const socket of clients) socket.destroy();
    await stop();
  });

  it('of one lane is 503 for those beyond its queue, and the rest are served once the row is free', async () => {
    const { url: base, stop } = await own.start({ ...BALANCE_ONLY, ONRUSH_MAX_QUEUE: '3', ONRUSH_CHARGE_LANES: '1' });
    const letGo = await lockRow(3);
    const first = charge(base, 3);
    await untilWaiting(1);
    const others = Array.from({ length: 8 }, () => charge(base, 3));
    const refused = await Promise.all(
      others.map((answer) => Promise.race([answer, new Promise<undefined>((r) => setTimeout(r, 1_000, undefined))])),
    );
    expect(refused.filter((answer) => answer?.status === 503)).toHaveLength(5);
    expect(refused.find((answer) => answer)).toMatchObject({ body: { code: 'COMMON503' } });
    expect(refused.find((answer) => answer)?.headers.get('retry-after')).toBe('1');
    await letGo();
    expect((await first).status).toBe(200);
    const statuses = (await Promise.all(others)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(await balanceOf(3)).toBe(1_000_004);
    await stop();
  });
});

describe('a write that is late', () => {
  it('is answered 503 at its deadline; its key tells later what became of it, and it takes effect once', async () => {
    const { url: base, stop } = await own.start({ ...BALANCE_ONLY, ONRUSH_REQUEST_TIMEOUT_MS: '500' });
    const letGo = await lockRow(4);
    const asked = performance.now();
    const late = await charge(base, 4, 'late');
    expect(performance.now() - asked).toBeLessThan(1_500);
    expect(performance.now() - asked).toBeGreaterThan(450);
    expect(late.status).toBe(503);
    // Outcome unknown; or known to be nothing, if the database's connection was cut first.
    expect(['COMMON504', 'COMMON503']).toContain(late.body.code);
    expect(late.headers.get('retry-after')).toBe('1');
    await letGo();
    const settled = await eventually(
      () => charge(base, 4, 'late'),
      ({ status }) => status === 200,
    );
    expect(settled.body.currentBalance).toBe(1_000_001);
    expect(await balanceOf(4)).toBe(1_000_001);
    await stop();
  });
});

describe('a client that', () => {
  let started: Started;
  beforeAll(async () => {
    started = await own.start(BALANCE_ONLY);
  });
  afterAll(() => started.stop());

  it('sends its body slowly holds up nobody', async () => {
    const slow = Array.from({ length: 20 }, () =>
      halfOpen(
        started.url,
        'POST /api/users/own-5/balance/charge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"amou',
      ),
    );
    const answers = await Promise.all(Array.from({ length: 20 }, () => charge(started.url, 5)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const first = slow.shift() as Socket;
    const answered = new Promise<string>((resolve) => first.once('data', (data) => resolve(String(data))));
    first.write('nt":1}');
    expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
    for (const socket of [first, ...slow]) socket.destroy();
    expect((await charge(started.url, 5)).status).toBe(200);
    expect(await balanceOf(5)).toBe(1_000_022);
  });

  it('goes away before its answer is not counted as served', async () => {
    const letGo = await lockRow(6);
    const body = '{"amount":1}';
    const gone = halfOpen(
      started.url,
      `POST /api/users/own-6/balance/charge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await untilWaiting(1);
    const served = await metric(started.url, 'onrush_http_request_duration_seconds_count', 'status="200"');
    gone.destroy();
    await eventually(
      () => metric(started.url, 'onrush_http_request_duration_seconds_count', 'status="499"'),
      (count) => count > 0,
    );
    expect(await metric(started.url, 'onrush_http_request_duration_seconds_count', 'status="200"')).toBe(served);
    await letGo();
    await eventually(
      () => balanceOf(6),
      (balance) => balance === 1_000_001,
    );
  });

  it('asks for metrics gets the process’s own and each route’s template with its status, never a user’s id', async () => {
    await charge(started.url, 7);
    await charge(started.url, 9_999);
    const text = await (await fetch(`${started.url}/metrics`)).text();
    for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds', 'nodejs_heap_size_used_bytes'])
      expect(text).toMatch(new RegExp(`^${name}[ {]`, 'm'));
    const route = 'method="POST",route="/api/users/:userId/balance/charge"';
    expect(
      await metric(started.url, 'onrush_http_request_duration_seconds_count', `${route},status="200"`),
    ).toBeGreaterThan(0);
    expect(await metric(started.url, 'onrush_http_request_duration_seconds_count', `${route},status="404"`)).toBe(1);
    expect(text).not.toMatch(/own-\d/);
  });
});

describe('SIGTERM', () => {
  it('lets a running request end, takes no new ones, and the program ends with 0', async () => {
    const { url: base, child, stop } = await own.start(BALANCE_ONLY);
    const letGo = await lockRow(8);
    const running = charge(base, 8);
    await untilWaiting(1);
    const ended = stop('SIGTERM');
    await eventually(
      () =>
        fetch(`${base}/health/live`).then(
          () => 'answered',
          () => 'refused',
        ),
      (answer) => answer === 'refused',
    );
    expect(child.exitCode).toBeNull();
    await letGo();
    expect((await running).status).toBe(200);
    expect(await ended).toBe(0);
    expect(await balanceOf(8)).toBe(1_000_001);
  });

  it('first makes the process unready while it still serves, for load balancers to notice', async () => {
    const { url: base, stop } = await own.start({ ...BALANCE_ONLY, ONRUSH_DRAIN_DELAY_MS: '1500' });
    const ended = stop('SIGTERM');
    const unready = await eventually(
      () => fetch(`${base}/health/ready`),
      ({ status }) => status === 503,
      1_400,
    );
    expect(await unready.json()).toEqual({ status: 'stopping' });
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    expect((await charge(base, 9)).status).toBe(200);
    expect(await ended).toBe(0);
    await expect(fetch(`${base}/health/live`)).rejects.toThrow();
  });
});

describe('several processes on one port', () => {
  let started: Started;
  const workers = () =>
    readFileSync(`/proc/${started.child.pid}/task/${started.child.pid}/children`, 'utf8').trim().split(' ').map(Number);
  beforeAll(async () => {
    started = await own.start({ ROLES: 'balance-api,outbox-relay', WORKERS: '2', ONRUSH_MAX_IN_FLIGHT: '1' });
    await untilBothServe();
  }, 60_000);
  afterAll(() => started.stop());

  /** With one request in flight each, two run at once. */
  async function untilBothServe(): Promise<void> {
    const letGo = await lockRow(20);
    // A connection each, so that the requests spread over the processes.
    const body = '{"amount":1}';
    const one = `POST /api/users/own-20/balance/charge HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const running: Promise<string>[] = [];
    await eventually(
      async () => {
        running.push(raw(started.url, one).catch(() => ''));
        await new Promise((resolve) => setTimeout(resolve, 50));
        return own.value(
          "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT id, balance, balance_version%FOR UPDATE'",
        );
      },
      (count) => count === 2,
    );
    await letGo();
    await Promise.all(running);
  }

  it('report their figures added up, whichever is asked', async () => {
    const before = await metric(started.url, 'onrush_http_request_duration_seconds_count', 'status="200"');
    // A connection each, so that they spread over the processes.
    for (let n = 0; n < 10; n++)
      expect(
        await raw(started.url, 'GET /api/users/own-21/balance HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
      ).toMatch(/^HTTP\/1\.1 200/);
    const counts = [];
    for (let n = 0; n < 4; n++)
      counts.push(
        await eventually(
          () => metric(started.url, 'onrush_http_request_duration_seconds_count', 'status="200"'),
          (count) => count >= before + 10,
        ),
      );
    expect(counts).toEqual(Array(4).fill(before + 10));
  });

  it('report what all of them see, like the outbox’s backlog, once and not once each', async () => {
    await own.db.query(
      `INSERT INTO outbox_events (aggregate_id, event_type, payload, next_attempt_at, created_at)
       VALUES ('a-1', 'TEST', '{}', NOW(3) + INTERVAL 1 DAY, NOW(3)), ('a-2', 'TEST', '{}', NOW(3) + INTERVAL 1 DAY, NOW(3))`,
    );
    // Each process counts once a second.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await metric(started.url, 'onrush_outbox_backlog', 'status="PENDING"')).toBe(2);
    await own.db.query('DELETE FROM outbox_events');
  });

  it('are replaced when they are killed', async () => {
    const before = workers();
    process.kill(before[0] as number, 'SIGKILL');
    const after = await eventually(
      async () => workers(),
      (pids) => pids.length === 2 && !pids.includes(before[0] as number),
    );
    expect(after).toContain(before[1]);
    await eventually(
      () => charge(started.url, 22),
      ({ status }) => status === 200,
    );
    await untilBothServe();
    expect(started.child.exitCode).toBeNull();
  });

  it('do not fall together when the one that asked for all metrics is killed', async () => {
    const [one, two] = workers() as [number, number];
    // The other is stopped, so that the answer has not come when the asker dies.
    process.kill(one, 'SIGSTOP');
    // Connections of their own: the first may be the stopped one's, the others are not.
    const asked = Array.from({ length: 4 }, () =>
      raw(started.url, 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n').catch(() => ''),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(two, 'SIGKILL');
    // The primary gives up gathering after five seconds, and has nobody to tell.
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    process.kill(one, 'SIGCONT');
    expect(started.child.exitCode).toBeNull();
    await untilBothServe();
    await Promise.all(asked);
  });

  it('all end with the primary, with code 0', async () => {
    const pids = workers();
    expect(await started.stop('SIGTERM')).toBe(0);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
  });
});
