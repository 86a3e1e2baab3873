// Fits a mixture in a worker, aborts another fit, gives one bad samples, and counts this page's frames meanwhile.
import { violationsUntilNow } from './violations.js';
import { NotFiniteError, tensor } from '@gmml/tensor';
import { TaskWorker } from '@gmml/tensor/worker';
import { samples } from './mixtureTask.js';

const { rows, iterations } = Object.fromEntries(new URLSearchParams(location.search));
const worker = new TaskWorker(new Worker(new URL('./tasks.js', import.meta.url), { type: 'module' }));
const x = samples(Number(rows));

const heard = [];
const frames = [];
let last = performance.now();
let counts = true;
requestAnimationFrame(function next(now) {
  frames.push(now - last);
  last = now;
  if (counts) requestAnimationFrame(next);
});

const fitted = await worker.run(
  'fit',
  { x, iterations: Number(iterations) },
  { onProgress: ({ iteration, weights }) => heard.push([iteration, weights.shape, weights.sum().item()]) },
);
counts = false;

const controller = new AbortController();
const heardBeforeAbort = [];
const aborted = await worker
  .run(
    'fit',
    { x, iterations: 1e6 },
    {
      signal: controller.signal,
      onProgress: ({ iteration }) => {
        heardBeforeAbort.push(iteration);
        if (iteration === 3) controller.abort();
      },
    },
  )
  .catch(({ name }) => name);
const refused = await worker
  .run('fit', { x: tensor([[NaN], [1]]), iterations: 1 })
  .catch((error) => `${error instanceof NotFiniteError}, ${error.name}: ${error.message}`);
const ended = await worker.run('ended', null);
const inWorker = await worker.run('violations', null);
worker.close();
const closed = await worker.run('ended', null).catch(String);

const output = document.createElement('output');
output.textContent = JSON.stringify({
  crossOriginIsolated,
  violations: [...inWorker, ...(await violationsUntilNow())],
  means: fitted.means.toArray(),
  backend: fitted.backend,
  frames,
  heard,
  aborted,
  heardBeforeAbort,
  ended,
  refused,
  closed,
});
document.body.append(output);
