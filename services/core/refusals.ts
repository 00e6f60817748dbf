/**
 * Every way a request can be refused: its code, HTTP status and message. A refusal is a value that operations return,
 * never an exception; it is not logged as an error.
 */
export const REFUSALS = {
  COMMON001: { status: 400, message: 'the cart is empty' },
  COMMON400: { status: 400, message: 'the request is not valid' },
  COMMON403: { status: 403, message: 'this belongs to another user' },
  COMMON404: { status: 404, message: 'no such resource' },
  COMMON405: { status: 405, message: 'this method is not allowed here' },
  COMMON413: { status: 413, message: 'the body is larger than 16 KiB' },
  COMMON415: { status: 415, message: 'the body must be application/json' },
  COMMON500: { status: 500, message: 'an unexpected error; nothing more is known to you than the trace id' },
  COMMON503: { status: 503, message: 'too busy or an engine is out of reach; nothing was done, try again later' },
  COMMON504: {
    status: 503,
    message: 'the outcome is unknown; a call with an Idempotency-Key can be sent again with the same key',
  },
  A401: { status: 401, message: 'a valid bearer token is needed' },
  A403: { status: 403, message: 'the token lacks the scope for this' },
  A429: { status: 429, message: 'too many calls of this user; try again later' },
  C001: { status: 400, message: 'the coupon is sold out' },
  C002: { status: 400, message: 'the coupon is outside its period' },
  C003: { status: 400, message: 'the coupon is not this user’s or already used' },
  C004: { status: 400, message: 'the order is below the coupon’s minimum' },
  C006: { status: 409, message: 'the user already has this coupon' },
  C404: { status: 404, message: 'no such coupon' },
  C503: { status: 503, message: 'the coupon’s gate is being rebuilt; try again shortly' },
  U001: { status: 404, message: 'no such user' },
  U002: { status: 400, message: 'the balance would exceed what can be held exactly' },
  P001: { status: 400, message: 'a product in the cart does not exist' },
  P002: { status: 400, message: 'not enough stock' },
  PAY001: { status: 400, message: 'the balance does not cover the order' },
  O404: { status: 404, message: 'no such order' },
  O409: { status: 409, message: 'another order of this user is running' },
  P404: { status: 404, message: 'no such product' },
  I422: { status: 422, message: 'the Idempotency-Key was used with another body' },
} as const satisfies Record<string, { status: number; message: string }>;

export type RefusalCode = keyof typeof REFUSALS;

/** What an operation returns: its result, or the rule that refused it. */
export type Outcome<T> = { ok: true; value: T; replayed?: boolean } | Refusal;
export interface Refusal {
  ok: false;
  code: RefusalCode;
  /** Names what was wrong, shown to the client beside the code's own message. */
  details?: Record<string, unknown>;
  /** HTTP status where it differs from the code's usual one. */
  status?: number;
}

export const refuse = (code: RefusalCode, details?: Record<string, unknown>): Refusal =>
  details ? { ok: false, code, details } : { ok: false, code };
