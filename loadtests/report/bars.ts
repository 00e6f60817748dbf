import { figure } from './format.ts';
import { type Html, html } from './html.ts';
import { coordinate, logPosition, ticks } from './scale.ts';

interface Bar {
  label: string;
  value: number;
  text?: string;
  tone?: 'first' | 'second' | 'quiet';
}

/** Horizontal bars from zero, with a mark where the target is. */
export function bars(rows: Bar[], target?: { value: number; label: string }): Html {
  const end = ticks(Math.max(...rows.map(({ value }) => value), target?.value ?? 0) * 1.02).at(-1) ?? 1;
  const width = (value: number) => coordinate((100 * value) / end);
  return html`<div class="bars">
${rows.map(
  ({ label, value, text, tone }) => html`<div class="bar"><span class="bar-label">${label}</span>
<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="10"/><rect class="fill ${tone ?? 'first'}" width="${width(value)}" height="10"/>${
    target && html`<line class="target" x1="${width(target.value)}" x2="${width(target.value)}" y1="0" y2="10"/>`
  }</svg>
<span class="bar-value">${text ?? figure(value)}</span></div>`,
)}
${target && html`<p class="bars-note"><span class="key target">${target.label}</span></p>`}
</div>`;
}

interface Range {
  label: string;
  count: string;
  p50: number;
  p95: number;
  p99: number;
}

const FROM = 0.1;
const TO = 3_000;

/** Spans from p50 to p99 with a dot at p95, on one logarithmic axis of milliseconds: waits differ by powers of ten. */
export function ranges(rows: Range[]): Html {
  const at = (ms: number) => coordinate(logPosition(ms, FROM, TO));
  const marks = [0.1, 1, 10, 100, 1_000];
  return html`<div class="bars ranges">
${rows.map(
  ({ label, count, p50, p95, p99 }) => html`<div class="bar"><span class="bar-label">${label}</span>
<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="${label}: p50 ${figure(p50)}, p95 ${figure(p95)}, p99 ${figure(p99)} ms"><title>${label}: p50 ${figure(p50)} ms, p95 ${figure(p95)} ms, p99 ${figure(p99)} ms, ${count} waits</title>
${marks.map((mark) => html`<line class="grid" x1="${at(mark)}" x2="${at(mark)}" y1="0" y2="10"/>`)}
<line class="span" x1="${at(p50)}" x2="${at(p99)}" y1="5" y2="5"/><line class="dot" x1="${at(p95)}" x2="${at(p95)}" y1="5" y2="5"/></svg>
<span class="bar-value">${figure(p95)}</span></div>`,
)}
<div class="bar axis"><span></span><div class="log-axis">${marks.map((mark) => html`<span style="left:${at(mark)}%">${mark < 1_000 ? mark : `${mark / 1_000} s`}</span>`)}</div><span></span></div>
</div>`;
}
