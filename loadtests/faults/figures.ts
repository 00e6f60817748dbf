import type { Before, ClientFigures, Flow } from '../verify/figures.ts';
import { weightOfWrite } from '../verify/weight.ts';
import type { Reply } from './post.ts';
import { isDefinite } from './replay.ts';
import type { Request } from './traffic.ts';

/** What the clients saw in all, after the replays, for the verifier to hold against the database. */
export function figuresOf(last: Map<Request, Reply | undefined>, couponId: string, before: Before): ClientFigures {
  const sums = {
    coupon: { couponId, sent: 0, accepted: 0, unresolved: 0 },
    charge: { sent: none(), acknowledged: none(), unresolved: none() },
    order: { sent: 0, acknowledged: none(), unresolved: 0 },
  };
  for (const [{ api, amount, path, body }, reply] of last) {
    const weight = weightOfWrite({ path, body });
    const succeeded = reply !== undefined && reply.status >= 200 && reply.status < 300;
    const unresolved = !isDefinite(reply);
    if (api === 'charge') {
      add(sums.charge.sent, amount, weight);
      if (succeeded) add(sums.charge.acknowledged, amount, weight);
      if (unresolved) add(sums.charge.unresolved, amount, weight);
      continue;
    }
    sums[api].sent++;
    if (unresolved) sums[api].unresolved++;
    if (!succeeded) continue;
    if (api === 'coupon') sums.coupon.accepted++;
    else add(sums.order.acknowledged, Number((reply as { body: Record<string, unknown> }).body.finalAmount), weight);
  }
  return { before, ...sums, keyed: true };
}

type Weighed = Flow & { weighed: number };
const none = (): Weighed => ({ count: 0, won: 0, weighed: 0 });
const add = (flow: Weighed, won: number, weight: number): void => {
  flow.count++;
  flow.won += won;
  flow.weighed += won * weight;
};
