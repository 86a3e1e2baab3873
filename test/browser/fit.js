// Fits blobs with two threads and with none, on the backend that `?backend=` names, and shows both in an <output>.
import { violationsUntilNow } from './violations.js';
import { GaussianMixture } from '@gmml/gmm';
import { fit } from '@gmml/gmm/statistics';
import { Generator, tensor, useBackend } from '@gmml/tensor';

const COMPONENTS = 3;

await useBackend(new URLSearchParams(location.search).get('backend'), { threads: 1 });
let threads = 0;
globalThis.Worker = class extends Worker {
  constructor(...args) {
    super(...args);
    threads++;
  }
};

const generator = new Generator(7);
const rows = Array.from({ length: 301 }, (_, n) =>
  Array.from({ length: 4 }, (_value, j) => 3 * ((n % COMPONENTS) * (j + 1)) + generator.normal()),
);
const x = tensor(rows, { dtype: 'float64' });
const options = () => ({ components: COMPONENTS, generator: new Generator(1) });
const parallel = await shown(() => fit(x, { ...options(), workers: 2 }));
const single = await shown(() => new GaussianMixture(options()).fit(x));
const outcome = { parallel, single, threads, crossOriginIsolated, violations: await violationsUntilNow() };
const output = document.createElement('output');
output.textContent = JSON.stringify(outcome);
document.body.append(output);

async function shown(work) {
  try {
    const { weights, means, covariances, lowerBounds, iterations } = await work();
    const numbers = [weights, means, covariances].flatMap(({ data }) => Array.from(data));
    return { numbers, lowerBounds, iterations };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}
