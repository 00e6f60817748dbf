import { Counter } from 'k6/metrics';
import type { RefusalCode } from '../../../services/core/refusals.ts';
import { BUCKET_EDGES, bucketIndex, bucketOf } from './buckets.ts';
import { RUNNERS } from './environment.ts';
import { ERROR_CLASSES, type ErrorClass } from './errors.ts';

/** What became of one API's keyed writes, each counted once however often it was sent. */
export class Results {
  readonly name: string;
  readonly sent: Counter;
  readonly acknowledged: Counter;
  /** Attempts that were sent again under their key. */
  readonly repeated: Counter;
  /** Refusals that this scenario can bring about, by code: results of business rules, not errors. */
  readonly refused: Partial<Record<RefusalCode, Counter>>;
  /** Refusals that mean that the script and the server disagree. */
  readonly unexpected: Counter;
  readonly errors: Record<ErrorClass, Counter>;
  /** Attempts by how long they took; none where there is but one runner, whose own percentiles are exact. */
  readonly #buckets: Counter[];

  constructor(name: string, refusals: readonly RefusalCode[]) {
    this.name = name;
    this.sent = new Counter(`${name}_sent`);
    this.acknowledged = new Counter(`${name}_acknowledged`);
    this.repeated = new Counter(`${name}_repeated`);
    this.refused = Object.fromEntries(refusals.map((code) => [code, new Counter(`${name}_refused_${code}`)]));
    this.unexpected = new Counter(`${name}_unexpected`);
    this.errors = Object.fromEntries(
      ERROR_CLASSES.map((kind) => [kind, new Counter(`${name}_error_${kind}`)]),
    ) as Record<ErrorClass, Counter>;
    this.#buckets =
      RUNNERS === 1 ? [] : [...BUCKET_EDGES, Number.POSITIVE_INFINITY].map((_, at) => new Counter(bucketOf(name, at)));
  }

  /** Counts one attempt in its bucket: counts of several runners add up, percentiles do not. Milliseconds. */
  observe(ms: number): void {
    this.#buckets[bucketIndex(ms)]?.add(1);
  }
}
