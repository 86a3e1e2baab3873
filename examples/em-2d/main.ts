// A mixture in the plane: BIC chooses it, EM fits it from a poor start, and a picture shows how.
//
//   node examples/em-2d/dist/main.js [picture.svg]
import { writeFileSync } from 'node:fs';
import { fitBest, GaussianMixture } from '@gmml/gmm';
import { cat, Generator } from '@gmml/tensor';
import { drawClusters } from './clusters.js';
import { drawPanels, type Panel } from './picture.js';

const path = process.argv[2] ?? 'em-2d.svg';
const points = drawClusters(new Generator(11));

// As many components as the data are worth: of all mixtures the one with the least BIC.
const tried = {
  components: [1, 2, 3, 4, 5, 6],
  covariances: ['full', 'tied', 'diag', 'spherical'],
} as const;
const { best, candidates } = fitBest(points, { ...tried, restarts: 4, generator: new Generator(1) });
console.log(`BIC      ${tried.components.map((count) => String(count).padStart(7)).join('')}`);
for (const form of tried.covariances) {
  const row = candidates.filter((candidate) => candidate.covariance === form);
  console.log(form.padEnd(9) + row.map(({ bic }) => bic.toFixed(0).padStart(7)).join(''));
}
console.log(`least: ${best.components} components, ${best.covariance}\n`);

// The same from a poor start, one iteration at a time: means at points drawn at random, each half as wide as all points.
const { components, covariance } = best;
const order = new Generator(4).permutation(points.length);
const { precisions } = new GaussianMixture({ covariance }).fit(points);
const init = {
  weights: Array.from({ length: components }, () => 1 / components),
  means: Array.from({ length: components }, (_, k) => points[order[k]]),
  precisions: (covariance === 'tied'
    ? precisions
    : cat(Array.from({ length: components }, () => precisions))
  ).mul(4),
};
const start = new GaussianMixture({ components, covariance, init, maxIterations: 0 }).fit(points);
const mixture = new GaussianMixture({ components, covariance, init });
const course = [panelOf(start, 'start')];
for (const { iteration, lowerBound, converged } of mixture.em(points)) {
  console.log(
    `iteration ${iteration}: lower bound ${lowerBound.toFixed(4)}${converged ? ', converged' : ''}`,
  );
  const title = iteration === 1 ? '1 iteration' : `${iteration} iterations`;
  course.push(panelOf(mixture, converged ? `${title}, converged` : title));
}
console.log('\ncomponent  weight      mean              covariance xx, xy, yy');
const panels = [0, ...growingSteps(course.length - 1)].map((iteration) => course[iteration]);
for (const [k, component] of panels.at(-1)!.components.entries()) {
  const { weight, mean } = component;
  const [[xx, xy], [, yy]] = component.covariance;
  const columns = [weight, ...mean, xx, xy, yy].map((value) => value.toFixed(4).padStart(9));
  console.log(`${String(k + 1).padStart(9)}${columns.join('')}`);
}
writeFileSync(path, drawPanels(points, panels));
console.log(`\n${path}`);

/** The mixture as it is now. The bound that EM yields is that of the parameters before; this is theirs. */
function panelOf(now: GaussianMixture, title: string): Panel {
  const weights = now.weights.toArray() as number[];
  const means = now.means.toArray() as number[][];
  return {
    title,
    lowerBound: now.score(points),
    components: weights.map((weight, k) => ({ weight, mean: means[k], covariance: covarianceOf(now, k) })),
    responsibilities: now.predictProba(points).toArray() as number[][],
  };
}

/** Σ of component k as a matrix, whatever form the mixture has it in. */
function covarianceOf(now: GaussianMixture, k: number): readonly (readonly number[])[] {
  const { data } = now.covariances;
  if (now.covariance === 'spherical') return diagonal(data[k], data[k]);
  if (now.covariance === 'diag') return diagonal(data[2 * k], data[2 * k + 1]);
  const [xx, xy, yx, yy] = data.slice(now.covariance === 'full' ? 4 * k : 0);
  return [
    [xx, xy],
    [yx, yy],
  ];
}

function diagonal(x: number, y: number): readonly (readonly number[])[] {
  return [
    [x, 0],
    [0, y],
  ];
}

/** Five iterations from the first to the last, each the same factor further on: most happens early. */
function growingSteps(last: number): number[] {
  return [...new Set([0, 1, 2, 3, 4].map((step) => Math.round(last ** (step / 4))))];
}
