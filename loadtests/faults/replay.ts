import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { openAgent, post, type Reply } from './post.ts';
import type { Request } from './traffic.ts';

/** A success, or a refusal by a rule. After anything else nobody knows whether the write took effect. */
export const isDefinite = (reply: Reply | undefined): boolean =>
  reply !== undefined && reply.status >= 200 && reply.status < 500;

/** Requests that are repeated at once. */
const AT_ONCE = 16;

/**
 * Sends every write without a definite answer again, under its key, until it has one or the time is over.
 * @returns the last answer of each request.
 */
export async function replayToDefinite(
  urls: string[],
  requests: Request[],
  withinMs: number,
): Promise<Map<Request, Reply | undefined>> {
  const last = new Map(requests.map((request) => [request, request.reply]));
  const open = requests.filter(({ reply }) => !isDefinite(reply));
  const agent = openAgent();
  const until = Date.now() + withinMs;
  const work = async () => {
    for (let request = open.shift(); request; request = open.shift())
      last.set(request, await askAgain(agent, urls, request, until));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  agent.destroy();
  return last;
}

async function askAgain(agent: Agent, urls: string[], { path, key, body }: Request, until: number): Promise<Reply> {
  for (let attempt = 0; ; attempt++) {
    const reply = await post(agent, urls[attempt % urls.length] + path, key, body, 10_000);
    if (isDefinite(reply) || Date.now() > until) return reply;
    await sleep(250);
  }
}
