import { sleep } from 'k6';
import http, { type RefinedResponse } from 'k6/http';
import type { RefusalCode } from '../../../services/core/refusals.ts';
import { BASE_URL } from './environment.ts';
import type { ErrorClass } from './errors.ts';
import type { Results } from './results.ts';

/** Answers that are results: successes, and refusals of business rules. Everything else is a failed request to k6. */
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 299 }, 400, 404, 409, 422));

/** k6's types leave it out. */
declare const console: { error(line: string): void };

/** Times one write is sent at most; with the waits between them about eight seconds. */
const ATTEMPTS = 8;
const TIMED_OUT = 1050;

const prefix = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 12)}-`;
let written = 0;

/** A new Idempotency-Key: every virtual user has a prefix of its own. */
const newKey = (): string => `${prefix}${(written++).toString(36)}`;

/**
 * Sends a write under one Idempotency-Key until the answer is definite: after a timeout, a broken connection or a 5xx
 * nobody knows whether it took effect, and the same key asks. Counts what came of it.
 * @returns the answer of a success; undefined if it was refused or never became definite.
 */
export function definite(results: Results, path: string, body: object): RefinedResponse<'text'> | undefined {
  const params = {
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': newKey() },
    tags: { name: results.name },
    responseType: 'text' as const,
    timeout: '10s',
  };
  const text = JSON.stringify(body);
  results.sent.add(1);
  for (let attempt = 1; ; attempt++) {
    const response = http.post(BASE_URL + path, text, params);
    results.observe(response.timings.duration);
    if (response.status >= 200 && response.status < 300) {
      results.acknowledged.add(1);
      return response;
    }
    if (response.status >= 400 && response.status < 500) {
      countRefusal(results, response);
      return undefined;
    }
    results.errors[errorClass(response)].add(1);
    if (attempt === ATTEMPTS) return undefined;
    sleep(pauseBefore(attempt, response));
    results.repeated.add(1);
  }
}

function countRefusal(results: Results, response: RefinedResponse<'text'>): void {
  const code = codeOf(response);
  const expected = code && results.refused[code];
  if (expected) {
    expected.add(1);
    return;
  }
  results.unexpected.add(1);
  console.error(`${results.name}: unexpected answer ${response.status} ${response.body}`);
}

function codeOf(response: RefinedResponse<'text'>): RefusalCode | undefined {
  try {
    return (JSON.parse(response.body) as { code?: RefusalCode }).code;
  } catch {
    return undefined;
  }
}

function errorClass(response: RefinedResponse<'text'>): ErrorClass {
  if (response.status === 0) return response.error_code === TIMED_OUT ? 'timeout' : 'connection';
  return response.status === 503 ? 'http_503' : 'http_5xx';
}

/** Seconds: what the server asks for, else growing; spread, so that those refused together do not come back together. */
function pauseBefore(attempt: number, response: RefinedResponse<'text'>): number {
  const asked = Number(response.headers['Retry-After']);
  const wait = asked > 0 ? asked : Math.min(2, 0.1 * 2 ** (attempt - 1));
  return wait * (0.75 + Math.random() / 2);
}
