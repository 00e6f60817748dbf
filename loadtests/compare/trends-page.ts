import { count, figure, percent } from '../report/format.ts';
import { Html, html } from '../report/html.ts';
import { lineChart } from '../report/line-chart.ts';
import { style } from '../report/style.ts';
import type { Entry, EntryScenario } from './ledger.ts';

const TITLES: Record<string, string> = {
  coupon: 'Coupons',
  'charge-hot': 'Charges on 10 wallets',
  'charge-spread': 'Charges on 10,000 wallets',
  order: 'Orders of three products',
};

/** The ledger as one page that needs nothing else. Only ratios of one run can be drawn as one line: machines and hours differ. */
export function trendsPage(entries: Entry[]): string {
  const names = [...new Set(entries.flatMap(({ scenarios }) => Object.keys(scenarios)))];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Onrush: trends</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<header><h1>Onrush trends</h1><span class="soft">${entries.length} entries, ${entries[0]?.at.slice(0, 10)} to ${entries.at(-1)?.at.slice(0, 10)}</span></header>
<p class="soft">Ratios are of one run, so they can be compared over machines; rates and times cannot.</p>
${names.map((name) => scenario(name, entries))}
</main>
</body>
</html>
`;
  return page.text;
}

function scenario(name: string, entries: Entry[]): Html {
  const own = entries.filter(({ scenarios }) => scenarios[name]);
  const of = (entry: Entry) => entry.scenarios[name] as EntryScenario;
  const chart = (title: string, unit: string, value: (one: EntryScenario) => number | null) =>
    own.some((entry) => value(of(entry)) !== null) &&
    html`<div class="card">${lineChart({
      title,
      unit,
      seconds: Math.max(1, own.length - 1),
      axis: (at) => (Number.isInteger(at) ? (own[at]?.commit.slice(0, 7) ?? '') : ''),
      lines: [{ label: title, tone: 'first', points: own.map((entry, x) => ({ x, y: value(of(entry)) })) }],
    })}</div>`;
  const shown = (value: number | null, digits = 2) => (value === null ? '–' : value.toFixed(digits));
  return html`<h2>${TITLES[name] ?? name}</h2>
<div class="two">
${chart('rate', '× the raw engine', ({ ratioToRaw }) => ratioToRaw)}
${chart('rate', '× bare Express', ({ ratioToBare }) => ratioToBare)}
${chart('API CPU of a request', '× bare Express', ({ cpuToBare }) => cpuToBare)}
</div>
<div class="card scroll" style="margin-top:16px"><table>
<tr><th>commit</th><th>day</th><th>machine</th><th>accepted/s</th><th>spread</th><th>× raw</th><th>× bare</th><th>CPU µs</th><th>× bare</th><th>p99 ms</th><th>verdict</th></tr>
${own.map((entry) => {
  const { perSecond, spread, rounds, ratioToRaw, ratioToBare, cpuToBare, apiMicroseconds, p99 } = of(entry);
  const { cpu, cores } = entry.machine;
  return html`<tr><td>${entry.commit.slice(0, 12)}</td><td>${entry.at.slice(0, 10)}</td><td>${cores} × ${cpu}</td><td>${count(perSecond)}</td><td>${rounds > 1 ? percent(spread) : '–'}</td><td>${shown(ratioToRaw)}</td><td>${shown(ratioToBare)}</td><td>${apiMicroseconds === null ? '–' : figure(apiMicroseconds)}</td><td>${shown(cpuToBare)}</td><td>${figure(p99)}</td><td>${entry.verdict}</td></tr>`;
})}
</table></div>`;
}
