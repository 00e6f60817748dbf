import { connect } from 'node:net';
import { stack } from '../../../loadtests/test/stack.ts';

const { api, url } = stack();

/** Sends these bytes and nothing more, and returns what came back until the server closed or `milliseconds` passed. */
function send(bytes: string, milliseconds = 3_000): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(done, milliseconds);
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('end', done);
    socket.on('error', done);
  });
}

it('refuses a body that says it is too large without waiting for it', async () => {
  const began = Date.now();
  const answer = await send(
    'POST /api/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 3000000000\r\n\r\n{',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toContain('"code":"COMMON413"');
  expect(Date.now() - began).toBeLessThan(2_000);
});

it('refuses an Idempotency-Key that is given twice, but takes one that holds a comma', async () => {
  const body = '{"amount":1}';
  const head = `POST /api/users/nobody/balance/charge HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const twice = await send(`${head}Idempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n${body}`);
  expect(twice).toMatch(/^HTTP\/1\.1 400 /);
  expect(twice).toContain('given more than once');
  expect(await send(`${head}Idempotency-Key: a, b\r\n\r\n${body}`)).toMatch(/^HTTP\/1\.1 404 /);
});

it('answers 416 and 412 where a documentation file is asked for with impossible conditions', async () => {
  const asset = '/docs/swagger-ui.css';
  expect((await api('GET', asset, { headers: { range: 'bytes=999999999-' } })).status).toBe(416);
  expect((await api('GET', asset, { headers: { 'if-match': '"x"' } })).status).toBe(412);
});
