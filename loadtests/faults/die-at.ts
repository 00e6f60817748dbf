import { CRASH_POINTS, type CrashPoint, watchCrashPoints } from '../../services/core/crash-point.ts';

/*
 * Loaded before services/main.ts (NODE_OPTIONS=--import=…), it has the process killed when it comes by the point named in
 * ONRUSH_TEST_DIE_AT for the n-th time: `charge:committed#3`. It stops there instead where ONRUSH_TEST_AT_POINT is
 * SIGSTOP. No handler runs, nothing is flushed: what the process leaves is what it would leave on a power cut.
 */
const [, point = '', nth = '1'] = /^([a-z:-]+)(?:#([1-9]\d*))?$/.exec(process.env.ONRUSH_TEST_DIE_AT ?? '') ?? [];
if (!CRASH_POINTS.includes(point as CrashPoint))
  throw new Error(
    `ONRUSH_TEST_DIE_AT "${process.env.ONRUSH_TEST_DIE_AT}": expected POINT#N of ${CRASH_POINTS.join(', ')}`,
  );
const signal = process.env.ONRUSH_TEST_AT_POINT === 'SIGSTOP' ? 'SIGSTOP' : 'SIGKILL';

let left = Number(nth);
watchCrashPoints((passed) => {
  if (passed === point && --left === 0) process.kill(process.pid, signal);
});
