import * as Plot from '@observablehq/plot';
import type { GMML } from '@gmml/gmm';
import { ellipseOf } from '@gmml/gmm/ellipse';
import { noGrad } from '@gmml/tensor';
import { withCommas } from '../formatting.js';
import type { Answers } from '../openSet/headQuality.js';
import { evenPlaces } from '../training/knownDigits.js';
import { chart, CHART_WIDTH, MARGINS, path } from './chart.js';
import { figure, panel } from './figure.js';
import type { FinishedRun } from './finishedRun.js';
import type { Gaussians } from './gaussians.js';
import { html, type Html } from './html.js';
import { discriminantPlane, project, projectCovariance, type Projection } from './projection.js';

/** Test images that are drawn: more would hide one another. */
const MOST_POINTS = 1500;
/** Colours of the style sheet. */
const CLASS_COLOURS = 10;

interface Point {
  readonly label: number;
  readonly x: number;
  readonly y: number;
  readonly correct: boolean;
}

interface Component {
  readonly label: number;
  readonly x: number;
  readonly y: number;
  readonly covariance: readonly (readonly number[])[];
}

/** The features of test images in the plane that parts the classes best, with the ellipses of the Gaussians. */
export function featureMap(run: FinishedRun, answers: Answers, gaussians?: Gaussians): Html {
  const { outputs, openSet, digits } = run;
  const plane = discriminantPlane(
    { features: outputs.examples.features, labels: outputs.labels.data },
    digits.labels.length,
  );
  if (plane === undefined) {
    return html`<p class="note">
      There is no map of the features: a plane takes two features and two classes that differ.
    </p>`;
  }
  const points = pointsOf(run, plane, answers);
  const maps = [
    ...(gaussians ? [{ ...gaussians, components: componentsOf(gaussians.mixture, plane) }] : []),
    ...(gaussians?.origin === 'trained' && openSet
      ? [{ origin: 'fitted' as const, components: componentsOf(openSet.fitted.head, plane) }]
      : []),
  ];
  const names = { trained: 'Gaussians as trained', fitted: 'Gaussians fitted to the features' };
  const drawn = maps.length > 0 ? maps : [{ origin: undefined, components: [] }];
  const frame = frameOf([...points, ...maps.flatMap(({ components }) => components)]);
  return figure(
    {
      title: 'Map of the features',
      keys: [
        { name: 'test image', swatch: 'point' },
        ...(maps.length > 0
          ? [{ name: '1 and 2 standard deviations of a Gaussian', swatch: 'ellipse' }]
          : []),
        { name: 'mistake', swatch: 'mistake' },
      ],
      caption:
        `Each dot is a test image (${withCommas(points.length)} of ${withCommas(outputs.test.count)}), coloured by its true class, whose name stands at the class's centre. ` +
        `The plane is that of the two linear discriminants of the training features: of ${plane.centre.length} features it ` +
        'shows the two combinations that part the classes best, in within-class standard deviations. Classes that overlap here may ' +
        'still lie apart in the others. ' +
        aboutEllipses(gaussians),
      layout: 'panels',
    },
    drawn.map(({ origin, components }) =>
      panel(
        origin === undefined ? 'Test features' : names[origin],
        mapOf(`map-${origin}`, points, components, frame, run),
      ),
    ),
  );
}

function aboutEllipses(gaussians: Gaussians | undefined): string {
  if (gaussians === undefined) {
    return 'There are no ellipses: the features are too few, or vary too little, to fit Gaussians to them.';
  }
  const what =
    "Ellipses are each Gaussian's covariance Σ in this plane (P Σ Pᵀ) around its mean: 39 % of what it stands for lies within 1 " +
    'standard deviation, 86 % within 2.';
  if (gaussians.origin === 'fitted') return what;
  return (
    `${what} A head that was trained to tell classes apart has no need to lie where the features do: where its ellipses and the dots ` +
    'part company, its density says little of how usual an input is.'
  );
}

function mapOf(
  name: string,
  points: readonly Point[],
  components: readonly Component[],
  frame: Frame,
  { digits, outputs }: FinishedRun,
): Html {
  const centres = centresOf(points);
  const labels = digits.labels.map((_, label) => label);
  const axis = { ticks: 5, labelArrow: 'none' } as const;
  // A square: 1 is as long upward as it is sideways.
  const side = CHART_WIDTH - MARGINS.marginLeft - MARGINS.marginRight;
  const unit = side / (frame.x[1] - frame.x[0]);
  return chart({
    name,
    label:
      `Map of ${points.length} of ${outputs.test.count} test images. Centres of the classes: ` +
      `${centres.map(({ label, x, y }) => `${digits.labels[label]} at (${x.toFixed(1)}, ${y.toFixed(1)})`).join(', ')}.`,
    height: side + MARGINS.marginTop + MARGINS.marginBottom,
    ...MARGINS,
    x: { ...axis, domain: frame.x, label: 'first discriminant (standard deviations)', labelOffset: 38 },
    y: { ...axis, domain: frame.y, label: 'second discriminant (standard deviations)' },
    marks: [
      Plot.frame({ className: 'frame' }),
      ...labels.map((label) =>
        path(
          (x, y) =>
            points
              .filter((point) => point.label === label && point.correct && isWithin(frame, point))
              .map((point) => `M${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}h0`)
              .join(''),
          { class: `points ${colourOf(label)}` },
        ),
      ),
      ellipses(components, unit),
      path(
        (x, y) =>
          points
            .filter((point) => !point.correct && isWithin(frame, point))
            .map(
              (point) => `M${(x(point.x) - 3.5).toFixed(1)},${(y(point.y) - 3.5).toFixed(1)}l7,7m0,-7l-7,7`,
            )
            .join(''),
        { class: 'mistake' },
      ),
      Plot.text(centres, {
        x: 'x',
        y: 'y',
        text: ({ label }: Point) => String(digits.labels[label]),
        className: 'class-name',
      }),
    ],
  });
}

/** Of each Gaussian the ellipses of one and two standard deviations, the larger first. @param unit pixels that 1 is long */
function ellipses(components: readonly Component[], unit: number): Plot.Markish {
  return Plot.dot(components, {
    x: 'x',
    y: 'y',
    clip: true,
    className: 'ellipses',
    render(index, scales, values, dimensions, context, next) {
      const group = next!(index, scales, values, dimensions, context)!;
      const { x, y } = values as Record<'x' | 'y', number[]>;
      const drawn = [2, 1].flatMap((deviations) =>
        Array.from(index, (i) => ellipse(context.document, components[i], x[i], y[i], deviations, unit)),
      );
      group.replaceChildren(...drawn);
      return group;
    },
  });
}

function ellipse(
  page: Document,
  { label, covariance }: Component,
  x: number,
  y: number,
  deviations: number,
  unit: number,
): SVGElement {
  const { major, minor, angle } = ellipseOf(covariance);
  const element = page.createElementNS('http://www.w3.org/2000/svg', 'ellipse');
  element.setAttribute('class', `${colourOf(label)} deviations-${deviations}`);
  element.setAttribute('rx', (deviations * unit * major).toFixed(2));
  element.setAttribute('ry', (deviations * unit * minor).toFixed(2));
  // y grows downward in the picture.
  const turn = ((-angle * 180) / Math.PI).toFixed(1);
  element.setAttribute('transform', `translate(${x.toFixed(2)} ${y.toFixed(2)}) rotate(${turn})`);
  return element;
}

function pointsOf({ outputs }: FinishedRun, plane: Projection, answers: Answers): Point[] {
  const { test, testLabels } = outputs;
  const width = test.features.length / test.count;
  return evenPlaces(test.count, MOST_POINTS).map((n) => {
    const [x, y] = project(plane, test.features.subarray(n * width, (n + 1) * width));
    return { label: testLabels[n], x, y, correct: answers.correct[n] };
  });
}

function componentsOf(mixture: GMML, plane: Projection): Component[] {
  return noGrad(() => {
    const [means, covariances] = [mixture.means().data, mixture.covariances().data];
    const { nClass, nComponent, d } = mixture;
    return Array.from({ length: nClass * nComponent }, (_, i) => {
      const [x, y] = project(plane, means.subarray(i * d, (i + 1) * d));
      const covariance = projectCovariance(plane, covariances.subarray(i * d * d, (i + 1) * d * d));
      return { label: Math.floor(i / nComponent), x, y, covariance };
    });
  });
}

interface Frame {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** A square around all but the farthest, so that a few outliers do not make all else small. */
function frameOf(points: readonly { readonly x: number; readonly y: number }[]): Frame {
  const [x, y] = [trimmed(points.map((point) => point.x)), trimmed(points.map((point) => point.y))];
  const half = 0.55 * Math.max(x[1] - x[0], y[1] - y[0], 1);
  const around = ([low, high]: [number, number]): [number, number] => [
    (low + high) / 2 - half,
    (low + high) / 2 + half,
  ];
  return { x: around(x), y: around(y) };
}

/** The ends of all but half a per cent of the values at either side. */
function trimmed(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const skipped = Math.floor(values.length / 200);
  return [sorted[skipped], sorted[sorted.length - 1 - skipped]];
}

function isWithin({ x, y }: Frame, point: Point): boolean {
  return point.x >= x[0] && point.x <= x[1] && point.y >= y[0] && point.y <= y[1];
}

/** The mean of each class's points. */
function centresOf(points: readonly Point[]): Pick<Point, 'label' | 'x' | 'y'>[] {
  const labels = [...new Set(points.map(({ label }) => label))].toSorted((a, b) => a - b);
  return labels.map((label) => {
    const own = points.filter((point) => point.label === label);
    const mean = (of: (point: Point) => number): number =>
      own.reduce((sum, point) => sum + of(point) / own.length, 0);
    return { label, x: mean(({ x }) => x), y: mean(({ y }) => y) };
  });
}

function colourOf(label: number): string {
  return `class-${label % CLASS_COLOURS}`;
}
