import { turnOf, type Observations } from './em.js';
import type { MixtureMoments, Parameters, Settings, Shrinkage } from './model.js';
import type { MixtureChoices } from './options.js';
import type { Start } from './start.js';

/** What a fit leaves behind. */
export interface Fitted {
  readonly parameters: Parameters;
  /** Null where the parameters were given and no M-step followed. */
  readonly moments: MixtureMoments | null;
  readonly features: number;
  readonly converged: boolean;
  readonly iterations: number;
  readonly lowerBounds: readonly number[];
  /** Weight of the samples that the moments stand for. */
  readonly seen: number;
}

/** When EM ends. */
export interface Ending {
  readonly tolerance: number;
  readonly maxIterations: number;
}

/** The last lower bound, −∞ where there is none. */
export function boundOf({ lowerBounds }: Fitted): number {
  return lowerBounds.at(-1) ?? -Infinity;
}

/** A start as a mixture that no iteration has changed. */
export function unchanged({ parameters, moments }: Start | Fitted, data: Observations): Fitted {
  return {
    parameters,
    moments,
    features: data.features,
    converged: false,
    iterations: 0,
    lowerBounds: [],
    seen: data.totalWeight,
  };
}

/**
 * EM from a start: the mixture after each iteration. `before` is the bound that the first change counts from, `likely` a
 * guess of each sample's component, which makes the first iteration faster.
 */
export function* iterationsFrom(
  data: Observations,
  start: Fitted,
  before: number,
  likely: Int32Array | null,
  settings: Settings,
  { tolerance, maxIterations }: Ending,
): IterableIterator<Fitted> {
  const { features, seen } = start;
  const lowerBounds: number[] = [];
  let { parameters } = start;
  let bound = before;
  let guess = likely;
  for (let iterations = 1; iterations <= maxIterations; iterations++) {
    const turn = turnOf(data, parameters, guess, settings);
    const converged = Math.abs(turn.lowerBound - bound) < tolerance;
    lowerBounds.push(turn.lowerBound);
    ({ parameters, lowerBound: bound, likely: guess } = turn);
    const { moments } = turn;
    yield { parameters, moments, features, converged, iterations, lowerBounds: [...lowerBounds], seen };
    if (converged) return;
  }
}

/** Everything a mixture is. */
export interface MixtureState {
  readonly options: MixtureChoices & { readonly shrinkage?: Shrinkage };
  readonly fitted: Fitted;
}
