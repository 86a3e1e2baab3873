import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  LayerNorm,
  Linear,
  MaxPool2d,
  ReLU,
  type Module,
} from '@gmml/nn';
import { ArgumentError, ones, zeros } from '@gmml/tensor';
import type { Value } from './graph.js';
import { hasForwardOf } from './model.js';
import type { Place } from './place.js';
import { windowSizes } from './windows.js';

/** The value of a layer in evaluation mode for x. */
export type Form = (at: Place, x: Value) => Value;

/** A layer as ONNX operators; null where it has no form, or a forward of its own. */
export function formOf(layer: Module): Form | null {
  if (layer instanceof Linear && hasForwardOf(layer, Linear)) return linear(layer);
  if (layer instanceof Conv2d && hasForwardOf(layer, Conv2d)) return conv2d(layer);
  if (layer instanceof MaxPool2d && hasForwardOf(layer, MaxPool2d)) return maxPool2d(layer);
  if (layer instanceof BatchNorm2d && hasForwardOf(layer, BatchNorm2d)) return batchNorm2d(layer);
  if (layer instanceof LayerNorm && hasForwardOf(layer, LayerNorm)) return layerNorm(layer);
  if (layer instanceof Flatten && hasForwardOf(layer, Flatten)) return flatten(layer);
  if (layer instanceof ReLU && hasForwardOf(layer, ReLU)) return relu;
  if (layer instanceof Dropout && hasForwardOf(layer, Dropout)) return asItIs;
  return null;
}

const asItIs: Form = (_, x) => x;

const relu: Form = (at, x) => ({ name: at.node('Relu', [x.name], 'Relu'), shape: x.shape });

function linear({ inFeatures, outFeatures, weight, bias }: Linear): Form {
  return (at, x) => {
    at.checkShape(x, x.shape.at(-1) === inFeatures, `[N, ..., ${inFeatures}]`);
    const shape = [...x.shape.slice(0, -1), outFeatures];
    const w = at.parameter('weight', weight);
    const b = bias === null ? [] : [at.parameter('bias', bias)];
    if (shape.length === 1) return { name: at.node('Gemm', [x.name, w, ...b], 'Gemm', { transB: 1 }), shape };
    const columns = at.node('Transpose', [w], 'columns', { perm: [1, 0] });
    const product = at.node('MatMul', [x.name, columns], 'MatMul');
    return { name: bias === null ? product : at.node('Add', [product, ...b], 'Add'), shape };
  };
}

function conv2d(layer: Conv2d): Form {
  const { inChannels, outChannels, kernelSize, stride, padding, dilation, weight, bias } = layer;
  return (at, x) => {
    at.checkShape(x, x.shape.length === 3 && x.shape[0] === inChannels, `[N, ${inChannels}, H, W]`);
    const sizes = windowSizes(at, x, { kernelSize, stride, padding, dilation });
    const inputs = [x.name, at.parameter('weight', weight)];
    if (bias !== null) inputs.push(at.parameter('bias', bias));
    const attributes = {
      kernel_shape: kernelSize,
      strides: stride,
      pads: [...padding, ...padding],
      dilations: dilation,
    };
    return { name: at.node('Conv', inputs, 'Conv', attributes), shape: [outChannels, ...sizes] };
  };
}

function maxPool2d({ kernelSize, stride, padding }: MaxPool2d): Form {
  return (at, x) => {
    at.checkShape(x, x.shape.length === 3, '[N, C, H, W]');
    const sizes = windowSizes(at, x, { kernelSize, stride, padding, dilation: [1, 1] });
    const attributes = { kernel_shape: kernelSize, strides: stride, pads: [...padding, ...padding] };
    return { name: at.node('MaxPool', [x.name], 'MaxPool', attributes), shape: [x.shape[0], ...sizes] };
  };
}

function batchNorm2d(layer: BatchNorm2d): Form {
  const { numFeatures, eps, weight, bias, runningMean, runningVar } = layer;
  return (at, x) => {
    at.checkShape(x, x.shape.length === 3 && x.shape[0] === numFeatures, `[N, ${numFeatures}, H, W]`);
    if (runningMean === null || runningVar === null) {
      throw new ArgumentError(
        `toOnnx: ${at.title} must have running statistics: it has none, so that an answer would depend on the other inputs of its batch. Build it with trackRunningStats.`,
      );
    }
    const inputs = [
      x.name,
      at.parameter('weight', weight ?? ones([numFeatures])),
      at.parameter('bias', bias ?? zeros([numFeatures])),
      at.parameter('running_mean', runningMean),
      at.parameter('running_var', runningVar),
    ];
    const attributes = { epsilon: { float: eps } };
    return { name: at.node('BatchNormalization', inputs, 'BatchNormalization', attributes), shape: x.shape };
  };
}

function layerNorm({ normalizedShape, eps, weight, bias }: LayerNorm): Form {
  return (at, x) => {
    const skip = x.shape.length - normalizedShape.length;
    const fits = skip >= 0 && normalizedShape.every((size, i) => size === x.shape[skip + i]);
    at.checkShape(x, fits, `[N, ..., ${normalizedShape.join(', ')}]`);
    const inputs = [x.name, at.parameter('weight', weight ?? ones(normalizedShape))];
    if (bias !== null) inputs.push(at.parameter('bias', bias));
    const attributes = { axis: -normalizedShape.length, epsilon: { float: eps } };
    return { name: at.node('LayerNormalization', inputs, 'LayerNormalization', attributes), shape: x.shape };
  };
}

function flatten({ startDim, endDim }: Flatten): Form {
  return (at, x) => {
    const ndim = x.shape.length + 1;
    const [first, last] = [startDim, endDim].map((dim) => (dim < 0 ? dim + ndim : dim));
    at.checkShape(
      x,
      first > 0 && first <= last && last < ndim,
      `dimensions ${startDim} to ${endDim} after the batch`,
    );
    if (first === last) return x;
    const before = x.shape.slice(0, first - 1);
    const joined = x.shape.slice(first - 1, last).reduce((product, size) => product * size, 1);
    const shape = [...before, joined, ...x.shape.slice(last)];
    const name =
      shape.length === 1 ? at.node('Flatten', [x.name], 'Flatten', { axis: 1 }) : at.reshape(x.name, shape);
    return { name, shape };
  };
}
