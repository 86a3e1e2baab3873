// A GaussianMixture as a safetensors file. Metadata: `format`, `options` as JSON, `iterations`, `lowerBound`, `converged`
// and `rows`. Tensors: `weights` [K], `means` [K, D], `covariances` in the shape of their type, `lowerBounds`.

import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { tensor, type Tensor } from '@gmml/tensor';
import { mixtureOf, stateOf, type GaussianMixture } from './gaussianMixture.js';
import { FileReader, refuse, shown } from '../fileReader.js';
import { COVARIANCE_FORMS } from './covarianceTypes.js';
import { boundOf, type MixtureState } from './fitted.js';
import { checkMixtureOptions, type GaussianMixtureOptions } from './options.js';

/** What the metadata of a mixture's file has as its format. */
export const MIXTURE_FORMAT = 'gmml.GaussianMixture.1';

const OP = 'mixtureFromSafetensors';

/**
 * The mixture as the bytes of a safetensors file: `weights`, `means`, `covariances` and `lowerBounds` in float64, with
 * options, `iterations`, `lowerBound`, `converged` and `rows` as metadata. Not in it: the generator, what `init` was
 * given in numbers, and the moments of `partialFit`, which after loading starts from the parameters.
 * @throws ArgumentError before the first fit
 */
export function mixtureToSafetensors(mixture: GaussianMixture): Uint8Array {
  return encodeMixture(stateOf('mixtureToSafetensors', mixture));
}

/**
 * What `mixtureToSafetensors` or `gmml merge` gave: it predicts, and with `warmStart` it fits on.
 * @param changes options that are to differ from those in the file, and the generator, which is not in it
 * @throws FormatError for other bytes; ArgumentError for changes outside of what is allowed
 */
export function mixtureFromSafetensors(
  bytes: Uint8Array | ArrayBuffer,
  changes: Pick<
    GaussianMixtureOptions,
    'tolerance' | 'maxIterations' | 'restarts' | 'warmStart' | 'generator'
  > = {},
): GaussianMixture {
  const { options, fitted } = decodeMixture(bytes);
  return mixtureOf({ options: { ...options, ...changes }, fitted });
}

/** The bytes, the same for the same state. `more` is metadata to keep beside. */
export function encodeMixture(
  { options, fitted }: MixtureState,
  more: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { parameters, features, converged, iterations, lowerBounds, seen } = fitted;
  const { init, ...others } = options;
  const sizes = { components: options.components, features };
  const kept = typeof init === 'string' ? { ...others, init } : others;
  return serializeSafetensors(
    {
      weights: float64(parameters.weights, [sizes.components]),
      means: float64(parameters.means, [sizes.components, features]),
      covariances: float64(parameters.covariances, COVARIANCE_FORMS[options.covariance].shape(sizes)),
      lowerBounds: float64(lowerBounds, [lowerBounds.length]),
    },
    {
      ...more,
      format: MIXTURE_FORMAT,
      options: JSON.stringify(kept),
      iterations: String(iterations),
      lowerBound: String(boundOf(fitted)),
      converged: String(converged),
      rows: String(seen),
    },
  );
}

/** The state in the bytes. @throws FormatError for bytes that no mixture gave */
function decodeMixture(bytes: Uint8Array | ArrayBuffer): MixtureState {
  const { tensors, metadata } = parseSafetensors(bytes);
  if (metadata.format !== MIXTURE_FORMAT) {
    refuse(OP, `the format must be '${MIXTURE_FORMAT}': it is ${shown(metadata.format)}`);
  }
  const options = mixtureOptionsOf(OP, metadata.options);
  const { components, covariance } = options;
  const reader = new FileReader(OP, tensors);
  const features = tensors.means?.shape[1] ?? 0;
  const sizes = { components, features };
  const form = COVARIANCE_FORMS[covariance];
  const weights = reader.take('weights', [components], isShare, 'from 0 to 1');
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (Math.abs(sum - 1) > 1e-6) refuse(OP, `weights must sum to 1: they sum to ${sum}`);
  const means = reader.take('means', [components, features]);
  const covariances = reader.take('covariances', form.shape(sizes));
  const lowerBounds = Array.from(reader.take('lowerBounds', null));
  reader.checkEmpty();
  const whitening = form.whiten(covariances, sizes);
  if (features < 1 || 'pivot' in whitening) return refuse(OP, 'covariances must be positive definite');
  const [iterations, seen] = [Number(metadata.iterations), Number(metadata.rows)];
  if (!Number.isSafeInteger(iterations) || !(seen >= 0)) {
    refuse(OP, `iterations and rows must be numbers: they are ${iterations} and ${seen}`);
  }
  return {
    options,
    fitted: {
      parameters: { weights, means, covariances, ...whitening },
      moments: null,
      features,
      converged: metadata.converged === 'true',
      iterations,
      lowerBounds,
      seen,
    },
  };
}

/** The options that JSON has. @throws FormatError for what is not allowed */
export function mixtureOptionsOf(op: string, text: string): MixtureState['options'] {
  try {
    const options = JSON.parse(text) as GaussianMixtureOptions;
    return { ...checkMixtureOptions('options', options), shrinkage: options.shrinkage };
  } catch (error) {
    return refuse(op, `options must be allowed: ${(error as Error).message}`);
  }
}

/** A tensor as files of statistics and mixtures have them. */
export function float64(values: ArrayLike<number>, shape: readonly number[]): Tensor {
  return tensor(Float64Array.from(values), { shape });
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}
