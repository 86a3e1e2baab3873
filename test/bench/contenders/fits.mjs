// Fits of normal distributions by gmml, on the data that scikit_learn.py makes too.
import { readFileSync } from 'node:fs';
import { GaussianMixture, GMML } from '@gmml/gmm';
import { Generator, tensor } from '@gmml/tensor';
import { measure, mulberry32, normalsFrom, wanted } from './measure.mjs';

const task = JSON.parse(readFileSync(new URL('fits.json', import.meta.url), 'utf8'));
const { rows, features, classes, iterations, seed } = task;

/** Measures what is wanted of the fits. */
export async function measureFits() {
  if (!['fit', 'fitAuto', 'mixture'].some((name) => wanted.has(name))) return;
  const x = tensor(normalsFrom(mulberry32(seed), new Float64Array(rows * features)), {
    shape: [rows, features],
  });
  const labels = Float64Array.from({ length: rows }, (_, n) => n % classes);
  const head = new GMML(features, features, classes, {
    covType: 'tril', // a full covariance by its factor
    dtype: 'float64',
    generator: new Generator(1),
  });
  // As scikit-learn does, without shrinkage; and with the amount chosen.
  const fitHead = () => head.fit(x, labels, { shrinkage: 0 });
  const fitAuto = () => head.fit(x, labels);
  const fitMixture = () =>
    new GaussianMixture({
      components: classes,
      init: { labels },
      tolerance: 0,
      maxIterations: iterations,
    }).fit(x);
  if (wanted.has('fit')) {
    fitHead();
    // Classes are of one size: shrinkage leaves the sum of their variances as it is.
    const { data } = head.covariances();
    let trace = 0;
    for (let k = 0; k < classes; k++) {
      for (let i = 0; i < features; i++) trace += data[(k * features + i) * features + i];
    }
    check('meanVariance', trace / classes / features, 1e-5);
  }
  await measure('fit', fitHead);
  await measure('fitAuto', fitAuto);
  if (wanted.has('mixture')) check('lowerBound', fitMixture().lowerBound, 1e-9);
  await measure('mixture', fitMixture);
}

/** Whether the same was computed as by the others. */
function check(name, value, tolerance) {
  if (Math.abs(value / task[name] - 1) <= tolerance) return;
  throw new Error(`${name} must be ${task[name]}: it is ${value}.`);
}
