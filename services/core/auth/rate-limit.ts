/** Milliseconds until the user may call again; 0: this call is taken and counted. */
export type RateLimit = (user: string) => number;

/**
 * Lets each user call `perSecond` times a second and `burst` times at once after a pause, by the generic cell rate algorithm:
 * one number for each user, the time at which all calls so far are paid for.
 *
 * Counted in each process alone: a charge needs no Redis, and a count there would cost every call a round trip and make it
 * wait for an engine it does not need. What a user can have is the limit times the processes that answer, which keeps one
 * user from taking the places of others just as well.
 *
 * Who has not called for `burst / perSecond` seconds is forgotten within twice that time.
 */
export function rateLimit(perSecond: number, burst: number, now: () => number = () => performance.now()): RateLimit {
  const each = 1_000 / perSecond;
  const whole = burst * each;
  let recent = new Map<string, number>();
  let before = new Map<string, number>();
  let since = now();
  return (user) => {
    const at = now();
    if (at - since >= whole) {
      before = at - since >= 2 * whole ? new Map() : recent;
      recent = new Map();
      since = at;
    }
    const paid = Math.max(recent.get(user) ?? before.get(user) ?? at, at) + each;
    const wait = paid - whole - at;
    if (wait > 0) return wait;
    recent.set(user, paid);
    return 0;
  };
}
