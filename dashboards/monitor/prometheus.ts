/** One series of an answer: its labels, and its values at their times (seconds). */
export interface Series {
  labels: Record<string, string>;
  values: [time: number, value: number][];
}

export interface Answer {
  series: Series[];
  /** What Prometheus finds doubtful about the query. */
  warnings: string[];
}

interface Reply {
  status: string;
  error?: string;
  warnings?: string[];
  data: unknown;
}

type Matrix = { metric: Record<string, string>; values?: [number, string][]; value?: [number, string] }[];

/** The parts of Prometheus's HTTP API that are needed here. @throws with Prometheus's own message */
export class Prometheus {
  readonly url: string;
  constructor(url: string) {
    this.url = url.replace(/\/+$/, '');
  }

  async range(query: string, from: number, to: number, step: number): Promise<Answer> {
    return answerOf(await this.ask('query_range', { query, start: String(from), end: String(to), step: String(step) }));
  }

  async instant(query: string, at: number): Promise<Answer> {
    return answerOf(await this.ask('query', { query, time: String(at) }));
  }

  /** The query's syntax tree. */
  async parse(query: string): Promise<unknown> {
    return (await this.ask('parse_query', { query })).data;
  }

  async metricNames(): Promise<Set<string>> {
    return new Set((await this.ask('label/__name__/values', {})).data as string[]);
  }

  /** Label names of a metric, of all its series. */
  async labelsOf(metric: string): Promise<Set<string>> {
    return new Set((await this.ask('labels', { 'match[]': metric })).data as string[]);
  }

  async ask(path: string, parameters: Record<string, string>): Promise<Reply> {
    const answer = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const reply = (await answer.json()) as Reply;
    if (reply.status !== 'success') throw new Error(`${reply.error ?? answer.status}: ${parameters.query ?? path}`);
    return reply;
  }
}

function answerOf({ data, warnings = [] }: Reply): Answer {
  const { result, resultType } = data as { result: Matrix | [number, string]; resultType: string };
  if (resultType === 'scalar') {
    const [time, value] = result as [number, string];
    return { series: [{ labels: {}, values: [[time, Number(value)]] }], warnings };
  }
  const series = (result as Matrix).map(({ metric, values, value }) => ({
    labels: metric,
    values: (values ?? (value ? [value] : [])).map(([time, text]): [number, number] => [time, Number(text)]),
  }));
  return { series, warnings };
}
