import {
  Adadelta,
  BatchNorm2d,
  Conv2d,
  crossEntropy,
  Flatten,
  LayerNorm,
  Linear,
  MaxPool2d,
  type Module,
  ReLU,
  Sequential,
} from '@gmml/nn';
import type { Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { differences, golden, gradientDifferences, leaf, type Tensors } from './golden.js';

/** One forward and backward, with the state dict after it. */
interface Pass {
  readonly x: Tensor;
  readonly output: Tensor;
  readonly cotangent: Tensor;
  readonly gradients: Tensors;
  readonly state: Tensors;
}

interface Layer extends Pass {
  readonly layer: string;
  readonly arguments: readonly unknown[];
  readonly options: object;
}

interface BatchNorm {
  readonly arguments: readonly [number];
  readonly options: object;
  readonly initial: Tensors;
  readonly training: readonly Pass[];
  readonly evaluation: Pass;
}

interface Step {
  readonly x: Tensor;
  readonly labels: Tensor;
  readonly loss: Tensor;
  readonly gradients: Tensors;
  readonly state: Tensors;
}

interface Network {
  readonly initial: Tensors;
  readonly steps: readonly Step[];
  readonly evaluation: { readonly x: Tensor; readonly output: Tensor };
}

const RTOL = 1e-11;
const LAYERS: Record<string, any> = { Linear, Conv2d, LayerNorm };
const dtype = 'float64';

const { layers, batchNorm, network }: { layers: Layer[]; batchNorm: BatchNorm[]; network: Network } =
  golden('layers');

describe('layers agree with torch', () => {
  const named = layers.map((each): [string, Layer] => [
    `${each.layer} ${JSON.stringify(each.arguments)} ${JSON.stringify(each.options)}`,
    each,
  ]);
  it.each(named)('%s', (_, recorded) => {
    const layer = new LAYERS[recorded.layer](...recorded.arguments, { ...recorded.options, dtype });
    layer.loadStateDict(recorded.state);
    expect(passDifferences(layer, recorded)).toEqual([]);
  });
});

describe('BatchNorm2d agrees with torch over batches, then in evaluation', () => {
  it.each(batchNorm)('$options', (recorded) => {
    const layer = new BatchNorm2d(recorded.arguments[0], { ...recorded.options, dtype });
    layer.loadStateDict(recorded.initial);
    for (const batch of recorded.training) expect(passDifferences(layer, batch)).toEqual([]);
    layer.eval();
    expect(passDifferences(layer, recorded.evaluation)).toEqual([]);
  });
});

describe('a small network agrees with torch', () => {
  it('in its state-dict names, three steps of Adadelta, and evaluation', () => {
    const model = new Sequential(
      new Conv2d(1, 2, 3, { padding: 1, bias: false, dtype }),
      new BatchNorm2d(2, { dtype }),
      new ReLU(),
      new MaxPool2d(2),
      new Conv2d(2, 3, 3, { dtype }),
      new ReLU(),
      new Flatten(),
      new Linear(12, 5, { dtype }),
      new LayerNorm(5, { dtype }),
      new Linear(5, 4, { bias: false, dtype }),
    );
    model.loadStateDict(network.initial);
    expect(stateDifferences(model, network.initial)).toEqual([]);
    const optimizer = new Adadelta(model.parameters(), { lr: 1 });
    for (const step of network.steps) {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(step.x), step.labels);
      loss.backward();
      expect(differences({ loss }, { loss: step.loss }, RTOL)).toEqual([]);
      const parameters = Object.fromEntries(model.namedParameters());
      expect(gradientDifferences(parameters, step.gradients, RTOL)).toEqual([]);
      optimizer.step();
      expect(stateDifferences(model, step.state)).toEqual([]);
    }
    model.eval();
    const { x, output } = network.evaluation;
    expect(differences({ output: model.forward(x) }, { output }, RTOL)).toEqual([]);
  });
});

function passDifferences(layer: Module, { x, output, cotangent, gradients, state }: Pass): string[] {
  layer.zeroGrad();
  const input = leaf(x);
  const actual = layer.forward(input);
  actual.backward(cotangent);
  const leaves = { ...Object.fromEntries(layer.namedParameters()), x: input };
  return [
    ...differences({ output: actual }, { output }, RTOL),
    ...gradientDifferences(leaves, gradients, RTOL),
    ...stateDifferences(layer, state),
  ];
}

function stateDifferences(model: Module, expected: Tensors): string[] {
  const actual = model.stateDict();
  const [names, wanted] = [Object.keys(actual).join(), Object.keys(expected).join()];
  if (names !== wanted) return [`the state dict has ${names}, torch's has ${wanted}`];
  return differences(actual, expected, RTOL);
}
