import { createHmac, type KeyObject, sign } from 'node:crypto';

/** Signed here without the library that verifies, so that the two cannot share a mistake. */
export type Signer = { alg: 'HS256'; secret: string } | { alg: 'RS256' | 'ES256'; key: KeyObject; kid?: string };

const part = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString('base64url');
const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;

/** A JWT of these claims, valid for an hour where they do not say. A claim that is undefined is left out. */
export function token(signer: Signer, claims: Record<string, unknown>): string {
  const head = { alg: signer.alg, typ: 'JWT', ...('kid' in signer ? { kid: signer.kid } : {}) };
  const text = `${part(head)}.${part({ exp: inAnHour(), ...claims })}`;
  const signature =
    signer.alg === 'HS256'
      ? createHmac('sha256', signer.secret).update(text).digest()
      : sign('sha256', Buffer.from(text), { key: signer.key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** Says of itself that it needs no signature. */
export const unsigned = (claims: Record<string, unknown>): string =>
  `${part({ alg: 'none', typ: 'JWT' })}.${part({ exp: inAnHour(), ...claims })}.`;

export const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });
