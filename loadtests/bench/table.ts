import { apiTitle, count, counts, figure, megabytes, percent, place, seconds } from '../report/format.ts';
import type { ApiResult, Capacity, ResourcePoint, Results, ScenarioResult } from '../report/results.ts';
import { flatness } from './flat.ts';

type Row = string[];

/** Columns as wide as they need to be, the first to the left, the others to the right. */
export function columns(rows: Row[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Everything the run found, for a terminal; the verdict is the last line. */
export function resultsText(results: Results): string {
  const { scenarios, capacity, invariants, reasons, notes, machine, engines, verdict } = results;
  return [
    '',
    ...(scenarios.length > 0 ? columns(mainTable(scenarios)) : []),
    '',
    ...scenarios.flatMap(scenarioLines),
    ...(scenarios.some(({ raw }) => raw) ? ['', ...columns(rawTable(scenarios)), ''] : ['']),
    ...(scenarios.some(({ bare }) => bare) ? [...columns(bareTable(scenarios)), ''] : []),
    ...(capacity ?? []).flatMap((one) => [...capacityLines(one), '']),
    ...(invariants ? invariantLines(invariants) : []),
    '',
    ...machine.map(({ label, value }) => `${label}: ${value}`),
    ...engines.map(
      ({ version, kind, durability }) =>
        `${version}, ${kind}: ${Object.entries(durability)
          .map(([name, value]) => `${name}=${value}`)
          .join(', ')}`,
    ),
    '',
    ...notes.map((note) => `note: ${note}`),
    ...reasons.map((reason) => `- ${reason}`),
    `verdict: ${verdict}`,
  ].join('\n');
}

function mainTable(scenarios: ScenarioResult[]): Row[] {
  const head = [
    'API',
    'requests',
    'TPS',
    'published',
    'avg',
    'p50',
    'p95',
    'published',
    'p99 ms',
    'within SLO',
    'errors',
  ];
  const row = (scenario: ScenarioResult, { api, client, published, withinSlo, errors }: ApiResult): Row => [
    scenario.name === api ? apiTitle(api) : `${scenario.name}: ${api}`,
    count(client.count),
    figure(client.perSecond),
    count(published.tps),
    figure(client.avg),
    figure(client.p50),
    figure(client.p95),
    count(published.p95),
    figure(client.p99),
    withinSlo === undefined ? '–' : percent(withinSlo),
    counts(errors),
  ];
  return [head, ...scenarios.flatMap((scenario) => scenario.apis.map((api) => row(scenario, api)))];
}

function scenarioLines({
  name,
  apis,
  lockWaits,
  cpu,
  cores,
  rssBytes,
  batches,
  issueLag,
  drainSeconds,
  dropped,
  resources,
}: ScenarioResult): string[] {
  const lines: (string | undefined)[] = [
    apis
      .map(({ api, acknowledged, refused }) => `${api} accepted ${count(acknowledged)}, refused ${counts(refused)}`)
      .join('; '),
    lockWaits.length > 0
      ? `lock wait p95: ${lockWaits.map(({ at, p95 }) => `${place(at)} ${figure(p95)} ms`).join(', ')}`
      : undefined,
    batches.length > 0
      ? `requests a transaction: ${batches.map(({ combiner, mean }) => `${combiner} ${mean.toFixed(1)}`).join(', ')}`
      : undefined,
    cpu &&
      `API CPU ${figure(cpu.microsecondsPerRequest)} µs a request (${cpu.cores.toFixed(2)} cores)${rssBytes ? `, RSS ${megabytes(rssBytes)}` : ''}${cpu.background ? `; background ${figure(cpu.background.microsecondsPerRequest)} µs` : ''}`,
    cores.length > 0
      ? `cores: ${cores.map(({ label, cores: used }) => `${label} ${used.toFixed(2)}`).join(', ')}`
      : undefined,
    flatLine(resources ?? []),
    issueLag && `accepted to issued: p50 ${figure(issueLag.p50)} ms, p99 ${figure(issueLag.p99)} ms`,
    drainSeconds === undefined ? undefined : `queues empty ${seconds(drainSeconds)} after the load`,
    dropped > 0 ? `${count(dropped)} iterations dropped: the generator had no virtual user free` : undefined,
  ];
  return [name, ...lines.filter((line) => line !== undefined).map((line) => `  ${line}`)];
}

/** Of a run that is long enough to tell. */
function flatLine(resources: ResourcePoint[]): string | undefined {
  const flat = flatness(resources);
  if (!flat) return undefined;
  const change = ({ from, to }: { from: number; to: number }, shown: (value: number) => string) =>
    `${shown(from)} → ${shown(to)}`;
  return `from the second fifth to the last: heap ${change(flat.heap, megabytes)}, RSS ${change(flat.rss, megabytes)}, files and sockets ${change(flat.descriptors, count)}; garbage collection ${percent(flat.gc)} of one core`;
}

function rawTable(scenarios: ScenarioResult[]): Row[] {
  const labels = scenarios.find(({ raw }) => raw)?.raw?.runs.map(({ label }) => label) ?? [];
  return [
    ['accepted a second', 'APIs', 'best raw', 'ratio', ...labels],
    ...scenarios.map(({ title, apis, raw }) => [
      title,
      count(apis[0]?.acknowledgedPerSecond ?? 0),
      raw ? count(raw.best) : '–',
      raw ? raw.ratio.toFixed(2) : '–',
      ...labels.map((label) => {
        const run = raw?.runs.find((one) => one.label === label);
        return run ? count(run.perSecond) : '–';
      }),
    ]),
  ];
}

function capacityLines({ title, steps, knee, limit, half }: Capacity): string[] {
  const rows = [...steps, ...(half ? [half] : [])].map(
    (step): Row => [
      step === half ? 'half of it' : step.rate === knee ? 'the knee' : '',
      count(step.rate),
      count(step.acknowledged),
      figure(step.p50),
      figure(step.p99),
      String(step.failed),
      step.held ? 'held' : 'not held',
      step.cores.map(({ label, cores }) => `${label} ${cores.toFixed(2)}`).join(', '),
    ],
  );
  return [
    ...columns([[title, 'asked/s', 'accepted/s', 'p50', 'p99 ms', 'errors', '', 'cores'], ...rows]),
    `${title}: ${count(knee)} a second; beyond it the limit is ${limit}`,
  ];
}

function bareTable(scenarios: ScenarioResult[]): Row[] {
  return [
    [
      'beside bare Express',
      'APIs/s',
      'bare/s',
      'ratio',
      'API CPU µs a request',
      'bare',
      'ratio',
      'answers for the same CPU',
      'with background',
    ],
    ...scenarios.flatMap(({ title, apis, cpu, bare }) =>
      bare && cpu
        ? [
            [
              title,
              count(apis[0]?.acknowledgedPerSecond ?? 0),
              count(bare.perSecond),
              bare.ratio.toFixed(2),
              figure(cpu.microsecondsPerRequest),
              figure(bare.microsecondsPerRequest),
              bare.cpuRatio.toFixed(2),
              `${(1 / bare.cpuRatio).toFixed(2)}×`,
              `${(1 / bare.cpuRatioWithBackground).toFixed(2)}×`,
            ],
          ]
        : [],
    ),
  ];
}

function invariantLines({ checks, seconds: took, lostPromises }: NonNullable<Results['invariants']>): string[] {
  const table = columns([
    ['invariant', 'rows', 'result'],
    ...checks.map(({ title, checked, status }) => [title, count(checked), status === 'violated' ? 'VIOLATED' : status]),
  ]);
  const lines = [table[0] ?? ''];
  for (const [index, { reason, rows, violations, status }] of checks.entries()) {
    lines.push(table[index + 1] ?? '');
    if (reason && status !== 'not checked') lines.push(`    ${reason}`);
    for (const row of rows)
      lines.push(
        `    ${Object.entries(row)
          .map(([column, value]) => `${column}=${value}`)
          .join(' ')}`,
      );
    if (violations > rows.length) lines.push(`    … ${count(violations)} in all`);
  }
  lines.push(`verified in ${took.toFixed(2)} s${lostPromises === null ? '' : `, lost promises: ${lostPromises}`}`);
  return lines;
}
