import * as Plot from '@observablehq/plot';
import { percent } from '../formatting.js';
import type { OpenSetFindings, Scores, UnknownName } from '../openSet/openSetReport.js';
import { chart } from './chart.js';
import { figure, panel } from './figure.js';
import type { Html } from './html.js';

const BINS = 20;

const KEYS = [
  { name: 'test images (known)', swatch: 'known' },
  { name: 'unknown inputs', swatch: 'unknown outlined' },
];

/** What the sets of unknown inputs are called. */
export function nameOf(name: UnknownName, unseen: number | undefined): string {
  return name === 'unseen' ? `class ${unseen}, never seen` : name;
}

/** Histograms of typicality and of density: known images beside each set of unknown inputs. */
export function scoreHistograms({ report, known, unknown }: OpenSetFindings): Html[] {
  const { keep, unseen } = report;
  const sets = [...unknown].map(([name, scores]) => ({ name: nameOf(name, unseen), scores }));
  // So that none stands alone in its row.
  const [layout, width] = sets.length % 3 === 1 ? ['panels two', 480] : ['panels three', 340];
  const whose =
    known.density === undefined
      ? 'by the Gaussians fitted to the features'
      : "by the trained head's Gaussians, which learned to tell classes apart and not to know strangers";
  return [
    figure(
      {
        title: 'Typicality',
        keys: [...KEYS, { name: 'threshold', swatch: 'threshold' }],
        caption:
          'How usual an input looks, by its features alone: the share of known images that look as usual or less. Known images spread ' +
          `evenly from 0 to 1; what is unknown should lie at 0. Inputs below ${decimal(1 - keep)}, left of the line, are called unknown: ` +
          `that keeps ${percent(report.coverage.features, 1)} of the test images.`,
        layout,
      },
      sets.map(({ name, scores }) =>
        panel(
          name,
          histogram({
            known: known.features,
            unknown: scores.features,
            range: [0, 1],
            width,
            axis: 'typicality',
            threshold: 1 - keep,
            label: `Typicality of ${name}: ${percent(share(scores.features, 1 - keep), 1)} lie below the threshold, of test images ${percent(share(known.features, 1 - keep), 1)}.`,
          }),
        ),
      ),
    ),
    figure(
      {
        title: 'Density',
        keys: KEYS,
        caption:
          `The logarithm of the density that an input's features have ${whose}. Were density a good detector, unknown inputs would lie to the ` +
          'left of known ones. What lies beyond an edge is counted at the edge.',
        layout,
      },
      sets.map(({ name, scores }) => {
        const [a, b] = [densityOf(known), densityOf(scores)];
        return panel(
          name,
          histogram({
            known: a,
            unknown: b,
            range: rangeOf(a, b),
            width,
            axis: 'log density (nats)',
            label: `Log density of ${name}: median ${median(b).toFixed(0)}, of test images ${median(a).toFixed(0)}.`,
          }),
        );
      }),
    ),
  ];
}

function densityOf({ density, fittedDensity }: Scores): ArrayLike<number> {
  return (density ?? fittedDensity)!;
}

interface HistogramOptions {
  readonly known: ArrayLike<number>;
  readonly unknown: ArrayLike<number>;
  readonly range: readonly [number, number];
  readonly width: number;
  readonly axis: string;
  readonly label: string;
  readonly threshold?: number;
}

function histogram({ known, unknown, range, width, axis, label, threshold }: HistogramOptions): Html {
  const bars = { x1: 'from', x2: 'to', y: 'share', fill: 'currentColor' };
  const strange = binned(unknown, range);
  return chart({
    label,
    width,
    height: 220,
    marginLeft: 40,
    marginRight: 14,
    marginTop: 28,
    marginBottom: 40,
    x: { domain: range, ticks: 4, label: axis, labelArrow: 'none' },
    y: { zero: true, nice: 4, ticks: 4, label: 'inputs, %', labelArrow: 'none' },
    marks: [
      Plot.gridY({ ticks: 4, className: 'grid', strokeOpacity: 1 }),
      Plot.rectY(binned(known, range), {
        ...bars,
        insetLeft: 0.5,
        insetRight: 0.5,
        fillOpacity: 0.6,
        className: 'known',
      }),
      Plot.rectY(strange, { ...bars, fillOpacity: 0.2, className: 'unknown' }),
      Plot.line(outlineOf(strange), {
        x: 'x',
        y: 'y',
        curve: 'step-after',
        strokeWidth: 1.75,
        strokeLinejoin: 'miter',
        className: 'unknown',
      }),
      Plot.ruleX(threshold === undefined ? [] : [threshold], {
        className: 'threshold',
        strokeDasharray: '4 3',
      }),
      Plot.ruleY([0], { className: 'base' }),
    ],
  });
}

interface Bin {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** The bins' outline from the ground and back to it. */
function outlineOf(bins: readonly Bin[]): { x: number; y: number }[] {
  return [
    { x: bins[0].from, y: 0 },
    ...bins.map(({ from, share: y }) => ({ x: from, y })),
    { x: bins.at(-1)!.to, y: 0 },
  ];
}

/** The share in per cent of the values in each bin; those beyond an end are in the bin there. */
function binned(values: ArrayLike<number>, [from, to]: readonly [number, number]): Bin[] {
  const counts = Array.from({ length: BINS }, () => 0);
  for (let i = 0; i < values.length; i++) {
    const place = Math.floor((BINS * (values[i] - from)) / (to - from));
    counts[Math.min(BINS - 1, Math.max(0, place))]++;
  }
  const edge = (b: number): number => from + ((to - from) * b) / BINS;
  return counts.map((count, b) => ({
    from: edge(b),
    to: edge(b + 1),
    share: (100 * count) / values.length,
  }));
}

/** From the lowest to the highest of all but the farthest hundredth at each end. */
function rangeOf(a: ArrayLike<number>, b: ArrayLike<number>): [number, number] {
  const ends = [a, b].map((values) => {
    const sorted = Float64Array.from(values).toSorted();
    const skipped = Math.floor(sorted.length / 100);
    return [sorted[skipped], sorted[sorted.length - 1 - skipped]];
  });
  const [low, high] = [Math.min(ends[0][0], ends[1][0]), Math.max(ends[0][1], ends[1][1])];
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}

function share(values: Float64Array, threshold: number): number {
  return values.filter((value) => value < threshold).length / values.length;
}

function median(values: ArrayLike<number>): number {
  return Float64Array.from(values).toSorted()[Math.floor(values.length / 2)];
}

function decimal(value: number): string {
  return String(Number(value.toPrecision(6)));
}
