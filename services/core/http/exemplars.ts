import { DURATION_BUCKETS } from '../duration-buckets.ts';

interface Exemplar {
  traceId: string;
  seconds: number;
  /** Seconds since the epoch. */
  at: number;
}

/**
 * The last traced request in each bucket of the duration histogram, by the text of the bucket's series. prom-client's own
 * exemplars make every observation dearer, traced or not, and rename its counters for good once OpenMetrics is asked for.
 */
export class Exemplars {
  readonly #last = new Map<string, Exemplar>();

  /** `labels` as the exposition writes them. */
  note(labels: string, seconds: number, traceId: string): void {
    const le = DURATION_BUCKETS.find((edge) => seconds <= edge) ?? '+Inf';
    const series = `onrush_http_request_duration_seconds_bucket{le="${le}",${labels}}`;
    this.#last.set(series, { traceId, seconds, at: Date.now() / 1000 });
  }

  /** Makes OpenMetrics of Prometheus's text format: counters named without _total, exemplars behind their buckets. */
  openMetrics(text: string): string {
    const lines = text.split('\n').flatMap((line) => {
      if (line === '') return [];
      if (line.startsWith('# ')) return [line.replace(/^# (HELP|TYPE) (\S+)_total(?= )/, '# $1 $2')];
      const exemplar = this.#last.get(line.slice(0, line.lastIndexOf(' ')));
      if (!exemplar) return [line];
      const { traceId, seconds, at } = exemplar;
      return [`${line} # {trace_id="${traceId}"} ${seconds} ${at}`];
    });
    return `${lines.join('\n')}\n# EOF\n`;
  }
}
