/**
 * Colours after Okabe and Ito, which stay apart under every common colour blindness; nothing is told by colour alone.
 * Blue and orange carry data, green and vermilion carry verdicts and always come with a word and a sign.
 */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f4f5f3; --card: #fff; --ink: #16191c; --soft: #5b646b; --line: #dfe3e1; --grid: #e9ecea;
  --first: #0072b2; --first-soft: #0072b21f; --second: #d55e00; --quiet: #a9b4ba; --target: #16191c;
  --pass: #00714f; --pass-soft: #e3f3ec; --fail: #b03a00; --fail-soft: #fdeae0; --open: #7a5a00; --open-soft: #fbf2d8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101316; --card: #181d21; --ink: #e8ecee; --soft: #9aa6ae; --line: #2a3238; --grid: #232a2f;
    --first: #56b4e9; --first-soft: #56b4e926; --second: #e69f00; --quiet: #5d6a73; --target: #e8ecee;
    --pass: #4fd1a5; --pass-soft: #12312a; --fail: #ff9466; --fail-soft: #3a2018; --open: #ecc94b; --open-soft: #33290f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; }
h1, h2, h3, p, figure, dl, dd { margin: 0; }
h1 { font-size: 15px; letter-spacing: .02em; font-weight: 650; }
h2 { font-size: 21px; letter-spacing: -.01em; margin: 44px 0 14px; }
h3 { font-size: 16px; }
.soft, .unit { color: var(--soft); }
.unit { font-size: 13px; }
header { display: flex; justify-content: space-between; gap: 8px 24px; flex-wrap: wrap; margin-bottom: 14px; }
.verdict { border-radius: 14px; padding: 22px 26px; display: flex; gap: 20px; align-items: center; border: 1px solid; }
.verdict .sign { flex: none; width: 54px; height: 54px; border-radius: 50%; background: currentColor; }
.verdict .sign svg { width: 54px; height: 54px; display: block; }
.verdict .sign path { fill: none; stroke: var(--card); stroke-width: 3.2; stroke-linecap: round; stroke-linejoin: round; }
.verdict strong { display: block; font-size: 30px; line-height: 1.15; letter-spacing: -.01em; }
.verdict p { color: var(--ink); }
.verdict p + p, .verdict ul + p { margin-top: 6px; font-size: 14px; }
.verdict ul { margin: 6px 0 0; padding-left: 18px; color: var(--ink); }
.PASS { color: var(--pass); background: var(--pass-soft); border-color: color-mix(in srgb, var(--pass) 30%, transparent); }
.FAIL { color: var(--fail); background: var(--fail-soft); border-color: color-mix(in srgb, var(--fail) 35%, transparent); }
.INCONCLUSIVE { color: var(--open); background: var(--open-soft); border-color: color-mix(in srgb, var(--open) 35%, transparent); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 16px; margin-top: 18px; }
.broad { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px 20px; min-width: 0; }
.card > h3 { display: flex; justify-content: space-between; gap: 10px; align-items: baseline; }
.card > h3 .soft { font-size: 13px; font-weight: 400; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin-top: 12px; }
.pair .big { font-size: 30px; line-height: 1.15; font-weight: 640; letter-spacing: -.02em; }
.pair .big small { font-size: 14px; font-weight: 400; letter-spacing: 0; color: var(--soft); }
.pair .label { font-size: 13px; color: var(--soft); }
.against { font-size: 13px; color: var(--soft); }
.against b { font-weight: 600; }
.facts { margin-top: 14px; padding-top: 12px; border-top: 1px solid var(--line); display: grid; grid-template-columns: auto 1fr; gap: 3px 14px; font-size: 13.5px; }
.facts dt { color: var(--soft); }
.facts dd { text-align: right; overflow-wrap: anywhere; }
.mark { font-weight: 650; white-space: nowrap; }
.mark.ok { color: var(--pass); } .mark.no { color: var(--fail); } .mark.open { color: var(--open); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: right; font-weight: 500; color: var(--soft); font-size: 13px; white-space: nowrap; }
td { text-align: right; white-space: nowrap; }
th, td { padding: 7px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > td { border-bottom: 0; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.text td, .text th { text-align: left; white-space: normal; }
.text td:first-child { white-space: nowrap; }
.text .status { width: 130px; } .text .rows { width: 130px; text-align: right; color: var(--soft); }
td .sub { display: block; color: var(--soft); font-size: 12.5px; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; margin-top: 16px; }
.two > * { min-width: 0; }
.scenario + .scenario { margin-top: 34px; }
.scenario > header { margin: 0; align-items: baseline; }
.chart figcaption { font-size: 14px; display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-left: auto; font-size: 13px; color: var(--soft); }
.key::before { content: ""; display: inline-block; width: 14px; height: 0; border-top: 3px solid; vertical-align: middle; margin-right: 6px; border-radius: 2px; }
.key.first::before { border-color: var(--first); } .key.second::before { border-color: var(--second); }
.key.target::before { border-top: 2px dashed var(--target); border-radius: 0; }
.plot { position: relative; margin: 14px 0 22px 46px; height: 190px; }
.plot svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.plot span { position: absolute; font-size: 12px; color: var(--soft); line-height: 1; white-space: nowrap; }
.y-axis span { right: calc(100% + 8px); transform: translateY(50%); }
.y-axis { position: absolute; inset: 0; }
.x-axis { position: absolute; left: 0; right: 0; top: 100%; }
.x-axis span { top: 8px; transform: translateX(-50%); }
.x-axis span:first-child { transform: none; }
svg * { vector-effect: non-scaling-stroke; }
.grid { stroke: var(--grid); stroke-width: 1; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line.first { stroke: var(--first); } .line.second { stroke: var(--second); stroke-width: 2.5; }
.area.first { fill: var(--first-soft); }
line.target { stroke: var(--target); stroke-width: 1.5; stroke-dasharray: 5 4; }
.hover { fill: transparent; } .hover:hover { fill: var(--ink); fill-opacity: .07; }
.bars { margin-top: 12px; font-size: 13.5px; }
.bar { display: grid; grid-template-columns: var(--label, 40px) 1fr 52px; gap: 12px; align-items: center; margin: 7px 0; }
.bar svg { width: 100%; height: 16px; display: block; overflow: visible; }
.bar-value { text-align: right; font-weight: 600; }
.track { fill: var(--grid); } .fill.first { fill: var(--first); } .fill.second { fill: var(--second); } .fill.quiet { fill: var(--quiet); }
.bars-note { font-size: 13px; color: var(--soft); }
.span { stroke: var(--first); stroke-opacity: .45; stroke-width: 5; stroke-linecap: round; }
.dot { stroke: var(--first); stroke-width: 12; stroke-linecap: round; }
.log-axis { position: relative; height: 14px; }
.log-axis span { position: absolute; transform: translateX(-50%); font-size: 12px; color: var(--soft); line-height: 1; white-space: nowrap; }
.bar.axis { margin-top: 2px; }
.ranges { --label: 112px; } .wide { --label: 148px; }
details { margin-top: 6px; } summary { cursor: pointer; color: var(--soft); font-size: 13px; }
details table { margin-top: 6px; font-size: 13px; font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
.settings { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 5px 16px; margin-top: 10px; font-size: 14px; }
.settings dt { color: var(--soft); } .settings dd { overflow-wrap: anywhere; }
footer { margin-top: 44px; color: var(--soft); font-size: 13px; }
@media (max-width: 760px) {
  .cards, .broad { grid-template-columns: minmax(0, 1fr); }
  main { padding: 18px 14px 40px; }
  .two { grid-template-columns: 1fr; }
  .verdict { padding: 18px; gap: 14px; align-items: flex-start; }
  .verdict .sign, .verdict .sign svg { width: 42px; height: 42px; }
  .verdict strong { font-size: 25px; }
  h2 { margin-top: 36px; font-size: 19px; }
  .card { padding: 16px; }
  .legend { margin-left: 0; }
  .plot { margin-left: 40px; height: 168px; }
  .wide { --label: 124px; } .ranges { --label: 112px; }
  .stack, .stack > tbody, .stack > tbody > tr, .stack > tbody > tr > td { display: block; width: 100%; }
  .stack > tbody > tr { padding: 10px 0; border-bottom: 1px solid var(--line); }
  .stack > tbody > tr:last-child { border: 0; }
  .stack > tbody > tr > td { padding: 1px 0; border: 0; text-align: left; white-space: normal; }
}
@media print { body { background: #fff; } .card { break-inside: avoid; } }
`;
