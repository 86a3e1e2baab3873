import type { GaussianMixture, MixtureProgress } from '@gmml/gmm';
import type { Tensor } from '@gmml/tensor';

export function samples(rows: number): Tensor;

export function mixtureOf(
  x: Tensor,
  iterations: number,
): { mixture: GaussianMixture; turns: IterableIterator<MixtureProgress> };
