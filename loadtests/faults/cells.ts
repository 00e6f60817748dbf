import { API_NAMES, type ApiName } from '../k6/lib/slo.ts';
import { isDefinite } from './replay.ts';
import type { Request } from './traffic.ts';

/** What the clients of one API saw in one run: a cell of the matrix. */
export interface Cell {
  sent: number;
  ok: number;
  /** Refusals by a rule, by code. */
  refused: Record<string, number>;
  /** 503s: nothing was done (COMMON503), the outcome is unknown (COMMON504), the gate is closed (C503). */
  unavailable: Record<string, number>;
  /** Other 5xx, connections that broke, and clients that gave up waiting: none of them should be. */
  errors: number;
  broken: number;
  gaveUp: number;
  withoutRetryAfter: number;
  p95Ms: number;
  p99Ms: number;
  longestMs: number;
  /** From the last fault's end to the last answer that was neither a success nor a refusal by a rule. */
  recoveredAfterS: number;
}

export function cellsOf(requests: Request[], faultsEndedAt: number): Record<ApiName, Cell> {
  return Object.fromEntries(
    API_NAMES.map((api) => [
      api,
      cellOf(
        requests.filter((request) => request.api === api),
        faultsEndedAt,
      ),
    ]),
  ) as Record<ApiName, Cell>;
}

function cellOf(requests: Request[], faultsEndedAt: number): Cell {
  const cell: Cell = {
    sent: requests.length,
    ok: 0,
    refused: {},
    unavailable: {},
    errors: 0,
    broken: 0,
    gaveUp: 0,
    withoutRetryAfter: 0,
    p95Ms: 0,
    p99Ms: 0,
    longestMs: 0,
    recoveredAfterS: 0,
  };
  const times: number[] = [];
  for (const { reply, sentAt, answeredAt = Number.POSITIVE_INFINITY } of requests) {
    times.push(answeredAt - sentAt);
    if (!isDefinite(reply)) cell.recoveredAfterS = Math.max(cell.recoveredAfterS, (answeredAt - faultsEndedAt) / 1_000);
    if (!reply || (reply.status === 0 && reply.code === 'timeout')) cell.gaveUp++;
    else if (reply.status === 0) cell.broken++;
    else if (reply.status < 300) cell.ok++;
    else if (reply.status < 500) count(cell.refused, reply.code);
    else if (reply.status !== 503) cell.errors++;
    else {
      count(cell.unavailable, reply.code);
      if (!reply.retryAfter) cell.withoutRetryAfter++;
    }
  }
  times.sort((a, b) => a - b);
  cell.p95Ms = quantile(times, 0.95);
  cell.p99Ms = quantile(times, 0.99);
  cell.longestMs = times.at(-1) ?? 0;
  return cell;
}

const count = (into: Record<string, number>, code = 'no code'): void => {
  into[code] = (into[code] ?? 0) + 1;
};

/** The smallest value that so large a share of them does not exceed. */
const quantile = (sorted: number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;

export const total = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0);
