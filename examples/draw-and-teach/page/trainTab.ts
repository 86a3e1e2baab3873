// Training in the page: a worker does it, the page draws its course.
import type { TaskWorker } from '@gmml/tensor/worker';
import type { Lesson } from '../src/modelParts.js';
import type { TrainProgress } from '../src/train.js';
import { byId, make, signed } from './elements.js';
import type { Tasks } from './tasks.js';

/** Loss is drawn for so many batches together, so that long runs stay quick to draw. */
const MOST_DOTS = 400;
/** Milliseconds from one drawing of the curves to the next. */
const PACE = 400;

/** Sets up the tab; `onTrained` gets the file of the new model. */
export function makeTrainTab(
  worker: () => TaskWorker<Tasks>,
  lessons: () => readonly Lesson[],
  onTrained: (bytes: Uint8Array) => Promise<void>,
): void {
  const start = byId<HTMLButtonElement>('train');
  const stop = byId<HTMLButtonElement>('stop');
  const epochs = byId<HTMLInputElement>('epochs');
  const bar = byId<HTMLProgressElement>('train-progress');
  let controller: AbortController | null = null;

  start.addEventListener('click', () => void train());
  stop.addEventListener('click', () => controller?.abort(new DOMException('Stopped.', 'AbortError')));

  async function train(): Promise<void> {
    if (!epochs.reportValidity()) return;
    controller = new AbortController();
    start.disabled = true;
    stop.disabled = false;
    say('Loading the digits …');
    const total = Number(epochs.value);
    const course = new Course();
    const curves = await drawer(course);
    const onProgress = (progress: TrainProgress): void => {
      course.add(progress);
      if ('done' in progress) bar.value = progress.done / progress.of / (total + 1);
      else if ('batch' in progress) bar.value = (1 + course.epochsDone) / (total + 1);
      say(wordsOf(progress, total));
      showFigures(course);
    };
    try {
      const argument = {
        epochs: total,
        digits: new URL('digits.bin', location.href).href,
        lessons: lessons(),
      };
      const bytes = await worker().run('train', argument, { signal: controller.signal, onProgress });
      await onTrained(bytes);
      bar.value = 1;
      say('Done: the first tab answers with this network now.');
    } catch (error) {
      const isStopped = error instanceof DOMException && error.name === 'AbortError';
      say(isStopped ? 'Stopped: the first tab answers with the network it had.' : (error as Error).message);
    } finally {
      curves.end();
      start.disabled = false;
      stop.disabled = true;
    }
  }
}

/** What has been reported so far. */
class Course {
  readonly losses: { readonly epochs: number; readonly loss: number }[] = [];
  readonly accuracies: { readonly epoch: number; readonly accuracy: number }[] = [];
  imagesPerSecond = 0;
  epochsDone = 0;

  add(progress: TrainProgress): void {
    if (progress.stage === 'training') {
      this.epochsDone = progress.epoch - 1 + progress.batch / progress.batches;
      this.imagesPerSecond = progress.imagesPerSecond;
      this.losses.push({ epochs: this.epochsDone, loss: progress.loss });
    } else if (progress.stage === 'tested') this.accuracies.push(progress);
  }
}

function wordsOf(progress: TrainProgress, total: number): string {
  if (progress.stage === 'drawing') return 'Tracing the digits and drawing them again …';
  if (progress.stage === 'fitting') return 'Fitting Gaussians to the features …';
  if (progress.stage === 'tested') return `Epoch ${progress.epoch} of ${total} done.`;
  return `Epoch ${progress.epoch} of ${total} …`;
}

function showFigures({ losses, accuracies, imagesPerSecond }: Course): void {
  const figures: [string, string][] = [
    ['Images a second', imagesPerSecond === 0 ? '–' : Math.round(imagesPerSecond).toLocaleString('en')],
    ['Loss', losses.length === 0 ? '–' : signed(losses.at(-1)!.loss, 3)],
    ['Test accuracy', accuracies.length === 0 ? '–' : `${(100 * accuracies.at(-1)!.accuracy).toFixed(2)} %`],
  ];
  byId('train-figures').replaceChildren(
    ...figures.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))),
  );
}

/** Draws the curves now and then while `course` grows. Observable Plot is loaded when it is first needed. */
async function drawer({ losses, accuracies }: Course): Promise<{ end: () => void }> {
  const Plot = await import('@observablehq/plot');
  const draw = (): void => {
    const every = Math.ceil(losses.length / MOST_DOTS);
    const shown = losses.filter((_, i) => i % every === 0);
    const common = {
      width: 480,
      height: 240,
      marginLeft: 50,
      style: { background: 'none' },
      grid: true,
    } as const;
    byId('loss-curve').replaceChildren(
      Plot.plot({
        ...common,
        ariaLabel: 'Loss by epoch',
        x: { label: 'epoch' },
        y: { label: 'loss', type: 'log' },
        marks: [Plot.line(shown, { x: 'epochs', y: 'loss', stroke: 'var(--accent)' })],
      }),
    );
    byId('accuracy-curve').replaceChildren(
      Plot.plot({
        ...common,
        ariaLabel: 'Test accuracy by epoch',
        x: { label: 'epoch', interval: 1 },
        y: { label: 'accuracy, %', percent: true },
        marks: [
          Plot.lineY(accuracies, { x: 'epoch', y: 'accuracy', stroke: 'var(--known)', marker: 'circle' }),
          Plot.text(accuracies.slice(-1), {
            x: 'epoch',
            y: 'accuracy',
            dy: -10,
            text: ({ accuracy }: { accuracy: number }) => `${(100 * accuracy).toFixed(2)} %`,
            fill: 'currentColor',
          }),
        ],
      }),
    );
  };
  const timer = setInterval(draw, PACE);
  return {
    end() {
      clearInterval(timer);
      draw();
    },
  };
}

function say(text: string): void {
  byId('train-status').textContent = text;
}
