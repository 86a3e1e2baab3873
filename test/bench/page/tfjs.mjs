// In a page: the network of examples/draw-and-teach in TensorFlow.js on its WASM backend, trained a batch of 64 a step.
import * as tf from '@tensorflow/tfjs-core';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
// oxlint-disable-next-line import/no-unassigned-import -- registers the gradients
import '@tensorflow/tfjs-layers';
import { firstConvolution, secondConvolution } from '../contenders/tfjsConvolution.mjs';

const BATCH = 64;
const FEATURES = 128;
/** Ten digits, 80 invented characters, five digits upside down. */
const CLASSES = 95;
const SMOOTHING = 0.1;
const [WARMUP, STEPS] = [20, 150];

setThreadsCount(Number(new URLSearchParams(location.search).get('threads')));
setWasmPaths(`${location.origin}/`);
await tf.setBackend('wasm');

const variable = (shape, fanIn) =>
  tf.variable(tf.div(tf.randomUniform(shape, -1, 1, 'float32', 1), Math.sqrt(fanIn)));
const net = {
  filter1: variable([5, 5, 1, 16], 25),
  bias1: variable([16], 25),
  filter2: variable([5, 5, 16, 32], 400),
  bias2: variable([32], 400),
  weight: variable([1568, FEATURES], 1568),
  bias: variable([FEATURES], 1568),
  headWeight: variable([FEATURES, CLASSES], FEATURES),
  headBias: variable([CLASSES], FEATURES),
};
const images = tf.randomNormal([BATCH, 28, 28, 1], 0, 1, 'float32', 1);
const hot = tf.oneHot(tf.range(0, BATCH, 1, 'int32'), CLASSES);
const target = tf.add(tf.mul(hot, 1 - SMOOTHING), SMOOTHING / CLASSES);
// Its Adadelta does not come back from its first step at a rate of 1; a step takes as long at any.
const optimizer = tf.train.adadelta(1e-3, 0.9, 1e-6);

function loss() {
  const half = tf.relu(tf.maxPool(firstConvolution(images, net.filter1, net.bias1), 2, 2, 0));
  const quarter = tf.relu(tf.maxPool(secondConvolution(half, net.filter2, net.bias2), 2, 2, 0));
  const features = tf.add(tf.matMul(tf.reshape(quarter, [-1, 1568]), net.weight), net.bias);
  const scores = tf.add(tf.matMul(features, net.headWeight), net.headBias);
  return tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(scores)), 1)));
}

const step = () => tf.tidy(() => optimizer.minimize(loss, true).dataSync()[0]);

for (let i = 0; i < WARMUP; i++) step();
const start = performance.now();
for (let i = 0; i < STEPS; i++) step();
globalThis.imagesPerSecond = (1000 * STEPS * BATCH) / (performance.now() - start);
