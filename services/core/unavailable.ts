/**
 * Thrown where an operation cannot go on for reasons that are not the client's: a queue is full, an engine is away, the
 * deadline has passed. Becomes a 503 with Retry-After.
 */
export class Unavailable extends Error {
  override name = 'Unavailable';
  readonly code: 'COMMON503' | 'COMMON504' | 'C503';

  /** COMMON503: nothing was done. COMMON504: the outcome is unknown. C503: the coupon's gate is closed. */
  constructor(code: 'COMMON503' | 'COMMON504' | 'C503', message = '', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
