import { GMML } from '@gmml/gmm';
import { ArgumentError, NumericalError } from '@gmml/tensor';
import { fittedHead } from '../openSet/fittedHead.js';
import type { FinishedRun } from './finishedRun.js';

/** A mixture over the features, in words as it came about. */
export interface Gaussians {
  readonly mixture: GMML;
  readonly origin: 'trained' | 'fitted';
}

/**
 * The Gaussians that the report draws: those of the trained head or, where that is linear, those fitted to the features of
 * the training images; none where they cannot be fitted.
 */
export function gaussiansOf({ network, openSet, outputs, settings }: FinishedRun): Gaussians | undefined {
  if (network.head instanceof GMML) return { mixture: network.head, origin: 'trained' };
  if (openSet) return { mixture: openSet.fitted.head, origin: 'fitted' };
  try {
    return { mixture: fittedHead(outputs, settings).head, origin: 'fitted' };
  } catch (error) {
    if (!(error instanceof NumericalError || error instanceof ArgumentError)) throw error;
    return undefined;
  }
}
