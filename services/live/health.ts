import { FAILED_TARGET, type LiveApi, type Measured, PLACES } from './measure.ts';
import type { Health, State } from './sample.ts';

/** Requests in the window. */
const ENOUGH = 20;
/** From this share of its target on, a figure asks for attention. */
const NEAR = 0.8;
/** A place that takes less of the time holds nothing back. */
const NOTABLE = 0.1;

/** Whether it is well, in one word and its reasons, each API by itself too, and what most time goes into waiting for. */
export function judge(apis: readonly LiveApi[], now: Measured): { health: Health; states: State[] } {
  const { bad, near } = findings(now);
  const states = apis.map((api, n): State => {
    const one = now.apis[n];
    if (!one || one.requests === 0) return 'idle';
    // Fewer say nothing about a percentile or a share.
    if (one.requests * now.seconds < ENOUGH) return 'healthy';
    const broken = findingsOf(api, one);
    bad.push(...broken.bad);
    near.push(...broken.near);
    return stateOf(broken);
  });
  const idle = states.every((state) => state === 'idle');
  const state = stateOf({ bad, near });
  return {
    health: { state: state === 'healthy' && idle ? 'idle' : state, reasons: [...bad, ...near], heldBy: heldBy(now) },
    states,
  };
}

interface Findings {
  bad: string[];
  near: string[];
}

const stateOf = ({ bad, near }: Findings): State =>
  bad.length > 0 ? 'bad' : near.length > 0 ? 'attention' : 'healthy';

function findingsOf({ title, target }: LiveApi, { failed, p95 }: Measured['apis'][number]): Findings {
  const bad: string[] = [];
  const near: string[] = [];
  const judged = (figure: number, limit: number) => (figure > limit ? bad : figure > limit * NEAR ? near : undefined);
  judged(failed ?? 0, FAILED_TARGET)?.push(
    `${title}: ${percent(failed ?? 0)} of the requests fail, at most ${percent(FAILED_TARGET)} may`,
  );
  judged(p95 ?? 0, target)?.push(`${title}: p95 is ${Math.round(p95 ?? 0)} ms, its target ${target} ms`);
  return { bad, near };
}

function findings({ coupons: { gatesClosed, lost }, outboxFailed, deadLetters, pools }: Measured): Findings {
  const bad: string[] = [];
  if (lost > 0) bad.push(`${lost} promised coupons were lost`);
  if (gatesClosed > 0) bad.push(`Coupons whose gate is closed: ${gatesClosed}`);
  if (outboxFailed > 0) bad.push(`Order events that were given up: ${outboxFailed} (npm run outbox)`);
  if (deadLetters > 0) bad.push(`Messages that cannot be read: ${deadLetters} (npm run dead-letters)`);
  const near = pools
    .filter(({ waiting }) => waiting > 0)
    .map(({ size, title, waiting }) => `All ${size} connections ${title} are in use, ${waiting} more are asked for`);
  return { bad, near };
}

/**
 * The largest part of the requests' time that is waiting, and the largest of the transactions' time: a request waits for
 * its turn because transactions take their time, so that either alone would be half the answer.
 */
function heldBy({ waits }: Measured): string | null {
  const most = (who: 'request' | 'transaction') =>
    PLACES.flatMap((place, n) => (place.who === who ? [{ place, share: waits[n]?.share ?? 0 }] : []))
      .filter(({ share }) => share >= NOTABLE)
      .sort((a, b) => b.share - a.share)[0];
  const request = most('request');
  const transaction = most('transaction');
  const parts = [
    request && `requests spend ${percent(request.share)} of their time waiting for ${request.place.phrase}`,
    transaction && `transactions ${percent(transaction.share)} of theirs waiting for ${transaction.place.phrase}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? null : parts.join('; ');
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0).replace('.0', '')} %`;
