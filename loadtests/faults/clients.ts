import { setTimeout as sleep } from 'node:timers/promises';
import type { Before, ClientFigures } from '../verify/figures.ts';
import { weightOfWrite } from '../verify/weight.ts';

/** A write under a key. */
export interface Call {
  kind: 'coupon' | 'charge' | 'order';
  path: string;
  body: Record<string, unknown>;
  key: string;
}

export interface Answered {
  call: Call;
  /** Undefined if none was definite in time. */
  answer: { status: number; body: Record<string, unknown>; replayed: boolean } | undefined;
  /** What was seen on the way: a status with its code, `no answer` to what was sent, or `no connection`. */
  tries: string[];
}

export const charge = (user: number, amount: number, key: string): Call => ({
  kind: 'charge',
  path: `/api/users/test-user-${user}/balance/charge`,
  body: { amount },
  key,
});
export const order = (user: number, key: string, couponId?: string): Call => ({
  kind: 'order',
  path: '/api/orders',
  body: { userId: `test-user-${user}`, ...(couponId === undefined ? {} : { couponId }) },
  key,
});
export const issue = (couponId: string, userId: string, key: string): Call => ({
  kind: 'coupon',
  path: `/api/coupons/${couponId}/issue`,
  body: { userId },
  key,
});

const PATIENCE = 60_000;
const ONE_ANSWER = 10_000;
const PAUSE = 50;

/**
 * Sends each call, and again under its key, to one process after the other, until it has a definite answer: a success, or a
 * refusal that stands. `urls` says which processes take it; they may change meanwhile.
 */
export async function untilDefinite(calls: Call[], urls: (call: Call) => string[], atOnce = 24): Promise<Answered[]> {
  const answered: Answered[] = calls.map((call) => ({ call, answer: undefined, tries: [] }));
  let next = 0;
  const client = async () => {
    for (;;) {
      const one = answered[next++];
      if (!one) return;
      const until = Date.now() + PATIENCE;
      for (let turn = next; !one.answer && Date.now() < until; turn++) {
        const among = urls(one.call);
        const answer = await send(among[turn % among.length] as string, one.call);
        one.tries.push(typeof answer === 'string' ? answer : `${answer.status} ${answer.body.code ?? ''}`.trim());
        if (typeof answer !== 'string' && stands(answer)) one.answer = answer;
        else await sleep(PAUSE);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return answered;
}

async function send(
  url: string,
  { path, body, key }: Call,
): Promise<NonNullable<Answered['answer']> | 'no answer' | 'no connection'> {
  try {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ONE_ANSWER),
    });
    return {
      status: answer.status,
      body: (await answer.json()) as Record<string, unknown>,
      replayed: answer.headers.get('idempotency-replayed') === 'true',
    };
  } catch (error) {
    return (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED' ? 'no connection' : 'no answer';
  }
}

/** O409 only says that another order of the user is running: it may have been one whose process is gone. */
const stands = ({ status, body }: NonNullable<Answered['answer']>) =>
  status < 500 && status !== 429 && body.code !== 'O409';

/** What the verifier compares with the database. */
export function figuresOf(before: Before, answered: Answered[]): ClientFigures {
  const of = (kind: Call['kind']) => answered.filter(({ call }) => call.kind === kind);
  const flow = (some: Answered[], won: (one: Answered) => number) => ({
    count: some.length,
    won: some.reduce((sum, one) => sum + won(one), 0),
    weighed: some.reduce((sum, one) => sum + won(one) * weightOfWrite(one.call), 0),
  });
  const good = (some: Answered[]) => some.filter(({ answer }) => answer && answer.status < 300);
  const open = (some: Answered[]) => some.filter(({ answer }) => !answer);
  const asked = ({ call }: Answered) => Number(call.body.amount);
  return {
    before,
    coupon: {
      couponId: 'all',
      sent: of('coupon').length,
      accepted: good(of('coupon')).length,
      unresolved: open(of('coupon')).length,
    },
    charge: {
      sent: flow(of('charge'), asked),
      acknowledged: flow(good(of('charge')), asked),
      unresolved: flow(open(of('charge')), asked),
    },
    order: {
      sent: of('order').length,
      acknowledged: flow(good(of('order')), ({ answer }) => Number(answer?.body.finalAmount)),
      unresolved: open(of('order')).length,
    },
    keyed: true,
  };
}
