import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type OwnStack, ownStack } from '../../../loadtests/test/own-stack.ts';
import { stack } from '../../../loadtests/test/stack.ts';
import { bearer, type Signer, token } from '../../../loadtests/test/tokens.ts';

/** An issuer as identity providers are one: a key set at a URL, keys that come and go, at times out of reach. */
const { api } = stack();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keyOf = (kid: string, alg: string, publicKey: KeyObject) => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  alg,
  use: 'sig',
});
const RSA: Signer = { alg: 'RS256', key: rsa.privateKey, kid: 'rsa-1' };
const EC: Signer = { alg: 'ES256', key: ec.privateKey, kid: 'ec-1' };

let own: OwnStack;
let issuer: Server;
let issuerUrl: string;
let keys: object[];
let asked = 0;
let issuerDoes: 'answers' | 'hangs up' | 'answers 500' | 'answers nonsense' = 'answers';
beforeAll(async () => {
  own = await ownStack('jwks', { users: 1 });
  issuer = createServer((req, res) => {
    asked++;
    if (issuerDoes === 'hangs up') req.socket.destroy();
    else if (issuerDoes === 'answers 500') res.writeHead(500).end();
    else if (issuerDoes === 'answers nonsense') res.writeHead(200).end('{"keys": 1}');
    else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  issuerUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  issuer.close();
  await own.remove();
});
beforeEach(() => {
  issuerDoes = 'answers';
  keys = [keyOf('rsa-1', 'RS256', rsa.publicKey), keyOf('ec-1', 'ES256', ec.publicKey)];
  asked = 0;
});

const start = (jwksUrl: string) =>
  own.start({
    AUTH: 'on',
    AUTH_JWKS_URL: jwksUrl,
    AUTH_ISSUER: 'https://issuer.test',
    AUTH_AUDIENCE: 'onrush',
    ROLES: 'balance-api',
  });
const claims = { sub: 'own-1', iss: 'https://issuer.test', aud: ['elsewhere', 'onrush'] };
const balance = async (url: string, text: string) => {
  const { status, body } = await api('GET', '/api/users/own-1/balance', { url, headers: bearer(text) });
  return `${status} ${body.code ?? ''}`.trim();
};

describe('keys at a URL', () => {
  it('verify what they signed and nothing else, and are fetched once', async () => {
    const { url } = await start(issuerUrl);
    expect(await balance(url, token(RSA, claims))).toBe('200');
    expect(await balance(url, token(EC, claims))).toBe('200');
    const refused = [
      token(RSA, { ...claims, iss: 'https://elsewhere.test' }),
      token(RSA, { ...claims, aud: 'elsewhere' }),
      // A key of the set, but another one's name; and a key that is not in it, under a name that is.
      token({ ...RSA, kid: 'ec-1' }, claims),
      token({ alg: 'ES256', key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, kid: 'ec-1' }, claims),
      // The public key is no secret: a token "signed" with it by HS256 must not pass.
      token({ alg: 'HS256', secret: rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString() }, claims),
    ];
    for (const text of refused) expect(await balance(url, text)).toBe('401 A401');
    expect(asked).toBe(1);
  });

  it('that are out of reach make nobody unauthorized: 503, and again 200 when they are back', async () => {
    const { url } = await start(issuerUrl);
    for (const state of ['hangs up', 'answers 500', 'answers nonsense'] as const) {
      issuerDoes = state;
      const answer = await api('GET', '/api/users/own-1/balance', { url, headers: bearer(token(RSA, claims)) });
      expect([state, answer.status, answer.headers.get('retry-after')]).toEqual([state, 503, '1']);
    }
    expect((await api('GET', '/health/ready', { url })).status).toBe(200);
    issuerDoes = 'answers';
    expect(await balance(url, token(RSA, claims))).toBe('200');
    // What was verified stays so for a while, whatever becomes of the issuer.
    issuerDoes = 'hangs up';
    expect(await balance(url, token(RSA, claims))).toBe('200');
  });
});
