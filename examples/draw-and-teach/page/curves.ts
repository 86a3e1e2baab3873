// The curves of a training, by Observable Plot.
import { line, lineY, plot, text } from '@observablehq/plot';
import { byId } from './elements.js';

/** What has been reported of a training. */
export interface Course {
  /** How many epochs there will be. */
  readonly total: number;
  readonly losses: readonly { readonly epochs: number; readonly loss: number }[];
  readonly accuracies: readonly { readonly epoch: number; readonly accuracy: number }[];
}

/** The most points of a curve: batches beyond are shown by their means, so that long runs stay quick to draw. */
const MOST_POINTS = 200;

const HEIGHT = 240;

/** Draws both curves of the course so far. */
export function drawCurves(course: Course): void {
  drawLoss(course);
  drawAccuracy(course);
}

function drawLoss({ losses, total }: Course): void {
  const shown = means(losses);
  byId('loss-curve').replaceChildren(
    plot({
      ...frameOf('loss-curve'),
      ariaLabel: 'Loss by epoch',
      x: { label: 'epoch', domain: [0, total], ticks: integers(0, total), tickFormat: 'd' },
      y: {
        label: 'loss',
        type: 'log',
        ticks: 5,
        tickFormat: String,
        ...(shown.length < 2 && { domain: [0.8, 5] }),
      },
      marks: [line(shown, { x: 'epochs', y: 'loss', stroke: 'var(--accent)' })],
    }),
  );
}

function drawAccuracy({ accuracies, total }: Course): void {
  const shown = accuracies.map(({ epoch, accuracy }) => ({ epoch, percent: 100 * accuracy }));
  // From 90 %, or the ten below the least.
  const low = Math.min(90, ...shown.map(({ percent }) => 10 * Math.floor(percent / 10)));
  byId('accuracy-curve').replaceChildren(
    plot({
      ...frameOf('accuracy-curve'),
      ariaLabel: 'Test accuracy by epoch',
      x: { label: 'epoch', domain: [0, total], ticks: integers(0, total), tickFormat: 'd' },
      y: { label: 'accuracy, %', domain: [low, 100], ticks: 5 },
      marks: [
        lineY(shown, { x: 'epoch', y: 'percent', stroke: 'var(--known)', strokeWidth: 2, marker: 'circle' }),
        text(shown.slice(-1), {
          x: 'epoch',
          y: 'percent',
          dy: -12,
          textAnchor: 'end',
          text: ({ percent }: { percent: number }) => `${percent.toFixed(2)} %`,
          fill: 'currentColor',
          stroke: 'var(--surface)',
          strokeWidth: 5,
          fontWeight: 600,
        }),
      ],
    }),
  );
}

/** As wide as the place for it, so that letters have the same size on every screen. */
function frameOf(id: string) {
  return {
    width: Math.max(240, byId(id).clientWidth),
    height: HEIGHT,
    marginTop: 30,
    marginLeft: 42,
    marginRight: 16,
    marginBottom: 36,
    grid: true,
    style: { background: 'none', fontSize: '12px' },
  } as const;
}

/** From one to another, of many not all. */
function integers(from: number, to: number): number[] {
  const step = Math.ceil((to - from) / 10);
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
}

function means(losses: Course['losses']): Course['losses'] {
  const each = Math.ceil(losses.length / MOST_POINTS);
  return Array.from({ length: Math.floor(losses.length / each) || 0 }, (_, i) => {
    const group = losses.slice(i * each, (i + 1) * each);
    return {
      epochs: group.at(-1)!.epochs,
      loss: group.reduce((sum, { loss }) => sum + loss, 0) / group.length,
    };
  });
}
