import type { Logger } from 'pino';
import { BadConfig, type Config } from '../config.ts';
import type { Guard } from '../http/serve.ts';
import { authenticator } from './authenticate.ts';
import { rateLimit } from './rate-limit.ts';

const UNSAID =
  'nobody said how callers are known: expected AUTH_JWKS_URL or AUTH_SECRET, or AUTH=off, by which anybody may act for anybody';
const OFF = 'AUTH=off: NO TOKENS ARE ASKED FOR, ANYBODY MAY ACT FOR ANYBODY. Never where others can reach this.';

/**
 * Says on standard error, whatever the log level, that an API asks for no tokens.
 * @throws BadConfig where nobody said how callers are known: an API that anybody may use is never the default.
 */
export function assertCallersKnown({ auth, roles }: Pick<Config, 'auth' | 'roles'>): void {
  if (!roles.some((role) => role.endsWith('-api'))) return;
  if (auth.mode === 'unsaid') throw new BadConfig(UNSAID);
  if (auth.mode === 'off') console.error(OFF);
}

/**
 * What stands before the routes, or nothing where AUTH=off says so.
 * @throws BadConfig
 */
export async function openGuard(
  { auth, rateLimit: perSecond, rateBurst }: Pick<Config, 'auth' | 'rateLimit' | 'rateBurst'>,
  logger: Logger,
): Promise<Guard | undefined> {
  if (auth.mode === 'unsaid') throw new BadConfig(UNSAID);
  if (auth.mode === 'off') return undefined;
  return {
    authenticate: await authenticator(auth, logger),
    limit: perSecond > 0 ? rateLimit(perSecond, rateBurst) : undefined,
    adminScope: auth.adminScope,
  };
}
