// Work of a second or so, for a worker and for Node alike: a mixture fitted by expectation–maximisation.
import { GaussianMixture } from '@gmml/gmm';
import { Generator, tensor } from '@gmml/tensor';

const FEATURES = 12;
const COMPONENTS = 6;

/** Samples [rows, 12] around six places. */
export function samples(rows) {
  const generator = new Generator(3);
  const numbers = Float64Array.from(
    { length: rows * FEATURES },
    (_, i) => generator.normal() + 3 * (Math.floor(i / FEATURES) % COMPONENTS === i % FEATURES ? 1 : 0),
  );
  return tensor(numbers, { shape: [rows, FEATURES] });
}

/** A mixture, and its iterations. */
export function mixtureOf(x, iterations) {
  const options = { components: COMPONENTS, maxIterations: iterations, tolerance: 0 };
  const mixture = new GaussianMixture({ ...options, generator: new Generator(5) });
  return { mixture, turns: mixture.em(x) };
}
