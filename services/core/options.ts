export class BadOption extends Error {
  override name = 'BadOption';
}

/** parseArgs throws a TypeError on an unknown option, which is the caller's mistake and not a bug. */
export function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')) throw error;
    throw new BadOption((error as Error).message);
  }
}
