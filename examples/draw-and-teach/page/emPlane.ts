// The plane of the EM tab: points, the ellipses of a mixture, and the keyboard's cross.
import type { GaussianMixture } from '@gmml/gmm';
import { ellipseOf } from '@gmml/gmm/ellipse';
import type { Point } from '../src/strokes.js';
import { makeSvg } from './elements.js';
import type { KeyboardCursor } from './keyboardCursor.js';

/** The plane's size in its own units. */
export const [WIDTH, HEIGHT] = [800, 520];

/** Draws it anew; the points have the colours of the mixture's components once it has parameters. */
export function drawPlane(
  plane: SVGSVGElement,
  points: readonly Point[],
  mixture: GaussianMixture | null,
  cursor: KeyboardCursor | null,
): void {
  const shares = mixture && isFitted(mixture) ? (mixture.predictProba(points).toArray() as number[][]) : null;
  const dots = points.map(([cx, cy], n) => {
    const most = shares?.[n].indexOf(Math.max(...shares[n]));
    const style = most === undefined ? '' : `fill: var(--component-${most + 1})`;
    return makeSvg('circle', { cx, cy, r: 4, class: 'point', style });
  });
  const gaussians = mixture && shares ? ellipsesOf(mixture) : [];
  const cross = cursor
    ? [
        makeSvg('path', {
          class: 'cursor',
          d: `M${cursor.x - 12} ${cursor.y}h24M${cursor.x} ${cursor.y - 12}v24`,
        }),
      ]
    : [];
  const hint = points.length === 0 && !cursor ? [hintText()] : [];
  plane.replaceChildren(...gaussians, ...dots, ...cross, ...hint);
}

function hintText(): SVGElement {
  const text = makeSvg('text', { x: WIDTH / 2, y: HEIGHT / 2, class: 'hint' });
  text.textContent = 'Click to add points, or add a cluster';
  return text;
}

/** Before the first iteration a mixture has no parameters. */
function isFitted(mixture: GaussianMixture): boolean {
  try {
    return mixture.weights.size > 0;
  } catch {
    return false;
  }
}

function ellipsesOf(mixture: GaussianMixture): SVGElement[] {
  const means = mixture.means.toArray() as [number, number][];
  const weights = mixture.weights.toArray() as number[];
  return means.flatMap(([cx, cy], k) => {
    const { major, minor, angle } = ellipseOf(covarianceOf(mixture, k));
    const turn = (angle * 180) / Math.PI;
    return [2, 1].map((deviations) =>
      makeSvg('ellipse', {
        rx: deviations * major,
        ry: deviations * minor,
        transform: `translate(${cx} ${cy}) rotate(${turn})`,
        style: `color: var(--component-${k + 1})`,
        'fill-opacity': weights[k] * (deviations === 1 ? 0.5 : 0.2),
        'stroke-width': 2,
      }),
    );
  });
}

/** The matrix of component k, whatever form the mixture has its covariances in. */
function covarianceOf({ covariance, covariances: { data } }: GaussianMixture, k: number): number[][] {
  if (covariance === 'spherical') return diagonalMatrix(data[k], data[k]);
  if (covariance === 'diag') return diagonalMatrix(data[2 * k], data[2 * k + 1]);
  const at = covariance === 'full' ? 4 * k : 0;
  return [Array.from(data.subarray(at, at + 2)), Array.from(data.subarray(at + 2, at + 4))];
}

function diagonalMatrix(a: number, c: number): number[][] {
  return [
    [a, 0],
    [0, c],
  ];
}
