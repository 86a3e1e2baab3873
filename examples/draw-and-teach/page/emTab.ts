// EM in the plane: points that are clicked, and a mixture that follows them iteration by iteration.
import { GaussianMixture, type CovarianceType } from '@gmml/gmm';
import { ellipseOf } from '@gmml/gmm/ellipse';
import { Generator, NumericalError } from '@gmml/tensor';
import type { TaskWorker } from '@gmml/tensor/worker';
import { byId, make, makeSvg, signed } from './elements.js';
import { KeyboardCursor } from './keyboardCursor.js';
import type { Tasks } from './tasks.js';

type Point = readonly [x: number, y: number];

const [WIDTH, HEIGHT] = [800, 520];
/** Milliseconds from one iteration to the next. */
const PACE = 250;
const CLUSTER = 40;
/** Places that a cluster might have, of which it takes the one furthest from all points. */
const PLACES = 12;
/** No point of a cluster is nearer to the edge. */
const EDGE = 12;

/** Sets up the tab. `worker` does what takes long. */
export function makeEMTab(worker: () => TaskWorker<Tasks>): void {
  const plane = byId<SVGSVGElement>('plane');
  const generator = new Generator(7);
  const cursor = new KeyboardCursor(WIDTH, HEIGHT, 20);
  let points: Point[] = [];
  let mixture: GaussianMixture | null = null;
  let turns: ReturnType<GaussianMixture['em']> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let showsCursor = false;

  const draw = (): void => drawPlane(plane, points, mixture, showsCursor ? cursor : null);
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
    byId('em-run').textContent = 'Run';
    byId('em-status').ariaLive = 'polite';
  };
  const startOver = (): void => {
    stop();
    mixture = null;
    turns = null;
    draw();
  };
  const begin = (): boolean => {
    const components = Number(byId<HTMLInputElement>('components').value);
    if (points.length < Math.max(2, components)) {
      say(`Add at least ${Math.max(2, components)} points first: there are ${points.length}.`);
      return false;
    }
    const covariance = byId<HTMLSelectElement>('covariance').value as CovarianceType;
    mixture = new GaussianMixture({
      components,
      covariance,
      init: 'randomFromData',
      regularization: 1,
      generator,
    });
    turns = mixture.em(points);
    return true;
  };
  /** One iteration; false where there is no further one. */
  const step = (): boolean => {
    try {
      if (!turns && !begin()) return false;
      const { value, done } = turns!.next();
      if (done) {
        say('Converged: another step would change nothing that shows.');
        return false;
      }
      say(
        `Iteration ${value.iteration}: log-likelihood ${signed(mixture!.score(points), 3)} a point${value.converged ? ', converged' : ''}.`,
      );
      draw();
      return !value.converged;
    } catch (error) {
      if (!(error instanceof NumericalError)) throw error;
      say(error.message);
      startOver();
      return false;
    }
  };
  const run = (): void => {
    if (!step()) {
      stop();
      // Once more, since it is listened to again.
      return say(byId('em-status').textContent);
    }
    byId('em-run').textContent = 'Pause';
    // Iterations follow faster than they can be said: a screen reader says the last.
    byId('em-status').ariaLive = 'off';
    timer = setTimeout(run, PACE);
  };
  const add = (...more: Point[]): void => {
    points = [...points, ...more];
    byId('em-table').replaceChildren();
    startOver();
    say(`${points.length} points.`);
  };

  plane.addEventListener('click', ({ clientX, clientY }) => {
    const { left, top, width, height } = plane.getBoundingClientRect();
    showsCursor = false;
    add([((clientX - left) / width) * WIDTH, ((clientY - top) / height) * HEIGHT]);
  });
  plane.addEventListener('keydown', (event) => {
    if (cursor.move(event)) showsCursor = true;
    else if (event.key === 'Enter') add([cursor.x, cursor.y]);
    else return;
    event.preventDefault();
    draw();
  });
  byId('em-step').addEventListener('click', () => {
    stop();
    step();
  });
  byId('em-run').addEventListener('click', () => (timer === undefined ? run() : stop()));
  byId('em-restart').addEventListener('click', () => {
    startOver();
    if (begin()) step();
  });
  byId('em-cluster').addEventListener('click', () => add(...cluster(points, generator)));
  byId('em-clear').addEventListener('click', () => {
    points = [];
    add();
  });
  for (const id of ['covariance', 'components']) byId(id).addEventListener('change', startOver);
  byId('em-choose').addEventListener('click', () => void choose());
  draw();

  async function choose(): Promise<void> {
    if (points.length < 10) return say(`BIC needs at least 10 points: there are ${points.length}.`);
    stop();
    say('Trying one to six components of each covariance …');
    const { candidates, best } = await worker().run('chooseMixture', { points });
    showCandidates(candidates);
    byId<HTMLSelectElement>('covariance').value = best.covariance;
    byId<HTMLInputElement>('components').value = String(best.components);
    startOver();
    say(`The least BIC has ${best.covariance} with ${best.components} components.`);
    run();
  }
}

interface Candidate {
  readonly covariance: string;
  readonly components: number;
  readonly bic: number;
}

function showCandidates(candidates: readonly Candidate[]): void {
  const counts = [...new Set(candidates.map(({ components }) => components))];
  const forms = [...new Set(candidates.map(({ covariance }) => covariance))];
  const least = Math.min(...candidates.map(({ bic }) => bic));
  const header = make(
    'tr',
    {},
    make('th', { scope: 'col' }, 'BIC'),
    ...counts.map((count) => make('th', { scope: 'col' }, String(count))),
  );
  const rows = forms.map((form) =>
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, form),
      ...counts.map((count) => {
        const { bic } = candidates.find((each) => each.covariance === form && each.components === count)!;
        return make(
          'td',
          { className: bic === least ? 'least' : '' },
          Number.isFinite(bic) ? bic.toFixed(0) : '–',
        );
      }),
    ),
  );
  byId('em-table').replaceChildren(
    make('table', {}, make('caption', {}, 'Less is better; columns are components.'), header, ...rows),
  );
}

/** Points of a normal distribution somewhere in the plane, away from those that are there. */
function cluster(points: readonly Point[], generator: Generator): Point[] {
  const places = Array.from({ length: PLACES }, (): Point => [
    WIDTH * (0.15 + 0.7 * generator.uniform()),
    HEIGHT * (0.18 + 0.64 * generator.uniform()),
  ]);
  const room = places.map(([x, y]) => Math.min(...points.map(([px, py]) => Math.hypot(x - px, y - py))));
  const [x, y] = places[room.indexOf(Math.max(...room))];
  const [along, across] = [20 + 60 * generator.uniform(), 10 + 25 * generator.uniform()];
  const angle = Math.PI * generator.uniform();
  const one = (): Point => {
    const [a, b] = [along * generator.normal(), across * generator.normal()];
    return [x + a * Math.cos(angle) - b * Math.sin(angle), y + a * Math.sin(angle) + b * Math.cos(angle)];
  };
  const isInside = ([px, py]: Point): boolean =>
    px > EDGE && px < WIDTH - EDGE && py > EDGE && py < HEIGHT - EDGE;
  return Array.from({ length: CLUSTER }, () => {
    let point = one();
    while (!isInside(point)) point = one();
    return point;
  });
}

function drawPlane(
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

function say(text: string): void {
  byId('em-status').textContent = text;
}
