import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { type OwnStack, ownStack } from '../../loadtests/test/own-stack.ts';
import { eventually, stack } from '../../loadtests/test/stack.ts';
import { freePort, type Started } from '../../loadtests/test/start-services.ts';

/**
 * Against a real Jaeger: its all-in-one program (version 1), on PATH as jaeger-all-in-one or wherever $JAEGER says. Without it
 * nothing here can be asked.
 */
const JAEGER = process.env.JAEGER || 'jaeger-all-in-one';
const withJaeger = spawnSync(JAEGER, ['version']).status === 0 ? describe : describe.skip;

withJaeger('explain, with a trace store', () => {
  const { api } = stack();
  let jaeger: ChildProcess;
  let own: OwnStack;
  let services: Started;
  let query: string;
  beforeAll(async () => {
    const names = [
      'collector.otlp.http',
      'collector.otlp.grpc',
      'query.http-server',
      'query.grpc-server',
      'admin.http',
      'collector.http-server',
      'collector.grpc-server',
    ];
    const ports = new Map<string, number>();
    for (const name of names) ports.set(name, await freePort());
    const listen = [...ports].map(([name, port]) => `--${name}.host-port=127.0.0.1:${port}`);
    jaeger = spawn(JAEGER, ['--collector.otlp.enabled', ...listen], { stdio: 'ignore' });
    query = `http://127.0.0.1:${ports.get('query.http-server')}`;
    await eventually(
      () =>
        fetch(`${query}/api/services`).then(
          ({ ok }) => ok,
          () => false,
        ),
      (up) => up,
      30_000,
    );
    own = await ownStack('jaeger', { users: 5 });
    services = await own.start({
      ROLES: 'balance-api',
      ONRUSH_TRACES: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${ports.get('collector.otlp.http')}`,
    });
  }, 90_000);
  afterAll(async () => {
    await own?.remove();
    jaeger?.kill();
  });

  const explain = (asked: string) =>
    spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'services/explain/explain.ts', asked], {
      env: { ...process.env, ...own.env, ONRUSH_JAEGER_URL: query },
      encoding: 'utf8',
    }).stdout;

  it('tells by trace id and by key how charges went that shared a transaction', async () => {
    const holder = await own.db.getConnection();
    await holder.beginTransaction();
    await holder.query("SELECT id FROM users WHERE id = 'own-1' FOR UPDATE");
    const ids = Array.from({ length: 5 }, (_, n) => `${'cd'.repeat(15)}0${n}`);
    const charges = ids.map((id, n) =>
      api('POST', '/api/users/own-1/balance/charge', {
        url: services.url,
        body: { amount: 3 },
        headers: { traceparent: `00-${id}-b7ad6b7169203331-01`, 'idempotency-key': `jaeger-${n}` },
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    await holder.commit();
    holder.release();
    for (const { status } of await Promise.all(charges)) expect(status).toBe(200);
    const told =
      /→ 200 · \(sampled\)[\s\S]*transaction charge +batch of \d[\s\S]*lock user_row[\s\S]*idempotency_key=jaeger-\d/;
    const stories: string[] = [];
    for (const [n, id] of ids.entries()) {
      const byId = await eventually(
        async () => explain(id),
        (text) => told.test(text),
        30_000,
      );
      expect(explain(`jaeger-${n}`)).toBe(byId);
      stories.push(byId);
    }
    expect(stories.some((story) => story.includes('shared with other requests'))).toBe(true);
  }, 90_000);

  it('knows nothing of a trace that never was', () => {
    expect(explain('e'.repeat(32))).toContain('nothing is known');
  });
});
