// Fits blobs with and without worker threads, by the build, which the threads are started from. Prints JSON.
import { Worker } from 'node:worker_threads';
import { GaussianMixture } from '@gmml/gmm';
import { fit } from '@gmml/gmm/statistics';
import { Generator, tensor, useBackend } from '@gmml/tensor';

const [backend, text] = process.argv.slice(2);
const { rows, features, components, workers, losesThread, lacksThread, ...options } = JSON.parse(text);
await useBackend(backend, { threads: 1 });

const generator = new Generator(7);
const x = Array.from({ length: rows }, (_, n) =>
  Array.from({ length: features }, (_value, j) => 3 * ((n % components) * (j + 1)) + generator.normal()),
);
const optionsOf = () => ({ ...options, components, generator: new Generator(1) });

if (losesThread) {
  // Where a mixture should go out, the thread ends.
  Worker.prototype.postMessage = function () {
    void this.terminate();
  };
}

if (lacksThread) {
  let count = 0;
  process.getBuiltinModule('node:worker_threads').Worker = class extends Worker {
    constructor(...args) {
      if (count++ > 0) throw new Error('there are no more');
      super(...args);
    }
  };
}

const messageOf = async (work) => {
  try {
    return await work();
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
};
const parallel = await messageOf(async () =>
  shown(await fit(tensor(x, { dtype: 'float64' }), { ...optionsOf(), workers })),
);
const single = await messageOf(async () => shown(new GaussianMixture(optionsOf()).fit(x)));
console.log(JSON.stringify({ parallel, single }));

function shown(mixture) {
  const { weights, means, covariances, lowerBounds, iterations, converged } = mixture;
  const numbers = [weights, means, covariances].map(({ data }) => Array.from(data));
  return { numbers, lowerBounds, iterations, converged };
}
