// Where a network's numbers stopped being finite.
import type { Module } from '@gmml/nn';
import { noGrad, NotFiniteError, NumericalError, type Tensor } from '@gmml/tensor';

/** A loss, or what stands in its place, that ended a training run. `when` is 'epoch 3, batch 17'. */
export function diverged(when: string, problem: string, cause?: unknown): NotFiniteError {
  return new NotFiniteError(`${when}: ${problem} Training has diverged: try a smaller --lr.`, { cause });
}

/**
 * The first layer, in the order in which `images` go through the network, whose parameters or output are not finite or
 * that cannot compute its output: "the parameters of conv1", "the output of head", by its name in the state dict.
 * Undefined where all layers are finite, and only the loss made of them is not.
 */
export function findBroken(network: Module, images: Tensor): string | undefined {
  const layers = [...network.namedModules()].filter(([name]) => name !== '');
  const broken: string[] = [];
  for (const [layer, module] of layers) {
    const forward = module.forward.bind(module);
    // For this one forward every layer is looked at as its turn comes.
    module.forward = (x) => {
      if (parametersOf(network, layer).some(isBroken)) broken.push(`the parameters of ${layer}`);
      const output = computed(
        () => forward(x),
        () => broken.push(`the output of ${layer}`),
      );
      if (isBroken(output)) broken.push(`the output of ${layer}`);
      return output;
    };
  }
  try {
    noGrad(() => network.forward(images));
  } catch (error) {
    if (!(error instanceof NumericalError)) throw error;
  } finally {
    for (const [, module] of layers) Reflect.deleteProperty(module, 'forward');
  }
  return broken[0];
}

/** "the parameters of conv1" for the first layer, in the order of the state dict, with a parameter that is not finite. */
export function brokenParameters(network: Module): string | undefined {
  const names = [...network.namedModules()].map(([name]) => name);
  const layer = names.find((name) => parametersOf(network, name).some(isBroken));
  return layer === '' ? 'the parameters' : layer && `the parameters of ${layer}`;
}

/** The parameters of a layer without those of the layers within it. */
function parametersOf(network: Module, layer: string): Tensor[] {
  const within = [...network.namedModules()]
    .map(([name]) => name)
    .filter((name) => name !== layer && name.startsWith(layer === '' ? '' : `${layer}.`));
  return [...network.namedParameters()]
    .filter(([name]) => layer === '' || name.startsWith(`${layer}.`))
    .filter(([name]) => !within.some((inner) => name.startsWith(`${inner}.`)))
    .map(([, parameter]) => parameter);
}

function computed(compute: () => Tensor, onFailure: () => void): Tensor {
  try {
    return compute();
  } catch (error) {
    onFailure();
    throw error;
  }
}

function isBroken({ data }: Tensor): boolean {
  return !data.every(Number.isFinite);
}
