/**
 * Moments at which a process that is killed leaves something behind for others to make whole. docs/faults.md says for
 * each what a client sees and what makes it whole; loadtests/faults kills processes there.
 */
export const CRASH_POINTS = [
  /** The gate has promised a coupon; the client was not told. */
  'issue:gate-answered',
  /** Kafka has acknowledged promises that still stand in the stream. */
  'relay:acknowledged',
  /** A batch of promises was read, nothing is done with it. */
  'consumer:received',
  /** Unreadable messages lie in the dead letter topic; their offset is not committed. */
  'consumer:buried',
  /** Coupons are written, not committed. */
  'settle:written',
  /** Coupons are committed; the rejected promises still stand in the gate. */
  'settle:committed',
  /** All of a batch is done but its offset. */
  'consumer:settled',
  /** The gate is gone, its coupon still has users in Redis. */
  'rebuild:closed',
  /** Gate and users are gone. */
  'rebuild:emptied',
  /** The users are read back, the gate is not written. */
  'rebuild:loaded',
  /** Wallets are locked and charges computed. */
  'charge:computed',
  'charge:committed',
  /** All rows of the orders are written, the stock is taken, nothing is committed. */
  'order:computed',
  'order:committed',
  /** A COMMIT is on its way to the engine. */
  'commit:sent',
  /** Kafka has acknowledged events that are not marked as published. */
  'outbox:acknowledged',
  /** A batch of sales is in the ranking; its offset is not committed. */
  'ranking:counted',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

let watcher: ((point: CrashPoint) => void) | undefined;

/** Passed at the moment of that name. Does nothing unless a test has come before the program. */
export function crashPoint(point: CrashPoint): void {
  watcher?.(point);
}

/**
 * Nothing in services/ calls this: no setting can have a process killed. It takes a file that is loaded before the program
 * (loadtests/faults/die-at.ts), which is not in the image.
 * @throws outside of tests
 */
export function watchCrashPoints(watch: (point: CrashPoint) => void): void {
  const { NODE_ENV } = process.env;
  if (NODE_ENV !== 'test') throw new Error(`crash points are for tests: NODE_ENV is "${NODE_ENV ?? ''}", not "test"`);
  watcher = watch;
}
