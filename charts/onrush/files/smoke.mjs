// helm test: every API answers through the edge, and says what it does not know in the project's own form. Reads only.
// Where tokens are asked for it signs its own, or, where a provider's keys verify them, is refused everywhere.
import { createHmac } from 'node:crypto';

const { BASE_URL: base, AUTH, AUTH_SECRET: secret, AUTH_ISSUER: iss, AUTH_AUDIENCE: aud } = process.env;
const part = (json) => Buffer.from(JSON.stringify(json)).toString('base64url');
function token(sub) {
  const exp = Math.floor(Date.now() / 1000) + 60;
  const text = `${part({ alg: 'HS256' })}.${part({ sub, exp, ...(iss && { iss }), ...(aud && { aud }) })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
const wanted = [
  ['/api/products', 200],
  ['/api/coupons', 200],
  ['/api/users/nobody-at-all/coupons', 200],
  ['/api/users/nobody-at-all/balance', 404, 'U001'],
  ['/api/orders/no-such-order', 404, 'O404'],
];
let failed = 0;
async function check(path, status, code, headers) {
  const seen = await fetch(base + path, { headers, signal: AbortSignal.timeout(10_000) })
    .then(async (response) => ({ status: response.status, body: await response.json() }))
    .catch((error) => ({ status: 0, body: { code: String(error.cause ?? error) } }));
  const ok = seen.status === status && (code === undefined || seen.body.code === code);
  if (!ok) failed++;
  console.log(`${ok ? 'ok    ' : 'FAILED'} GET ${path}: ${seen.status} ${seen.body.code ?? ''}`);
}
for (const [path, status, code] of wanted) {
  if (AUTH === 'on') await check(path, 401, 'A401', {});
  if (AUTH === 'off') await check(path, status, code, {});
  else if (secret) await check(path, status, code, { authorization: `Bearer ${token('nobody-at-all')}` });
}
process.exit(failed > 0 ? 1 : 0);
