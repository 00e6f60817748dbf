/** Money is whole won. Everything that is stored stays within what a JavaScript number holds exactly. */
export const MAX_WON = Number.MAX_SAFE_INTEGER;
/** Largest single amount a request may name. */
export const MAX_AMOUNT = 1_000_000_000;

/** Whole won as MySQL returned it; drivers hand BIGINT over as number or, beyond 2^53, as string. */
export function won(value: unknown): number {
  const amount = Number(value);
  if (!Number.isSafeInteger(amount)) throw new Error(`not an exact amount: ${String(value)}`);
  return amount;
}
