// What the page looks like: colours as custom properties by colour scheme, then the page, its figures, tables and charts.

/**
 * Series that meet in a chart differ in lightness, in dashes or as blue and orange do, for any colour vision and for print. The
 * ten colours of classes are after Tol's qualitative schemes; each class has its name on the map besides.
 */
const COLOURS = {
  light: {
    ground: '#fbfbfa',
    surface: '#ffffff',
    ink: '#1b1f24',
    soft: '#59636e',
    line: '#d5dae0',
    grid: '#eceff2',
    training: '#7d8590',
    validation: '#2b9a7c',
    test: '#1763b6',
    known: '#1763b6',
    unknown: '#e0701f',
    wrong: '#c2410c',
    classes: [
      '#332288',
      '#2f94d0',
      '#2a9d8f',
      '#117733',
      '#8a8a1c',
      '#c08a12',
      '#cc6677',
      '#882255',
      '#aa4499',
      '#5b6470',
    ],
  },
  dark: {
    ground: '#0e1116',
    surface: '#151a21',
    ink: '#e8ecf1',
    soft: '#a0abb7',
    line: '#343d48',
    grid: '#232a33',
    training: '#8b949e',
    validation: '#4fd1ac',
    test: '#62a8f5',
    known: '#62a8f5',
    unknown: '#f59650',
    wrong: '#ff8a5c',
    classes: [
      '#9a8ff0',
      '#88ccee',
      '#44cdb8',
      '#4fb56d',
      '#c5c558',
      '#e8c55a',
      '#ee8f9c',
      '#d4679a',
      '#d884cc',
      '#b4bcc6',
    ],
  },
} as const;

/** The style sheet of the report. */
export function styleSheet(): string {
  return `
:root { color-scheme: light dark; ${properties('light')} }
@media (prefers-color-scheme: dark) { :root { ${properties('dark')} } }
@media print { :root { color-scheme: light; ${properties('light')} } }
${PAGE}
${FIGURES}
${CHARTS}
${COLOURS.light.classes.map((_, k) => `.class-${k} { color: var(--class-${k}); }`).join('\n')}
${PRINT}`;
}

function properties(scheme: 'light' | 'dark'): string {
  const { classes, ...named } = COLOURS[scheme];
  return [...Object.entries(named), ...classes.map((colour, k) => [`class-${k}`, colour])]
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ');
}

const PAGE = `
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 48px; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 650; text-wrap: balance; }
h1 { font-size: 32px; letter-spacing: -0.015em; }
h2 { font-size: 23px; letter-spacing: -0.01em; margin-bottom: 4px; }
h3 { font-size: 17px; }
h4 { font-size: 14px; font-weight: 600; }
p { margin: 0; }
.lead { font-size: 18px; color: var(--soft); margin-top: 10px; max-width: 46em; }
.about { color: var(--soft); max-width: 46em; margin-bottom: 20px; text-wrap: pretty; }
.soft { color: var(--soft); }
section { margin-top: 64px; }
nav { margin-top: 28px; border-top: 1px solid var(--line); padding-top: 12px; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 0; padding: 0; font-size: 15px; }
a { color: var(--test); text-underline-offset: 0.2em; text-decoration-thickness: 1px; }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 28px 0 0; }
.numbers > div { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; display: flex; flex-direction: column; }
.numbers dt { font-size: 13px; color: var(--soft); order: 2; line-height: 1.35; }
.numbers dd { font-size: 25px; font-weight: 650; letter-spacing: -0.01em; margin: 0; font-variant-numeric: tabular-nums; white-space: nowrap; }
.columns { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px; }
.note { background: var(--surface); border: 1px dashed var(--line); border-radius: 10px; padding: 16px 20px; color: var(--soft); overflow-wrap: anywhere; }
pre { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; margin: 10px 0 20px; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 14px; }
footer { margin-top: 64px; padding-bottom: 48px; color: var(--soft); font-size: 14px; }
@media (max-width: 620px) {
  main, header, footer { padding-left: 16px; padding-right: 16px; }
  header { padding-top: 28px; }
  h1 { font-size: 26px; }
  .lead { font-size: 17px; }
  .columns { grid-template-columns: minmax(0, 1fr); }
  .numbers { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .numbers > :last-child:nth-child(odd) { grid-column: 1 / -1; }
  section { margin-top: 44px; }
}`;

const FIGURES = `
figure { margin: 0; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px; min-width: 0; }
.stack > * + * { margin-top: 20px; }
figcaption { font-size: 14px; line-height: 1.5; color: var(--soft); margin-top: 14px; max-width: 62em; }
figure pre { background: var(--ground); margin: 0; }
.keys { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 6px 0 0; padding: 0; font-size: 13.5px; color: var(--soft); }
.keys li { display: flex; align-items: center; gap: 7px; }
.swatch { flex: none; width: 14px; height: 14px; border-radius: 3px; background: currentColor; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.swatch.line { height: 3px; width: 20px; border-radius: 2px; }
.swatch.line.validation { background: repeating-linear-gradient(90deg, currentColor 0 5px, transparent 5px 8px); }
.swatch.known, .swatch.test:not(.line) { background: color-mix(in srgb, currentColor 60%, transparent); }
.swatch.few { opacity: 0.45; }
.swatch.outlined { background: color-mix(in srgb, currentColor 20%, transparent); border: 2px solid currentColor; }
.swatch.right { background: color-mix(in srgb, var(--test) 60%, transparent); }
.swatch.wrong { background: color-mix(in srgb, var(--wrong) 60%, transparent); }
.swatch.expected, .swatch.threshold { height: 3px; width: 18px; color: var(--ink); }
.swatch.threshold { width: 3px; height: 16px; border-radius: 0; background: repeating-linear-gradient(var(--ink) 0 4px, transparent 4px 6px); }
.swatch.point { width: 8px; height: 8px; border-radius: 50%; color: var(--soft); }
.swatch.ellipse { background: none; border: 1.5px solid var(--soft); border-radius: 50%; width: 20px; height: 12px; }
.swatch.mistake { background: none; width: auto; height: auto; color: var(--ink); font-weight: 700; line-height: 1; }
.swatch.mistake::before { content: '×'; font-size: 18px; }
.shown { margin-top: 12px; min-width: 0; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); gap: 20px 28px; }
.panels > .panel:only-child { max-width: 480px; }
.panels.two { grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); }
.panels.three { grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); }
.panel { min-width: 0; }
.panel h4 { margin-bottom: 6px; }
.tiles { display: grid; gap: 18px 14px; }
.tiles.mistakes { grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); }
.tiles.classes { grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); }
.tile { font-size: 14px; line-height: 1.4; font-variant-numeric: tabular-nums; }
.tile p { margin-top: 5px; }
.mistakes .soft { display: block; }
.pictures { display: grid; grid-template-columns: repeat(var(--across), minmax(0, 1fr)); gap: 6px; }
.tile img { display: block; width: 100%; height: auto; max-width: 96px; aspect-ratio: 1; object-fit: contain; border-radius: 6px; image-rendering: pixelated; background: #000; }
.empty { color: var(--soft); }
.as { color: var(--soft); }
.wrong-answer { color: var(--wrong); }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-size: 13.5px; color: var(--soft); padding-bottom: 6px; }
th, td { padding: 6px 12px; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
th:first-child { text-align: left; padding-left: 0; }
thead th { font-weight: 600; font-size: 13px; color: var(--soft); border-bottom-color: var(--line); }
tbody th { font-weight: 600; }
tbody tr:last-child > * { border-bottom: 0; }
th[scope='colgroup'] { text-align: center; }
.scroll { overflow-x: auto; }
.unknown-inputs { width: 100%; }
.facts { width: 100%; }
.facts th { font-weight: 400; color: var(--soft); padding-right: 16px; }
.facts td { white-space: normal; overflow-wrap: anywhere; padding-right: 0; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px; align-items: start; }
.confusion { width: 100%; table-layout: fixed; font-size: 13.5px; }
.confusion th, .confusion td { padding: 0; height: 34px; text-align: center; border: 2px solid var(--surface); border-radius: 4px; }
.confusion thead th:first-child { font-weight: 400; font-size: 12px; }
.confusion .rate { width: 4.6em; color: var(--soft); text-align: right; font-size: 13px; }
.confusion abbr { text-decoration: none; }
.confusion .none { color: var(--line); }
.right, .wrong { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
td.right { background: color-mix(in srgb, var(--test) calc(var(--share) * 55%), transparent); font-weight: 600; }
td.wrong { background: color-mix(in srgb, var(--wrong) calc(var(--share) * 60%), transparent); }
@media (max-width: 620px) {
  figure { padding: 16px 14px; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .confusion { font-size: 12px; }
  .confusion th, .confusion td { height: 28px; border-width: 1px; }
  .confusion .rate { display: none; }
  .tiles.mistakes { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 14px 10px; }
  .tiles.mistakes .tile { font-size: 13px; }
  .tiles.classes { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  th, td { padding: 6px 5px; }
  table { font-size: 13px; }
  thead th { font-size: 12px; }
  .scroll th:first-child { position: sticky; left: 0; background: var(--surface); padding-right: 8px; }
}`;

const CHARTS = `
.chart { display: block; width: 100%; max-width: 540px; height: auto; overflow: visible; fill: currentColor; color: var(--soft); font: 12.5px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; text-anchor: middle; font-variant-numeric: tabular-nums; }
/* Where a chart is drawn small, its text is not. */
.panel, .shown:has(> .chart) { container-type: inline-size; }
@container (max-width: 400px) { .chart[viewBox^='0 0 440 '] { font-size: 15px; } }
@container (max-width: 300px) { .chart[viewBox^='0 0 440 '] { font-size: 16.5px; } }
.chart text { white-space: pre; }
.chart .grid { color: var(--grid); }
.chart .outline { fill: none; stroke: currentColor; }
.chart .base, .chart .frame { color: var(--line); }
.training { color: var(--training); }
.validation { color: var(--validation); }
.chart .validation[aria-label='line'] { stroke-dasharray: 7 4; stroke-linecap: butt; }
.test { color: var(--test); }
.known { color: var(--known); }
.unknown { color: var(--unknown); }
.expected, .threshold { color: var(--ink); }
.chart .few { opacity: 0.35; }
.chart .count { color: var(--soft); }
.diagonal { color: var(--soft); }
.points { stroke: currentColor; stroke-width: 4.5; stroke-linecap: round; stroke-opacity: 0.5; fill: none; }
.chart ellipse { fill: currentColor; stroke: currentColor; fill-opacity: 0.07; }
.deviations-1 { stroke-width: 1.75; }
.deviations-2 { stroke-width: 1; stroke-opacity: 0.7; }
path.mistake { stroke: var(--ink); stroke-width: 1.6; fill: none; }
.class-name text, text.class-name, .class-name { fill: var(--ink); stroke: var(--surface); stroke-width: 4px; paint-order: stroke; font-size: 16px; font-weight: 700; }`;

const PRINT = `
@media print {
  body { background: var(--surface); font-size: 12px; }
  nav { display: none; }
  main, header, footer { max-width: none; padding: 0; }
  section { margin-top: 28px; }
  figure, .tile, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
  table, thead th, caption { font-size: 11px; }
  th, td { padding: 4px 5px; }
}`;
