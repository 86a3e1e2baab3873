// The reference network in TensorFlow.js on its WASM backend, on one thread: in Node it has no more.
//
// What it lacks is replaced by what there is, in its favour. No filter gradient of a convolution: written in tfjsConvolution.mjs. No
// triangular solve or Cholesky: the head whitens by a product, z = W(x − μ) with W lower triangular, and has the
// formulas of gmml's default head with W in the place of L⁻¹. Images are [N, H, W, C], the only layout there is.
import * as tf from '@tensorflow/tfjs-core';
import { version_wasm as version } from '@tensorflow/tfjs-backend-wasm';
// oxlint-disable-next-line import/no-unassigned-import -- registers the gradients, which tfjs-core lacks in Node
import '@tensorflow/tfjs-layers';
import {
  convolution,
  filterGradient,
  firstConvolution,
  inputGradient,
  secondConvolution,
} from './tfjsConvolution.mjs';
import { BATCH, classes, isStart, manyPixels, measure, measureStart, normals, report } from './measure.mjs';

const N_CLASS = 10;
const D = 128;
const SCALE_FLOOR = 1e-3;
const SPREAD = 0.25;

function random(shape, scale = 1) {
  const values = normals(shape.reduce((product, n) => product * n, 1));
  return tf.tensor(scale === 1 ? values : values.map((x) => x * scale), shape);
}

/** The network's variables and constants. */
function network() {
  const variable = (shape, scale) => tf.variable(random(shape, scale));
  const eye = tf.eye(D);
  const indices = tf.range(0, D);
  return {
    filter1: variable([5, 5, 1, 16], 1 / 5),
    bias1: variable([16], 1 / 5),
    filter2: variable([5, 5, 16, 32], 1 / 20),
    bias2: variable([32], 1 / 20),
    weight: variable([32 * 7 * 7, D], 1 / 40),
    bias: variable([D], 1 / 40),
    mean: variable([N_CLASS, 1, D]),
    sigma: tf.variable(
      tf.tile(tf.expandDims(tf.mul(eye, Math.log(Math.expm1(1 / SPREAD))), 0), [N_CLASS, 1, 1]),
    ),
    omega: variable([N_CLASS, 1]),
    logTemperature: tf.variable(tf.scalar(-0.5 * Math.log(D))),
    eye,
    below: tf.div(tf.cast(tf.greater(tf.expandDims(indices, 1), indices), 'float32'), Math.sqrt(D)),
    projection: random([D, D], 1 / Math.sqrt(D)),
  };
}

/** What the head makes of its free parameters: the factors W [N, D, D], the logs of their determinants and the weights [N, 1]. */
function mixture({ sigma, omega, eye, below }) {
  const diagonal = tf.add(tf.softplus(tf.sum(tf.mul(sigma, eye), 2)), SCALE_FLOOR);
  const factor = tf.add(tf.mul(sigma, below), tf.mul(tf.expandDims(diagonal, 2), eye));
  return { factor, logDet: tf.sum(tf.log(diagonal), 1, true), logWeights: tf.logSoftmax(omega) };
}

/** Features [B, D] to log-posteriors [B, N]. */
function head({ mean, logTemperature, projection }, { factor, logDet, logWeights }, features) {
  const difference = tf.sub(tf.expandDims(tf.matMul(features, projection), 0), mean);
  const z = tf.matMul(difference, factor, false, true);
  const logNormalizer = tf.sub((D / 2) * Math.log(2 * Math.PI), logDet);
  const logProb = tf.sub(tf.mul(tf.sum(tf.square(z), 2), -0.5), logNormalizer);
  // One component a class: the sum over components is over the middle dimension, of size 1.
  const logLikelihood = tf.logSumExp(tf.expandDims(tf.add(logProb, logWeights), 1), 1);
  return tf.logSoftmax(tf.transpose(tf.mul(logLikelihood, tf.exp(logTemperature))));
}

/** Images [B, 28, 28, 1] to features [B, D], recorded for gradients. */
function body(net, images) {
  const half = tf.relu(tf.maxPool(firstConvolution(images, net.filter1, net.bias1), 2, 2, 0));
  const quarter = tf.relu(tf.maxPool(secondConvolution(half, net.filter2, net.bias2), 2, 2, 0));
  return tf.add(tf.matMul(tf.reshape(quarter, [-1, 32 * 7 * 7]), net.weight), net.bias);
}

/** Images [B, 28, 28, 1] to log-posteriors [B, N], recorded for gradients. */
function forward(net, images) {
  return head(net, mixture(net), body(net, images));
}

/** As gmml's network starts: features with a spread of 1/4, means around them. */
function start(net, images) {
  tf.tidy(() => {
    const features = body(net, images);
    const { mean, variance } = tf.moments(features, 0);
    const factor = tf.div(SPREAD, tf.mean(tf.sqrt(variance)));
    for (const parameter of [net.weight, net.bias]) parameter.assign(tf.mul(parameter, factor));
    const centre = tf.matMul(tf.expandDims(tf.mul(mean, factor), 0), net.projection);
    net.mean.assign(tf.add(random([N_CLASS, 1, D], SPREAD / 4), centre));
  });
}

/** The same without gradients, with activations inside the convolutions and the mixture made before. */
function infer(net, made, images) {
  const half = tf.maxPool(convolution(images, net.filter1, net.bias1, 'relu'), 2, 2, 0);
  const quarter = tf.maxPool(convolution(half, net.filter2, net.bias2, 'relu'), 2, 2, 0);
  const features = tf.add(tf.matMul(tf.reshape(quarter, [-1, 32 * 7 * 7]), net.weight), net.bias);
  return head(net, made, features);
}

/** Trains a new network, a batch a step, out of images [M, 28, 28, 1]. */
function training(images) {
  const net = network();
  start(net, tf.slice(images, [0, 0, 0, 0], [BATCH, 28, 28, 1]));
  // Its Adadelta divides by the average from before the gradient came in: the first step is the whole gradient, from
  // which training does not come back at a rate of 1. A step takes as long at any rate.
  const optimizer = tf.train.adadelta(1e-3, 0.9, 1e-6);
  const batches = Math.floor(images.shape[0] / BATCH);
  const labels = tf.oneHot(tf.tensor1d(classes(batches * BATCH), 'int32'), N_CLASS);
  let next = 0;
  const step = () =>
    tf.tidy(() => {
      const at = (next++ % batches) * BATCH;
      const batch = tf.slice(images, [at, 0, 0, 0], [BATCH, 28, 28, 1]);
      const target = tf.cast(tf.slice(labels, [at, 0], [BATCH, N_CLASS]), 'float32');
      const loss = () => tf.neg(tf.mean(tf.sum(tf.mul(target, forward(net, batch)), 1)));
      return optimizer.minimize(loss, true).dataSync()[0];
    });
  return { net, step };
}

async function measureNetwork() {
  const { net, step } = training(random([16 * BATCH, 28, 28, 1]));
  await measure('step', step);
  const made = tf.tidy(() => mixture(net));
  for (const batch of [1, 64]) {
    const images = random([batch, 28, 28, 1]);
    // oxlint-disable-next-line no-await-in-loop -- one measurement after another
    await measure(`inference${batch}`, () => compute(() => infer(net, made, images)));
  }
}

/** Computes and forgets the result. */
function compute(run) {
  tf.tidy(() => {
    run();
  });
}

async function measureMatmul(n) {
  const a = random([n, n]);
  const b = random([n, n]);
  await measure(`matmul${n}`, () => compute(() => tf.matMul(a, b)));
}

async function measureConvolution(name, c, side, o) {
  const x = random([BATCH, side, side, c]);
  const filter = random([5, 5, c, o]);
  const bias = random([o]);
  const g = random([BATCH, side, side, o]);
  await measure(`${name}Forward`, () => compute(() => convolution(x, filter, bias)));
  await measure(`${name}InputGradient`, () => compute(() => inputGradient(g, filter)));
  await measure(`${name}WeightGradient`, () => compute(() => filterGradient(x, g)));
}

await tf.setBackend('wasm');
if (isStart) {
  await measureStart(training(tf.reshape(tf.tensor(manyPixels()), [-1, 28, 28, 1])).step);
} else {
  await measureNetwork();
  // oxlint-disable-next-line no-await-in-loop -- one measurement after another
  for (const n of [256, 512, 1024]) await measureMatmul(n);
  await measureConvolution('conv1', 1, 28, 16);
  await measureConvolution('conv2', 16, 14, 32);
}
report({ version: `tfjs-wasm ${version}, Node ${process.version.slice(1)}`, threads: 1 });
process.exit(0);
