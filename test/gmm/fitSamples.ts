import * as fc from 'fast-check';
import { GMML, type CovType, type GMMLOptions } from '@gmml/gmm';
import { Generator, noGrad, tensor, type Tensor } from '@gmml/tensor';

/** Labelled rows of classes that differ in place, size and shape. */
export interface Classes {
  readonly x: number[][];
  readonly labels: number[];
  readonly nClass: number;
  readonly d: number;
}

/** What a property is tried on. */
export const problem = fc.record({
  seed: fc.nat(1e6),
  d: fc.integer({ min: 1, max: 4 }),
  nClass: fc.integer({ min: 2, max: 4 }),
  rows: fc.integer({ min: 15, max: 50 }),
  apart: fc.constantFrom(0.5, 2, 5),
});

export const covTypes = fc.constantFrom<CovType>('diag', 'tril', 'full');

/**
 * At least `rows` normal rows of each class, in mixed order: centres N(0, apart²), axes of their own with standard
 * deviations from 0.5 to 2, so that the layer's ridge and floor are small beside all variances.
 */
export function drawClasses({
  seed,
  d,
  nClass,
  rows,
  apart,
}: {
  seed: number;
  d: number;
  nClass: number;
  rows: number;
  apart: number;
}): Classes {
  const generator = new Generator(seed);
  const normals = (): number[] => Array.from({ length: d }, () => generator.normal());
  const classes = Array.from({ length: nClass }, () => ({
    centre: normals().map((value) => apart * value),
    scales: Array.from({ length: d }, () => 0.5 + 1.5 * generator.uniform()),
    angles: normals().map((value) => 3 * value),
    count: rows + generator.integer(20),
  }));
  const drawn = classes.flatMap(({ centre, scales, angles, count }, label) =>
    Array.from({ length: count }, () => {
      const away = turned(
        scales.map((scale) => scale * generator.normal()),
        angles,
      );
      return { label, row: centre.map((value, j) => value + away[j]) };
    }),
  );
  const mixed = Array.from(generator.permutation(drawn.length), (at) => drawn[at]);
  return { x: mixed.map(({ row }) => row), labels: mixed.map(({ label }) => label), nClass, d };
}

/** A new layer of these classes, fitted to them. */
export function fitted(
  { x, labels, nClass, d }: Classes,
  shrinkage: number | 'auto',
  options: GMMLOptions = {},
): GMML {
  const head = new GMML(d, d, nClass, { dtype: 'float64', generator: new Generator(1), ...options });
  head.fit(x, labels, { shrinkage });
  return head;
}

export const float64 = (x: readonly (readonly number[])[]): Tensor => tensor(x, { dtype: 'float64' });

/** log p(x | class) of rows, [M, N]. */
export function logLikelihood(head: GMML, x: number[][]): Tensor {
  return noGrad(() => head.classLogLikelihood(float64(x)));
}

/** log p(class | x) of rows, [M, N]. */
export function logPosterior(head: GMML, x: number[][]): Tensor {
  return noGrad(() => head.forward(float64(x)));
}

/** A turn in the plane of each pair of neighbouring features, one after the other. */
export function turned(row: readonly number[], angles: readonly number[]): number[] {
  const out = [...row];
  for (let j = 0; j + 1 < out.length; j++) {
    const [cos, sin] = [Math.cos(angles[j]), Math.sin(angles[j])];
    [out[j], out[j + 1]] = [cos * out[j] - sin * out[j + 1], sin * out[j] + cos * out[j + 1]];
  }
  return out;
}
