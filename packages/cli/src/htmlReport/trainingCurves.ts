import * as Plot from '@observablehq/plot';
import { percent } from '../formatting.js';
import { answersOf, qualityOf } from '../openSet/headQuality.js';
import type { EpochResult } from '../progress/reporter.js';
import { chart, MARGINS } from './chart.js';
import { figure } from './figure.js';
import type { FinishedRun } from './finishedRun.js';
import type { Content, Html } from './html.js';

/** A curve: its name, its colour in the style sheet, and its height at an epoch. */
interface Series {
  readonly name: string;
  readonly colour: string;
  readonly of: (epoch: EpochResult) => number | undefined;
}

const LOSSES: readonly Series[] = [
  { name: 'training images', colour: 'training', of: ({ trainLoss }) => trainLoss },
  { name: 'held-out images', colour: 'validation', of: ({ valLoss }) => valLoss },
  { name: 'test images', colour: 'test', of: ({ testLoss }) => testLoss },
];

const ACCURACIES: readonly Series[] = [
  { name: 'held-out images', colour: 'validation', of: ({ valAccuracy }) => inPercent(valAccuracy) },
  { name: 'test images', colour: 'test', of: ({ testAccuracy }) => inPercent(testAccuracy) },
];

/** Loss and accuracy of each epoch, of held-out images too where the epochs have them. */
export function trainingCurves({ epochs, settings, outputs }: FinishedRun): Html[] {
  const last = epochs[epochs.length - 1];
  const learned = trainingAccuracy(outputs);
  return [
    curves(epochs, LOSSES, {
      title: 'Loss',
      unit: 'negative log-likelihood, nats per image',
      caption: [
        'Lower is better: the network is surer of the right answers. Training loss that falls while test loss rises means that ',
        'it learns its examples by heart. Training loss is averaged while the weights still move, so it starts high.',
        settings.labelSmoothing > 0 && ' It is that of smoothed labels, which does not go to 0.',
      ],
    }),
    curves(epochs, [trainedSeries(last, learned), ...ACCURACIES], {
      title: 'Accuracy',
      unit: 'right answers, %',
      caption: [
        'The share of images that are classified correctly after each epoch: after the last, ',
        `${percent(last.testAccuracy, 2)} of the test images and ${percent(learned, 2)} of those that were trained on. `,
        'The distance of the two is what was learned by heart.',
      ],
    }),
  ];
}

/** The share of the training images that the trained network answers right. */
function trainingAccuracy({ samples, examples, labels }: FinishedRun['outputs']): number {
  const count = samples[0].labels.size;
  const nClass = examples.logPosteriors.length / examples.count;
  const answers = answersOf(
    examples.logPosteriors.subarray(0, count * nClass),
    labels.data.subarray(0, count),
  );
  return qualityOf(answers).accuracy;
}

/** Training images are answered once more at the end only: a point. */
function trainedSeries(last: EpochResult, accuracy: number): Series {
  return {
    name: 'training images, at the end',
    colour: 'training',
    of: (epoch) => (epoch === last ? inPercent(accuracy) : undefined),
  };
}

interface CurveOptions {
  readonly title: string;
  readonly unit: string;
  readonly caption: Content;
}

function curves(epochs: readonly EpochResult[], series: readonly Series[], options: CurveOptions): Html {
  const { title, unit, caption } = options;
  const there = series.filter(({ of }) => epochs.some((epoch) => of(epoch) !== undefined));
  const values = there.flatMap(({ of }) => epochs.map((epoch) => of(epoch) ?? NaN)).filter(Number.isFinite);
  const [first, last] = [epochs[0], epochs[epochs.length - 1]];
  const ends = there.map(({ name, of }) => `${name} ${of(last)?.toPrecision(4)}`);
  return figure(
    { title, keys: there.map(({ name, colour }) => ({ name, swatch: `line ${colour}` })), caption },
    chart({
      label: `${title} over ${epochs.length} epochs. After the last: ${ends.join(', ')}.`,
      height: 254,
      ...MARGINS,
      x: {
        // One epoch is a point in the middle.
        domain: first === last ? [last.epoch - 0.5, last.epoch + 0.5] : [first.epoch, last.epoch],
        ticks: epochTicks(first.epoch, last.epoch),
        tickFormat: 'd',
        label: 'epoch',
        labelOffset: 38,
        labelArrow: 'none',
      },
      y: {
        domain: title === 'Loss' ? [0, Math.max(...values)] : rangeOf(values),
        nice: 5,
        ticks: 5,
        label: unit,
        labelArrow: 'none',
      },
      marks: [
        Plot.gridY({ ticks: 5, className: 'grid', strokeOpacity: 1 }),
        Plot.ruleY(title === 'Loss' ? [0] : [], { className: 'base' }),
        ...there.flatMap(({ colour, of }) => {
          const points = epochs
            .map((epoch) => ({ epoch: epoch.epoch, value: of(epoch) }))
            .filter(({ value }) => value !== undefined);
          const at = { x: 'epoch', y: 'value', className: colour };
          return [
            Plot.line(points, { ...at, strokeWidth: 2.25 }),
            // Of many epochs the line alone is clearer.
            Plot.dot(points.length > 30 ? [] : points, {
              ...at,
              r: 3.5,
              fill: 'currentColor',
              stroke: 'none',
            }),
          ];
        }),
      ],
    }),
  );
}

/** At most eight whole epochs, evenly, the first among them. */
function epochTicks(first: number, last: number): number[] {
  const step = Math.ceil((last - first + 1) / 8);
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);
}

/** From the smallest to the largest of some percentages, at least one of them apart. */
function rangeOf(values: readonly number[]): [number, number] {
  const low = Math.max(0, Math.min(...values, Math.max(...values) - 1));
  return [low, Math.max(...values, low + 1)];
}

function inPercent(share: number | undefined): number | undefined {
  return share === undefined ? undefined : 100 * share;
}
