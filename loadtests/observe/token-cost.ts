import { createHmac, generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { type Authenticate, authenticator } from '../../services/core/auth/authenticate.ts';
import { rateLimit } from '../../services/core/auth/rate-limit.ts';
import type { AuthSettings } from '../../services/core/config.ts';
import { runAsProgram } from '../../services/core/program.ts';
import { columns } from '../bench/table.ts';
import { type Signer, token } from '../test/tokens.ts';

/*
 * What it costs to know who calls, in µs of one core: a token that was verified before, one that jose verifies, and HS256 by
 * node:crypto alone for comparison. All in turn within each round; medians of five.
 *   node run.mjs loadtests/observe/token-cost.ts
 */
const ROUNDS = 5;
const TOKENS = 2_000;
const SECRET = 'a secret of the measurement, long enough';

const settings: AuthSettings = {
  mode: 'secret',
  jwksUrl: '',
  secret: SECRET,
  issuer: 'https://issuer.test',
  audience: 'onrush',
  adminScope: 'onrush:admin',
};
const logger = pino({ level: 'silent' });

runAsProgram('loadtests/observe/token-cost.ts', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa', alg: 'RS256' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec', alg: 'ES256' },
  ];
  const issuer = createServer((_req, res) => res.end(JSON.stringify({ keys })));
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  const jwks: AuthSettings = {
    ...settings,
    mode: 'jwks',
    jwksUrl: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`,
  };
  const hs256: Signer = { alg: 'HS256', secret: SECRET };
  const signers: Signer[] = [
    { alg: 'RS256', key: rsa.privateKey, kid: 'rsa' },
    { alg: 'ES256', key: ec.privateKey, kid: 'ec' },
  ];
  const known = await authenticator(settings, logger);
  const warm = headers(hs256);
  for (const header of warm) await known(header);
  const limit = rateLimit(1_000_000, 1_000_000);

  const spent = new Map<string, number[]>();
  const measure = async (name: string, calls: number, work: () => Promise<void>) => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    spent.set(name, [...(spent.get(name) ?? []), (user + system) / calls]);
  };
  for (let round = 0; round < ROUNDS; round++) {
    await measure('verified before, and counted', 100 * TOKENS, async () => {
      for (let n = 0; n < 100; n++)
        for (const header of warm) {
          // A header is a new string with each request.
          const caller = known(Buffer.from(header, 'latin1').toString('latin1'));
          if (!('user' in caller) || limit(caller.user) > 0) throw new Error('not known');
        }
    });
    // None has seen its token before.
    const fresh = async () => [await authenticator(settings, logger), await authenticator(jwks, logger)] as const;
    const [bySecret, byKeys] = await fresh();
    await measure('jose, HS256', TOKENS, () => all(bySecret, warm));
    for (const signer of signers) {
      const signed = headers(signer);
      await measure(`jose, ${signer.alg}`, TOKENS, () => all(byKeys, signed));
    }
    await measure('node:crypto, HS256', TOKENS, async () => {
      for (const header of warm) byHand(header);
    });
  }
  issuer.close();
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
  const rows = [...spent].map(([name, values]) => [name, median(values).toFixed(2)]);
  for (const line of columns([['token', 'µs'], ...rows])) console.log(line);
});

const headers = (signer: Signer): string[] =>
  Array.from({ length: TOKENS }, (_, n) => {
    const claims = { sub: `test-user-${n}`, iss: settings.issuer, aud: settings.audience, scope: 'openid profile' };
    return `Bearer ${token(signer, claims)}`;
  });

/** 32 at once, as requests come. */
async function all(authenticate: Authenticate, given: string[]): Promise<void> {
  for (let at = 0; at < given.length; at += 32) {
    const answers = await Promise.all(given.slice(at, at + 32).map((header) => authenticate(header)));
    if (answers.some((answer) => !('user' in answer))) throw new Error('refused');
  }
}

function byHand(header: string): void {
  const [head = '', body = '', signature = ''] = header.slice('Bearer '.length).split('.');
  const expected = createHmac('sha256', SECRET).update(`${head}.${body}`).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, 'base64url'))) throw new Error('refused');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  if (claims.exp * 1_000 < Date.now() || claims.aud !== settings.audience) throw new Error('refused');
}
