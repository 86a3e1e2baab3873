// Training in the page: a worker does it, the page draws its course.
import type { TaskWorker } from '@gmml/tensor/worker';
import type { TrainProgress } from '../src/train.js';
import { drawCurves, type Course } from './curves.js';
import { byId, make, signed } from './elements.js';
import type { Tasks } from './tasks.js';

/** Milliseconds from one showing of the course to the next. */
const PACE = 400;

/** Sets up the tab; `onTrained` gets the file of the new model. */
export function makeTrainTab(
  worker: () => TaskWorker<Tasks>,
  onTrained: (bytes: Uint8Array) => Promise<void>,
): void {
  const start = byId<HTMLButtonElement>('train');
  const stop = byId<HTMLButtonElement>('stop');
  const epochs = byId<HTMLInputElement>('epochs');
  let controller: AbortController | null = null;
  let training = new Training(Number(epochs.value));

  start.addEventListener('click', () => void train());
  stop.addEventListener('click', () => controller?.abort(new DOMException('Stopped.', 'AbortError')));
  onNewWidth(byId('loss-curve'), () => drawCurves(training));
  training.show();
  // The worker is started by the first task: it is ready then before it is to train.
  void worker()
    .run('backend', {})
    .then(({ backend, threads }) => {
      byId('train-backend').textContent =
        `Computed by ${backend} on ${threads} thread${threads === 1 ? '' : 's'}.`;
    });

  async function train(): Promise<void> {
    if (!epochs.reportValidity()) return;
    controller = new AbortController();
    start.disabled = true;
    stop.disabled = false;
    stop.focus();
    say('Loading the digits …');
    training = new Training(Number(epochs.value));
    const timer = setInterval(() => training.show(), PACE);
    try {
      const argument = {
        epochs: training.total,
        digits: new URL('digits.bin', location.href).href,
      };
      const onProgress = (progress: TrainProgress): void => training.add(progress);
      const bytes = await worker().run('train', argument, { signal: controller.signal, onProgress });
      await onTrained(bytes);
      training.end('Done: the first tab answers with this network now.');
    } catch (error) {
      const isStopped = error instanceof DOMException && error.name === 'AbortError';
      training.end(
        isStopped ? 'Stopped: the first tab answers with the network it had.' : (error as Error).message,
      );
    } finally {
      clearInterval(timer);
      training.show();
      const hadFocus = document.activeElement === stop;
      start.disabled = false;
      stop.disabled = true;
      if (hadFocus) start.focus();
    }
  }
}

/** What has been reported of a training so far. */
class Training implements Course {
  readonly total: number;
  readonly losses: { readonly epochs: number; readonly loss: number }[] = [];
  readonly accuracies: { readonly epoch: number; readonly accuracy: number }[] = [];
  #imagesPerSecond = 0;
  #share = 0;
  #words = '';
  #hasChanged = true;

  constructor(total: number) {
    this.total = total;
  }

  add(progress: TrainProgress): void {
    this.#hasChanged = true;
    this.#words = wordsOf(progress, this.total);
    if (progress.stage === 'drawing') this.#share = progress.done / progress.of / (this.total + 1);
    else if (progress.stage === 'tested') this.accuracies.push(progress);
    else if (progress.stage === 'training') {
      const epochs = progress.epoch - 1 + progress.batch / progress.batches;
      this.#share = (1 + epochs) / (this.total + 1);
      this.#imagesPerSecond = progress.imagesPerSecond;
      this.losses.push({ epochs, loss: progress.loss });
    }
  }

  /** @param words what came of it */
  end(words: string): void {
    this.#hasChanged = true;
    this.#words = words;
  }

  /** Shows it, if anything is new. */
  show(): void {
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    if (this.#words !== '') say(this.#words);
    byId<HTMLProgressElement>('train-progress').value = this.#share;
    const figures: [string, string][] = [
      ['Images a second', this.#imagesPerSecond === 0 ? '–' : thousands(this.#imagesPerSecond)],
      ['Loss', this.losses.length === 0 ? '–' : signed(this.losses.at(-1)!.loss, 3)],
      [
        'Test accuracy',
        this.accuracies.length === 0 ? '–' : `${(100 * this.accuracies.at(-1)!.accuracy).toFixed(2)} %`,
      ],
    ];
    byId('train-figures').replaceChildren(
      ...figures.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))),
    );
    drawCurves(this);
  }
}

function wordsOf(progress: TrainProgress, total: number): string {
  if (progress.stage === 'drawing') return 'Tracing the digits and drawing them again …';
  if (progress.stage === 'fitting') return 'Fitting Gaussians to the features …';
  if (progress.stage === 'tested') return `Epoch ${progress.epoch} of ${total} done.`;
  return `Epoch ${progress.epoch} of ${total} …`;
}

/** Also where it was not shown while the window changed. */
function onNewWidth(element: HTMLElement, draw: () => void): void {
  let drawn = element.clientWidth;
  new ResizeObserver(() => {
    const { clientWidth } = element;
    if (clientWidth === 0 || clientWidth === drawn) return;
    drawn = clientWidth;
    requestAnimationFrame(draw);
  }).observe(element);
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Written only when it changes, so that a screen reader does not say the same again and again. */
function say(text: string): void {
  const status = byId('train-status');
  if (status.textContent !== text) status.textContent = text;
}
