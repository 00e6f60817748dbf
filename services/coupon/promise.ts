import { z } from 'zod';
import { id } from '../core/http/endpoint.ts';
import { recordedContext, type TraceContext } from '../core/tracing/trace-context.ts';

/** A user's promised coupon on its way from the gate's stream through Kafka to the consumer. */
export const couponPromise = z.object({
  couponId: id,
  userId: id,
  /** Idempotency key of the request, empty if there was none. */
  key: z.string().max(64),
  /** Promises of another generation of the coupon are dropped. */
  generation: z.string().min(1).max(64),
  streamId: z.string().regex(/^\d+-\d+$/),
  /** Milliseconds since the epoch, by Redis's clock. */
  acceptedAt: z.int().min(0),
});
export type CouponPromise = z.infer<typeof couponPromise>;

/** The trace context that the gate put into a stream entry, if the request is recorded. */
export const traceOfEntry = ([, fields]: [string, string[]]): TraceContext | undefined =>
  // The last field, where there is one.
  fields.at(-2) === 'trace' ? recordedContext(fields.at(-1)) : undefined;

/** A stream entry as ioredis returns it: its id and a flat list of field, value, … */
export function promiseOfEntry([streamId, fields]: [string, string[]]): CouponPromise {
  const entry: Record<string, string> = {};
  for (let at = 0; at < fields.length; at += 2) entry[fields[at] as string] = fields[at + 1] as string;
  return {
    couponId: entry.coupon ?? '',
    userId: entry.user ?? '',
    key: entry.key ?? '',
    generation: entry.generation ?? '',
    streamId,
    acceptedAt: Number(entry.at),
  };
}
