import * as Plot from '@observablehq/plot';
import { percent } from '../formatting.js';
import { reliabilityBins } from '../openSet/detection.js';
import { qualityOf, type Answers } from '../openSet/headQuality.js';
import { chart, MARGINS } from './chart.js';
import { figure, panel } from './figure.js';
import type { Html } from './html.js';

const BINS = 15;
/** Answers that say little of an accuracy. */
const FEW = 10;
const SHARES = { domain: [0, 100], ticks: [0, 20, 40, 60, 80, 100], labelArrow: 'none' } as const;

/** Accuracy of the answers by how sure they are, for each head by its name. */
export function reliabilityDiagram(heads: ReadonlyMap<string, Answers>): Html {
  return figure(
    {
      title: 'Reliability',
      keys: [
        { name: 'right answers', swatch: 'test' },
        { name: `the same, of fewer than ${FEW}`, swatch: 'test few' },
        { name: 'how sure they were', swatch: 'expected' },
      ],
      caption:
        'Of the answers that the network gives 80 % it should get 80 % right: bars that end at the mark are honest, bars below it are too ' +
        'sure, bars above it too cautious. The calibration error (ECE) is the mean distance, each bin counted by its answers, ' +
        `in ${BINS} bins; bins of few answers say little. Below: how many answers lie in each bin.`,
      layout: 'panels',
    },
    [...heads].map(([name, answers]) => reliabilityPanel(name, answers)),
  );
}

function reliabilityPanel(name: string, answers: Answers): Html {
  const { ece, accuracy } = qualityOf(answers);
  const bins = shares(answers);
  const total = answers.correct.length;
  const sides = { x1: 'from', x2: 'to', insetLeft: 1, insetRight: 1 };
  const x = { ...SHARES, label: 'probability of the answer, %', labelOffset: 38 };
  return panel(`${name}: ECE ${percent(ece, 2)}`, [
    chart({
      label: `Reliability of the ${name}: accuracy ${percent(accuracy, 2)}, expected calibration error ${percent(ece, 2)}.`,
      height: 300,
      ...MARGINS,
      marginBottom: 26,
      x: { ...x, label: null },
      y: { ...SHARES, label: 'right answers, %' },
      opacity: { type: 'identity' },
      marks: [
        Plot.gridY({ ticks: SHARES.ticks, className: 'grid', strokeOpacity: 1 }),
        Plot.rectY(bins, {
          ...sides,
          y: 'right',
          fill: 'currentColor',
          fillOpacity: ({ count }: Bar) => (count < FEW ? 0.2 : 0.55),
          className: 'test',
        }),
        Plot.line(
          [
            [0, 0],
            [100, 100],
          ],
          { className: 'diagonal', strokeDasharray: '4 4' },
        ),
        Plot.ruleY(bins, {
          ...sides,
          y: 'sureness',
          strokeWidth: 2.5,
          className: 'expected',
        }),
        Plot.ruleY([0], { className: 'base' }),
      ],
    }),
    chart({
      label: `Answers of the ${name} by their probability: ${bins.at(-1)!.count} of ${total} in the highest bin.`,
      height: 124,
      ...MARGINS,
      x,
      y: { domain: [0, 100], ticks: [0, 50, 100], label: 'answers, %', labelArrow: 'none' },
      marks: [
        Plot.gridY({ ticks: [50, 100], className: 'grid', strokeOpacity: 1 }),
        Plot.rectY(bins, {
          ...sides,
          y: ({ count }: Bar) => (100 * count) / total,
          fill: 'currentColor',
          className: 'count',
        }),
        Plot.ruleY([0], { className: 'base' }),
      ],
    }),
  ]);
}

/** The answers between two probabilities; these and the shares in per cent. */
interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly right: number;
  readonly sureness: number;
}

/** The bins that hold answers. */
function shares({ confidences, correct }: Answers): Bar[] {
  return reliabilityBins(confidences, correct, BINS)
    .map((bin, b) => ({
      from: (100 * b) / BINS,
      to: (100 * (b + 1)) / BINS,
      count: bin.count,
      right: (100 * bin.correct) / bin.count,
      sureness: (100 * bin.confidence) / bin.count,
    }))
    .filter(({ count }) => count > 0);
}
