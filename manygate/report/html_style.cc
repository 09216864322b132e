// SPDX-License-Identifier: Apache-2.0
// The style of a page. Every text colour has a contrast of 4.5 or more to what is behind it, in both schemes
// (tests/report measures it in a browser); lines and marks have 3 or more.
#include "manygate/report/html.h"

namespace manygate {

const char kPageStyle[] = R"css(:root {
  color-scheme: light dark;
  --page: #f4f6f9; --card: #ffffff; --ink: #18202b; --muted: #4d5968; --rule: #d3dae3; --grid: #e4e9ef; --link: #1a56a0;
  --alarm: #fff4e0; --alarm-edge: #b35c00; --stripe: #f6f8fb;
  --c0: #1f5fae; --c1: #b4500a; --c2: #1b7a48; --c3: #8740a5; --c4: #a8203f; --c5: #59606a;
  --h0: #edf3fa; --h1: #d5e5f6; --h2: #b2d0ef; --h3: #86b6e4; --h4: #356fae; --h5: #24558f; --h6: #123f73;
  --h-low: #12202f; --h-high: #ffffff;
  --input: #e9edf2; --experts: #dbe8f8; --gate: #fbe8d5; --mix: #f1e3f7; --tower: #dcf1e4; --output: #ffffff;
}
@media (prefers-color-scheme: dark) { :root {
  --page: #11151b; --card: #1a2028; --ink: #e7ebf1; --muted: #aab5c3; --rule: #3a4451; --grid: #2b333e; --link: #8cbcf5;
  --alarm: #33270f; --alarm-edge: #f0a94a; --stripe: #1f262f;
  --c0: #7fb2f0; --c1: #f0a35e; --c2: #6fcf97; --c3: #cb9fec; --c4: #f58ea0; --c5: #b6bcc5;
  --h0: #202b38; --h1: #223d5a; --h2: #265078; --h3: #2d6599; --h4: #6aa5e0; --h5: #96c3f0; --h6: #c5e0fb;
  --h-low: #eef4fb; --h-high: #0d1a28;
  --input: #2a323d; --experts: #1f3551; --gate: #48331d; --mix: #3b2a49; --tower: #1d3f2d; --output: #1a2028;
} }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: break-word;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 28px; }
h1 { font-size: 27px; line-height: 1.25; margin: 0; }
h2 { font-size: 21px; line-height: 1.3; margin: 40px 0 12px; }
h3 { font-size: 16px; margin: 0 0 10px; }
p { margin: 8px 0; max-width: 80ch; }
.subtitle, footer, .muted { color: var(--muted); }
footer { padding-bottom: 32px; margin-top: 40px; font-size: 13px; }
a { color: var(--link); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 6px 18px; padding: 0; margin: 20px 0 0; }
section { scroll-margin-top: 12px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 14px; margin: 18px 0;
  padding: 0; list-style: none; }
.tile, figure, .card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
.tile { padding: 14px 16px; }
.tile .name { font-weight: 600; }
.tile .value { font-size: 28px; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile .small { color: var(--muted); font-size: 13px; }
.tile span { display: block; }
.alarms { background: var(--alarm); border: 1px solid var(--alarm-edge); border-left-width: 6px; border-radius: 10px;
  padding: 6px 18px; margin: 18px 0; }
.alarms h2 { margin: 6px 0; font-size: 17px; }
.alarms ul { margin: 6px 0; padding-left: 20px; }
.card { padding: 14px 18px; margin: 0 0 16px; }
figure { margin: 0 0 16px; padding: 14px 18px 16px; }
figcaption { margin-bottom: 10px; }
figcaption strong { display: block; font-size: 16px; }
figcaption span { display: block; color: var(--muted); max-width: 90ch; }
.beside { display: grid; grid-template-columns: minmax(0, 540px) minmax(0, 1fr); gap: 28px; align-items: start; }
.below { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; }
.picture { overflow-x: auto; }
.empty { color: var(--muted); font-style: italic; }
.scroll { overflow: auto; max-height: 380px; border: 1px solid var(--rule); border-radius: 8px; width: fit-content;
  max-width: 100%; }
.tall .scroll { max-height: none; }
table { border-collapse: collapse; width: max-content; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px; border-bottom: 1px solid var(--grid); vertical-align: top;
  overflow-wrap: normal; }
td, th[scope="row"] { max-width: 44ch; overflow-wrap: break-word; }
tr:last-child > * { border-bottom: 0; }
tbody tr:nth-child(even) { background: var(--stripe); }
tbody th { font-weight: 500; }
thead th { position: sticky; top: 0; background: var(--card); color: var(--muted); font-weight: 600;
  box-shadow: inset 0 -1px var(--rule); white-space: nowrap; }
.n { text-align: right; white-space: nowrap; }
pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; margin: 0;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: 480px; overflow-y: auto; }
svg { display: block; font-family: inherit; overflow: visible; }
.chart { width: 100%; max-width: calc(var(--width) * 1.2); height: auto; }
.chart.wide { min-width: calc(var(--width) * 0.9); }
.diagram { width: 100%; min-width: calc(var(--width) * 0.84); max-width: calc(var(--width) * 1.15); height: auto; }
svg text { fill: var(--ink); font-size: 12px; }
.tick, .key { fill: var(--muted); font-variant-numeric: tabular-nums; }
svg .key { fill: var(--ink); }
.axis-title { font-weight: 600; }
.middle, .cell-text { text-anchor: middle; }
.end { text-anchor: end; }
.grid { stroke: var(--grid); fill: none; }
.axis { stroke: var(--muted); fill: none; }
.reference { stroke: var(--muted); stroke-dasharray: 3 4; fill: none; }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.mark { fill: var(--c); }
.hollow { fill: var(--card); stroke: var(--c); stroke-width: 2; }
.interval { stroke: var(--c); stroke-width: 1.2; fill: none; }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); }
.c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); }
.d1 { stroke-dasharray: 7 4; } .d2 { stroke-dasharray: 2 3; } .d3 { stroke-dasharray: 9 3 2 3; }
.d4 { stroke-dasharray: 14 4; }
.bar { fill: var(--c0); }
.cell.none { fill: none; stroke: var(--rule); stroke-dasharray: 3 3; }
.cell.h0 { fill: var(--h0); } .cell.h1 { fill: var(--h1); } .cell.h2 { fill: var(--h2); } .cell.h3 { fill: var(--h3); }
.cell.h4 { fill: var(--h4); } .cell.h5 { fill: var(--h5); } .cell.h6 { fill: var(--h6); }
svg .cell-text { fill: var(--h-low); font-variant-numeric: tabular-nums; }
svg .cell-text.h4, svg .cell-text.h5, svg .cell-text.h6 { fill: var(--h-high); }
svg .cell-text.none { fill: var(--muted); }
.box { fill: var(--card); stroke: var(--muted); }
.box.input { fill: var(--input); } .box.experts { fill: var(--experts); } .box.gate { fill: var(--gate); }
.box.mix { fill: var(--mix); } .box.tower { fill: var(--tower); } .box.output { fill: var(--output); }
.box-title { font-weight: 600; }
.edge { fill: none; stroke: var(--muted); stroke-opacity: 0.75; }
.arrow { fill: var(--muted); }
@media (max-width: 900px) { .beside { grid-template-columns: minmax(0, 1fr); gap: 14px; } }
@media (max-width: 640px) {
  header, main, footer { padding-left: 14px; padding-right: 14px; }
  figure, .card { padding: 12px 12px 14px; }
  h1 { font-size: 23px; }
  .chart text { font-size: 14px; }
  th, td { padding: 5px 9px; }
  thead th { white-space: normal; }
}
@media print {
  :root { --page: #ffffff; }
  body { font-size: 11px; }
  nav { display: none; }
  figure, .tile { break-inside: avoid; }
  .scroll, pre { max-height: none; overflow: visible; }
  thead th { position: static; }
}
)css";

}  // namespace manygate
