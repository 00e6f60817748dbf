import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import type { Logger } from 'pino';
import type { AuthSettings } from '../config.ts';
import { type Refusal, refuse } from '../refusals.ts';
import { TokenCache } from './token-cache.ts';

/** Who calls. */
export interface Caller {
  /** The token's `sub`: the user the call acts for. */
  user: string;
  admin: boolean;
}

/** Takes the Authorization header. What was verified before is answered at once, without a promise. */
export type Authenticate = (authorization: string | undefined) => Caller | Refusal | Promise<Caller | Refusal>;

/** Clocks of issuer and verifier may differ by this much. Seconds. */
const CLOCK_TOLERANCE = 5;

/** What a key at a URL may sign with; never HS256, whose key would be public then. */
const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** A key that was taken out of the set is honoured no longer than this and a token's stay in the cache. */
const KEYS_LIVE_MS = 300_000;
const KEYS_TIMEOUT_MS = 2_000;

/** jose's codes for a token that is at fault. All else is a key set that could not be had. */
const BAD_TOKEN =
  /^ERR_(JWT_|JWS_|JOSE_ALG_NOT_ALLOWED|JOSE_NOT_SUPPORTED|JWKS_NO_MATCHING_KEY|JWKS_MULTIPLE_MATCHING_KEYS)/;

/** Verifies bearer JWTs (RFC 6750, RFC 8725): the kind of key decides the algorithms, `sub` and `exp` are required. */
export async function authenticator(settings: AuthSettings, logger: Logger): Promise<Authenticate> {
  const { createRemoteJWKSet, jwtVerify } = await import('jose');
  const secret = new TextEncoder().encode(settings.secret);
  const keys: JWTVerifyGetKey =
    settings.mode === 'jwks'
      ? createRemoteJWKSet(new URL(settings.jwksUrl), { timeoutDuration: KEYS_TIMEOUT_MS, cacheMaxAge: KEYS_LIVE_MS })
      : async () => secret;
  const options: JWTVerifyOptions = {
    algorithms: settings.mode === 'jwks' ? ASYMMETRIC : ['HS256'],
    requiredClaims: ['sub', 'exp'],
    clockTolerance: CLOCK_TOLERANCE,
    ...(settings.issuer ? { issuer: settings.issuer } : {}),
    ...(settings.audience ? { audience: settings.audience } : {}),
  };
  const known = new TokenCache<Caller>();
  const tellOfKeys = atMostEvery(10_000, (err: unknown) =>
    logger.error({ err, url: settings.jwksUrl }, 'the keys that tokens are verified by could not be had'),
  );

  const verify = async (token: string): Promise<Caller | Refusal> => {
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, keys, options));
    } catch (error) {
      const { code } = error as { code?: string };
      if (BAD_TOKEN.test(code ?? ''))
        return refuse('A401', {
          reason: code === 'ERR_JWT_EXPIRED' ? 'the token has expired' : 'the token is not valid',
        });
      tellOfKeys(error);
      return refuse('COMMON503', { reason: 'the keys that tokens are verified by are out of reach' });
    }
    const { sub, exp = 0, scope } = payload;
    if (!sub) return refuse('A401', { reason: 'the token is not valid' });
    const caller = { user: sub, admin: typeof scope === 'string' && scope.split(' ').includes(settings.adminScope) };
    known.put(token, caller, exp * 1_000);
    return caller;
  };

  return (authorization) => {
    const token = authorization && /^bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (!token) return refuse('A401', { reason: 'no bearer token' });
    return known.get(token) ?? verify(token);
  };
}

function atMostEvery<A>(milliseconds: number, tell: (about: A) => void): (about: A) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (about) => {
    if (performance.now() - last < milliseconds) return;
    last = performance.now();
    tell(about);
  };
}
