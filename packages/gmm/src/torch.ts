/**
 * Checkpoints of the original PyTorch layer. A page that has none does not load it.
 *
 * @module @gmml/gmm/torch
 */

import { ArgumentError, Tensor } from '@gmml/tensor';
import { checkOneOf, show } from '@gmml/tensor/checks';
import type { CovType } from './layer/feasible.js';
import { GMML } from './layer/gmml.js';

export { toGram } from './layer/toGram.js';

/** Options of {@link gmmlFromTorch}. */
export interface FromTorchOptions {
  /** The covariance type that the layer was trained with. It has to be given: the tensors of all three have the same shapes. */
  readonly covType: CovType;
  /** Whether the layer was trained with it; default false. */
  readonly logStretchTrick?: boolean;
  /** What stands before the four names, its dot included: 'head.'. Default: what stands before the only `mu_p`. */
  readonly prefix?: string;
}

type Size = 'N' | 'G' | 'D' | 'inputDim';

/** The layer's state dict. */
const SHAPES: Readonly<Record<string, readonly Size[]>> = {
  mu_p: ['N', 'G', 'D'],
  omega_p: ['N', 'G'],
  sigma_p: ['N', 'G', 'D', 'D'],
  'bottleneck.weight': ['D', 'inputDim'],
};

/**
 * A layer in the 'gram' parametrisation with the state of the original PyTorch layer, which predicts the same.
 *
 * The state dict has `mu_p` [N, G, D], `omega_p` [N, G], `sigma_p` [N, G, D, D] and `bottleneck.weight` [D, inputDim], with
 * nothing or the same prefix before all four; sizes and dtype are theirs. What a network has elsewhere is passed over.
 *
 * @throws ArgumentError naming every tensor of the layer that is missing, unexpected or of a wrong shape; when covType is
 *   not given, and when there are several layers and no prefix
 * @example
 * const original = new GMML(16, 16, 10, { covType: 'tril', parametrization: 'gram' });
 * saveSafetensors('checkpoint.safetensors', original.stateDict());
 * const { tensors } = loadSafetensors('checkpoint.safetensors'); // or one that torch has written
 * const head = gmmlFromTorch(tensors, { covType: 'tril' });
 * head.nClass; // 10
 */
export function gmmlFromTorch(
  tensors: Readonly<Record<string, Tensor>>,
  { covType, logStretchTrick, prefix }: FromTorchOptions,
): GMML {
  const op = 'gmmlFromTorch';
  checkOneOf(op, 'covType', covType, ['diag', 'tril', 'full']);
  const start = prefix ?? onlyPrefix(op, Object.keys(tensors));
  const own = new Map(Object.entries(tensors).filter(([name]) => name.startsWith(start)));
  const sizes: Partial<Record<Size, number>> = {};
  const problems: string[] = [];
  const state = Object.entries(SHAPES).map(([key, shape]): [string, Tensor] => {
    const name = start + key;
    const tensor = own.get(name);
    const fits = takesShape(tensor, shape, sizes);
    const wanted = `[${shape.map((size) => sizes[size] ?? size).join(', ')}]`;
    if (!own.delete(name)) problems.push(`missing: ${name} ${wanted}`);
    else if (!fits) problems.push(`wrong shape: ${name} is ${shown(tensor)}, must be ${wanted}`);
    return [key, tensor as Tensor];
  });
  for (const [name, tensor] of own) problems.push(`unexpected: ${name} ${shown(tensor)}`);
  if (problems.length > 0) {
    throw new ArgumentError(
      `${op}: the tensors must be those of one layer: ${problems.join('; ')}. ` +
        "Give the layer's tensors alone, or the prefix that stands before its mu_p.",
    );
  }
  const layer = new GMML(sizes.inputDim!, sizes.D!, sizes.N!, {
    nComponent: sizes.G,
    covType,
    logStretchTrick,
    parametrization: 'gram',
    dtype: tensors[`${start}mu_p`].dtype,
  });
  layer.loadStateDict(Object.fromEntries(state));
  return layer;
}

/** What stands before `mu_p`; nothing where there is none. */
function onlyPrefix(op: string, names: readonly string[]): string {
  const found = names.filter((name) => /(^|\.)mu_p$/.test(name)).map((name) => name.slice(0, -'mu_p'.length));
  if (found.length < 2) return found[0] ?? '';
  throw new ArgumentError(
    `${op}: the prefix must be given where there are several layers: there are '${found.join("', '")}'.`,
  );
}

/** Whether the tensor has this shape; sizes that were not known are from now on its own. */
function takesShape(tensor: unknown, shape: readonly Size[], sizes: Partial<Record<Size, number>>): boolean {
  if (!(tensor instanceof Tensor) || tensor.ndim !== shape.length) return false;
  return shape.every((size, i) => (sizes[size] ??= tensor.shape[i]) === tensor.shape[i]);
}

function shown(tensor: unknown): string {
  return tensor instanceof Tensor ? show(tensor.shape) : 'not a tensor';
}
