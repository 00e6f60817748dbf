import { Agent, request } from 'node:http';

/** What came back: an answer, or why there is none. */
export type Reply =
  | { status: number; code: string | undefined; retryAfter: boolean; replayed: boolean; body: Record<string, unknown> }
  | { status: 0; code: 'timeout' | 'broken'; error: string };

/** One connection pool of a load generator; nothing is ever sent twice by itself. */
export function openAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
}

export function post(
  agent: Agent,
  url: string,
  key: string,
  body: Record<string, unknown>,
  timeoutMs: number,
): Promise<Reply> {
  return new Promise((resolve) => {
    const text = JSON.stringify(body);
    const broken = (error: Error) => {
      clearTimeout(timer);
      resolve({ status: 0, code: error === late ? 'timeout' : 'broken', error: error.message });
    };
    const sent = request(
      url,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          'idempotency-key': key,
        },
      },
      (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          answer += chunk;
        });
        response.on('error', broken);
        response.on('end', () => {
          clearTimeout(timer);
          const parsed = parse(answer);
          resolve({
            status: response.statusCode ?? 0,
            code: typeof parsed.code === 'string' ? parsed.code : undefined,
            retryAfter: response.headers['retry-after'] !== undefined,
            replayed: response.headers['idempotency-replayed'] === 'true',
            body: parsed,
          });
        });
      },
    );
    const late = new Error(`no answer within ${timeoutMs} ms`);
    const timer = setTimeout(() => sent.destroy(late), timeoutMs);
    sent.on('error', broken);
    sent.end(text);
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
