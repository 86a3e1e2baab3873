// Convolutions of TensorFlow.js with gradients: its WASM backend has none in the filter.
import * as tf from '@tensorflow/tfjs-core';

/**
 * The gradient of a convolution with padding 2 in its 5 × 5 filter [5, 5, C, O], from x [N, H, W, C] and
 * g [N, H, W, O]: itself a convolution, of x by g over H and W, in which images and channels change places. The sum
 * of 25 products that it can be written as as well takes ten times as long.
 */
export function filterGradient(x, g) {
  const images = tf.transpose(x, [3, 1, 2, 0]);
  const filter = tf.transpose(g, [1, 2, 0, 3]);
  return tf.transpose(tf.conv2d(images, filter, 1, 2), [1, 2, 0, 3]);
}

/** The gradient of the same in its input: the convolution of g by the filter turned round. */
export function inputGradient(g, filter) {
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(g, turned, 1, 2);
}

function biasGradient(g) {
  return tf.sum(g, [0, 1, 2]);
}

export function convolution(x, filter, bias, activation = 'linear') {
  return tf.fused.conv2d({ x, filter, bias, strides: 1, pad: 2, activation });
}

/** A convolution of data, which needs no gradient. */
export function firstConvolution(x, filter, bias) {
  const apply = tf.customGrad((own, offset) => ({
    value: convolution(x, own, offset),
    gradFunc: (g) => [filterGradient(x, g), biasGradient(g)],
  }));
  return apply(filter, bias);
}

export const secondConvolution = tf.customGrad((x, filter, bias, save) => {
  save([x, filter]);
  return {
    value: convolution(x, filter, bias),
    gradFunc: (g, [savedX, savedFilter]) => [
      inputGradient(g, savedFilter),
      filterGradient(savedX, g),
      biasGradient(g),
    ],
  };
});
