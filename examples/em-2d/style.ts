/**
 * Colours with a contrast of 3 : 1 to white and to the dark ground. Seen with any colour vision (as Machado et al. 2009
 * simulate it), the nearest two are more than 0.11 apart in Oklab.
 */
const PALETTE = {
  light: ['#4294f2', '#74320c', '#257c57', '#de52aa', '#a19302', '#5228a0'],
  dark: ['#60b2fc', '#e15014', '#66fdb4', '#db8daa', '#ffda0f', '#9667e3'],
} as const;

const GROUND = {
  light: { surface: '#ffffff', ink: '#1b1f24', soft: '#57606a', line: '#d0d7de', grid: '#eef1f4' },
  dark: { surface: '#0f1318', ink: '#e8ecf1', soft: '#9aa5b1', line: '#3a434d', grid: '#1e252d' },
} as const;

/** The picture's style: custom properties by colour scheme, and what they colour. */
export function styleSheet(components: number): string {
  const numbers = Array.from({ length: components }, (_, k) => k);
  const properties = (scheme: 'light' | 'dark'): string => {
    const colours = numbers.map((k) => [`component-${k + 1}`, PALETTE[scheme][k % PALETTE[scheme].length]]);
    return [...Object.entries(GROUND[scheme]), ...colours]
      .map(([name, colour]) => `--${name}: ${colour};`)
      .join(' ');
  };
  return `
.em-2d { color-scheme: light dark; font-family: system-ui, sans-serif; ${properties('light')} }
@media (prefers-color-scheme: dark) { .em-2d { ${properties('dark')} } }
.em-2d { color: var(--soft); font-size: 12px; }
${numbers.map((k) => `.component-${k + 1} { color: var(--component-${k + 1}); }`).join('\n')}
.surface { fill: var(--surface); }
.frame { stroke: var(--line); }
.grid { stroke: var(--grid); }
ellipse { fill: currentColor; stroke: currentColor; }
.deviations-1 { stroke-width: 1.75; }
.deviations-2 { stroke-width: 1.25; stroke-opacity: 0.75; }
.swatch { fill-opacity: 0.15; stroke-width: 1.5; }
.title, .how, .weight { text-anchor: start; }
.number { fill: var(--ink); stroke: var(--surface); stroke-width: 3; paint-order: stroke; font-size: 12px; font-weight: 700; text-anchor: middle; }
.title { fill: var(--ink); font-size: 20px; font-weight: 650; }
.how { fill: var(--soft); font-size: 13px; }
.weight, .panel, .bound { font-size: 13px; font-variant-numeric: tabular-nums; }
.weight, .panel { fill: var(--ink); font-weight: 600; }
.bound { fill: var(--soft); }
`;
}
