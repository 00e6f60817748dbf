import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';

/** An error of Redis carries its command, and that of AUTH the password. */
const SECRET = ['err.command.args', 'err.*.command.args', 'err.previousErrors[*].command.args'];

/** Logs as JSON lines on standard output. Passwords in URLs never get here: the configuration is masked before it is logged. */
export const createLogger = (config: Pick<Config, 'logLevel'>): Logger =>
  pino({
    level: config.logLevel,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: SECRET,
  });
