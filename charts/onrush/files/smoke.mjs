// helm test: every API answers through the edge, and says what it does not know in the project's own form. Reads only.
const base = process.env.BASE_URL;
const wanted = [
  ['/api/products', 200],
  ['/api/coupons', 200],
  ['/api/users/nobody-at-all/coupons', 200],
  ['/api/users/nobody-at-all/balance', 404, 'U001'],
  ['/api/orders/no-such-order', 404, 'O404'],
];
let failed = 0;
for (const [path, status, code] of wanted) {
  const seen = await fetch(base + path, { signal: AbortSignal.timeout(10_000) })
    .then(async (response) => ({ status: response.status, body: await response.json() }))
    .catch((error) => ({ status: 0, body: { code: String(error.cause ?? error) } }));
  const ok = seen.status === status && (code === undefined || seen.body.code === code);
  if (!ok) failed++;
  console.log(`${ok ? 'ok    ' : 'FAILED'} GET ${path}: ${seen.status} ${seen.body.code ?? ''}`);
}
process.exit(failed > 0 ? 1 : 0);
