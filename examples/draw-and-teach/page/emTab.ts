// EM in the plane: points that are clicked, and a mixture that follows them iteration by iteration.
import { GaussianMixture, type CovarianceType } from '@gmml/gmm';
import { Generator, NumericalError } from '@gmml/tensor';
import type { TaskWorker } from '@gmml/tensor/worker';
import type { Point } from '../src/strokes.js';
import { cluster } from './clusters.js';
import { byId, make, signed } from './elements.js';
import { drawPlane, HEIGHT, WIDTH } from './emPlane.js';
import { KeyboardCursor } from './keyboardCursor.js';
import type { Tasks } from './tasks.js';

/** Milliseconds from one iteration to the next. */
const PACE = 250;

/** Sets up the tab. `worker` does what takes long. */
export function makeEMTab(worker: () => TaskWorker<Tasks>): void {
  const tab = new EMTab(worker);
  const plane = byId('plane');
  plane.addEventListener('click', (event) => tab.addAt(event));
  plane.addEventListener('keydown', (event) => tab.key(event));
  byId('em-step').addEventListener('click', () => tab.step());
  byId('em-run').addEventListener('click', () => tab.runOrPause());
  byId('em-restart').addEventListener('click', () => tab.restart());
  byId('em-cluster').addEventListener('click', () => tab.addCluster());
  byId('em-clear').addEventListener('click', () => tab.clear());
  for (const id of ['covariance', 'components']) byId(id).addEventListener('change', () => tab.startOver());
  byId('em-choose').addEventListener('click', () => {
    tab.choose().catch((error: unknown) => say((error as Error).message));
  });
}

class EMTab {
  readonly #worker: () => TaskWorker<Tasks>;
  readonly #generator = new Generator(7);
  readonly #cursor = new KeyboardCursor(WIDTH, HEIGHT, 20);
  #showsCursor = false;
  #points: readonly Point[] = [];
  #mixture: GaussianMixture | null = null;
  /** The iterations of the mixture's fit; null before the first. */
  #iterations: ReturnType<GaussianMixture['em']> | null = null;
  /** Of the next iteration; undefined where none is to come by itself. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(worker: () => TaskWorker<Tasks>) {
    this.#worker = worker;
    this.#draw();
  }

  addAt({ clientX, clientY }: MouseEvent): void {
    const { left, top, width, height } = byId('plane').getBoundingClientRect();
    this.#showsCursor = false;
    this.#add([((clientX - left) / width) * WIDTH, ((clientY - top) / height) * HEIGHT]);
  }

  key(event: KeyboardEvent): void {
    if (this.#cursor.move(event)) this.#showsCursor = true;
    else if (event.key === 'Enter') this.#add([this.#cursor.x, this.#cursor.y]);
    else return;
    event.preventDefault();
    this.#draw();
  }

  addCluster(): void {
    this.#add(...cluster(this.#points, this.#generator));
  }

  clear(): void {
    this.#points = [];
    this.#add();
  }

  /** One iteration, and none after it by itself. */
  step(): void {
    this.#stop();
    this.#iterate();
  }

  runOrPause(): void {
    if (this.#timer === undefined) this.#run();
    else this.#stop();
  }

  /** Back to no mixture. */
  startOver(): void {
    this.#stop();
    this.#mixture = null;
    this.#iterations = null;
    this.#draw();
  }

  /** The first iteration from another start. */
  restart(): void {
    this.startOver();
    this.#iterate();
  }

  /** The mixture of least BIC, fitted. */
  async choose(): Promise<void> {
    const points = this.#points;
    if (points.length < 10) return say(`BIC needs at least 10 points: there are ${points.length}.`);
    this.#stop();
    say('Trying one to six components of each covariance …');
    const { candidates, best } = await this.#worker().run('chooseMixture', { points });
    // Of other points than are there now it says nothing.
    if (points !== this.#points) return;
    showCandidates(candidates);
    byId<HTMLSelectElement>('covariance').value = best.covariance;
    byId<HTMLInputElement>('components').value = String(best.components);
    this.startOver();
    say(`The least BIC has ${best.covariance} with ${best.components} components.`);
    this.#run();
  }

  #add(...more: readonly Point[]): void {
    this.#points = [...this.#points, ...more];
    byId('em-table').replaceChildren();
    this.startOver();
    say(`${this.#points.length} points.`);
  }

  #draw(): void {
    const cursor = this.#showsCursor ? this.#cursor : null;
    drawPlane(byId<SVGSVGElement>('plane'), this.#points, this.#mixture, cursor);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    byId('em-run').textContent = 'Run';
    byId('em-status').ariaLive = 'polite';
  }

  #run(): void {
    if (!this.#iterate()) {
      this.#stop();
      // Once more, since it is listened to again.
      return say(byId('em-status').textContent);
    }
    byId('em-run').textContent = 'Pause';
    // Iterations follow faster than they can be said: a screen reader says the last.
    byId('em-status').ariaLive = 'off';
    this.#timer = setTimeout(() => this.#run(), PACE);
  }

  /** One iteration; false where there is no further one. */
  #iterate(): boolean {
    try {
      this.#iterations ??= this.#begin();
      if (!this.#iterations) return false;
      const { value, done } = this.#iterations.next();
      if (done) {
        say('Converged: another step would change nothing that shows.');
        return false;
      }
      say(
        `Iteration ${value.iteration}: log-likelihood ${signed(this.#mixture!.score(this.#points), 3)} a point${value.converged ? ', converged' : ''}.`,
      );
      this.#draw();
      return !value.converged;
    } catch (error) {
      if (!(error instanceof NumericalError)) throw error;
      say(error.message);
      this.startOver();
      return false;
    }
  }

  /** The iterations of a new mixture of what is chosen; null where it does not fit. */
  #begin(): ReturnType<GaussianMixture['em']> | null {
    const field = byId<HTMLInputElement>('components');
    if (!field.reportValidity()) return null;
    const components = Number(field.value);
    const fewest = Math.max(2, components);
    if (this.#points.length < fewest) {
      say(`Add at least ${fewest} points first: there are ${this.#points.length}.`);
      return null;
    }
    this.#mixture = new GaussianMixture({
      components,
      covariance: byId<HTMLSelectElement>('covariance').value as CovarianceType,
      init: 'randomFromData',
      regularization: 1,
      generator: this.#generator,
    });
    return this.#mixture.em(this.#points);
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

function say(text: string): void {
  byId('em-status').textContent = text;
}
