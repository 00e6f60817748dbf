import { bars } from './bars.ts';
import { count, figure } from './format.ts';
import { type Html, html } from './html.ts';
import type { ScenarioResult } from './results.ts';

/** CPU of the answering process for a request, beside what Express alone needs for the same answer. */
export function bareSection(scenarios: ScenarioResult[]): Html | false {
  const compared = scenarios.flatMap(({ title, apis, cpu, bare }) =>
    cpu && bare ? [{ title, rate: apis[0]?.acknowledgedPerSecond ?? 0, cpu, bare }] : [],
  );
  if (compared.length === 0) return false;
  return html`<h2>Beside Express alone</h2>
<p class="soft">Express in its default setup answers the same requests by the same generator in the same run, and does nothing.</p>
<div class="cards wide">${compared.map(({ title, rate, cpu, bare }) => {
    const ratio = bare.cpuRatio;
    return html`<div class="card"><h3>${title} <span class="soft">CPU µs a request</span></h3>
<div class="pair" style="grid-template-columns:1fr"><div class="big">${ratio.toFixed(2)}× <small>the CPU, so ${(1 / ratio).toFixed(2)}× the answers for the same CPU, ${(1 / bare.cpuRatioWithBackground).toFixed(2)}× with what relaying and consuming take; ${bare.ratio.toFixed(2)}× the rate: ${count(rate)} and ${count(bare.perSecond)} a second, engines and background on the same cores</small></div></div>
${bars([
  {
    label: 'API',
    value: cpu.microsecondsPerRequest,
    text: figure(cpu.microsecondsPerRequest),
    tone: 'second',
  },
  { label: 'Express', value: bare.microsecondsPerRequest, text: figure(bare.microsecondsPerRequest), tone: 'first' },
  ...(cpu.background
    ? [
        {
          label: 'background',
          value: cpu.background.microsecondsPerRequest,
          text: figure(cpu.background.microsecondsPerRequest),
          tone: 'quiet' as const,
        },
      ]
    : []),
])}</div>`;
  })}</div>`;
}
