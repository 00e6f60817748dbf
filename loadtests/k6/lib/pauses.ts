/** Seconds that a virtual user pauses between two requests, in every profile but saturate. */
export const PAUSES = { coupon: 0.15, charge: 0.03, order: 0.5 } as const;
