import { Generator } from '@gmml/tensor';

/** Samples of `components` groups in turn: normal around centres that are N(0, apart²). */
export function blobs({
  seed,
  rows,
  features,
  components,
  apart,
}: {
  seed: number;
  rows: number;
  features: number;
  components: number;
  apart: number;
}): { x: number[][]; labels: number[] } {
  const generator = new Generator(seed);
  const draw = (scale: number): number[] =>
    Array.from({ length: features }, () => scale * generator.normal());
  const centres = Array.from({ length: components }, () => draw(apart));
  const labels = Array.from({ length: rows }, (_, n) => n % components);
  const x = labels.map((label) => draw(1).map((value, j) => value + centres[label][j]));
  return { x, labels };
}
