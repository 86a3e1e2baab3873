// Trains as `?runs=` says, here or with `?in=worker` in a worker, and shows what came of it in an <output>. The page
// does so by itself, because what a test's driver evaluates in it is exempt from its policy.
import { violationsUntilNow } from './violations.js';
import { trainOnEach } from './training.js';

const query = new URLSearchParams(location.search);
const runs = JSON.parse(query.get('runs'));
const inWorker = query.get('in') === 'worker';
const outcome = inWorker ? await trainInWorker() : { trained: await trainOnEach(runs), violations: [] };
const violations = [...outcome.violations, ...(await violationsUntilNow())];
const output = document.createElement('output');
output.textContent = JSON.stringify({ ...outcome, crossOriginIsolated, violations });
document.body.append(output);

/** With how often this thread's timer went off while the worker was training. */
function trainInWorker() {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    let ticks = 0;
    setInterval(() => ticks++, 1);
    worker.addEventListener('error', ({ message }) =>
      reject(new Error(message ?? 'the worker did not load')),
    );
    worker.addEventListener('message', ({ data }) => {
      if (data === 'training') ticks = 0;
      else resolve({ ...data, ticks });
    });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's takes none
    worker.postMessage(runs);
  });
}
