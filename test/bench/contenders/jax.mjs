// The reference network in jax-js on its WASM backend, compiled by its jit.
//
// jax-js has a triangular solve with a gradient, but its jit (0.1.25) refuses the gradient: "routine primitive
// triangular_solve input is not imm". So that the whole step is one compiled function, the head whitens by a product as
// in tfjs.mjs. A function frees what it is given: every use of an array but the last takes a reference of its own.
import { readFileSync } from 'node:fs';
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
  vjp,
} from '@jax-js/jax';
import { BATCH, classes, isStart, manyPixels, measure, measureStart, normals, report } from './measure.mjs';

const N_CLASS = 10;
const D = 128;
const SCALE_FLOOR = 1e-3;
const PADDING = [
  [2, 2],
  [2, 2],
];
const RHO = 0.9;
const EPS = 1e-6;

function random(shape, scale = 1) {
  const values = normals(shape.reduce((product, n) => product * n, 1));
  return np.array(scale === 1 ? values : values.map((x) => x * scale)).reshape(shape);
}

function parameters() {
  const unit = Math.log(Math.expm1(1 - SCALE_FLOOR));
  const sigma = new Float32Array(N_CLASS * D * D);
  for (let k = 0; k < N_CLASS; k++) for (let i = 0; i < D; i++) sigma[(k * D + i) * D + i] = unit;
  return {
    weight1: random([16, 1, 5, 5], 1 / 5),
    bias1: random([16], 1 / 5),
    weight2: random([32, 16, 5, 5], 1 / 20),
    bias2: random([32], 1 / 20),
    weight: random([32 * 7 * 7, D], 1 / 40),
    bias: random([D], 1 / 40),
    mean: random([N_CLASS, 1, D], 0.1),
    sigma: np.array(sigma).reshape([N_CLASS, D, D]),
    omega: np.zeros([N_CLASS, 1]),
    logTemperature: np.array(new Float32Array([-0.5 * Math.log(D)])),
  };
}

function convolution(x, weight, bias) {
  const product = lax.convGeneralDilated(x, weight, [1, 1], PADDING);
  return product.add(bias.reshape([1, -1, 1, 1]));
}

/** Max-pool 2 as a maximum over two dimensions of a reshape. */
function maxPool(x) {
  const [n, c, h, w] = x.shape;
  return np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

/** What the head makes of its free parameters: factors W [N, D, D], the logs of their determinants and the weights [N, 1]. */
function mixture(sigma, omega) {
  const diagonal = nn.softplus(np.diagonal(sigma.ref, 0, 1, 2)).add(SCALE_FLOOR);
  const below = np.tril(sigma, -1).mul(1 / Math.sqrt(D));
  const factor = below.add(diagonal.ref.reshape([N_CLASS, D, 1]).mul(np.eye(D)));
  const logDet = np.log(diagonal).sum(1).reshape([N_CLASS, 1]);
  return [factor, logDet, nn.logSoftmax(omega, 1)];
}

function forward(p, [factor, logDet, logWeights], projection, images) {
  const half = nn.relu(maxPool(convolution(images, p.weight1, p.bias1)));
  const quarter = nn.relu(maxPool(convolution(half, p.weight2, p.bias2)));
  const features = np.matmul(quarter.reshape([-1, 32 * 7 * 7]), p.weight).add(p.bias);
  const inside = np.matmul(features, projection);
  const difference = inside.reshape([1, -1, D]).sub(p.mean);
  const z = np.matmul(difference, np.transpose(factor, [0, 2, 1]));
  const logProb = np
    .square(z)
    .sum(2)
    .mul(-0.5)
    .add(logDet)
    .sub((D / 2) * Math.log(2 * Math.PI));
  const joint = logProb.add(logWeights).reshape([N_CLASS, 1, -1]);
  const logLikelihood = np.transpose(nn.logsumexp(joint, 1));
  return nn.logSoftmax(logLikelihood.mul(np.exp(p.logTemperature)), 1);
}

function loss({ sigma, omega, ...p }, projection, images, target) {
  const logPosterior = forward(p, mixture(sigma, omega), projection, images);
  return logPosterior
    .mul(target)
    .sum()
    .mul(-1 / BATCH);
}

/** One step of Adadelta for one parameter: the parameter and both running averages. */
function adadelta(parameter, g, squares, deltas) {
  const newSquares = squares.mul(RHO).add(np.square(g.ref).mul(1 - RHO));
  const delta = np
    .sqrt(deltas.ref.add(EPS))
    .div(np.sqrt(newSquares.ref.add(EPS)))
    .mul(g);
  const newDeltas = deltas.mul(RHO).add(np.square(delta.ref).mul(1 - RHO));
  return [parameter.sub(delta), newSquares, newDeltas];
}

const trainStep = jit((p, squares, deltas, projection, images, target) => {
  const [value, gradients] = valueAndGrad(loss)(tree.ref(p), projection, images, target);
  const names = Object.keys(p);
  const updated = names.map((name) => adadelta(p[name], gradients[name], squares[name], deltas[name]));
  const collect = (which) => Object.fromEntries(names.map((name, i) => [name, updated[i][which]]));
  return [value, collect(0), collect(1), collect(2)];
});

/** Trains a new network, a batch a step, out of images [M, 1, 28, 28]. */
function train(images) {
  const batches = Math.floor(images.shape[0] / BATCH);
  const projection = random([D, D], 1 / Math.sqrt(D));
  let p = parameters();
  let squares = tree.map((x) => np.zeros(x.shape), p);
  let deltas = tree.map((x) => np.zeros(x.shape), p);
  let next = 0;
  const step = async () => {
    const at = (next++ % batches) * BATCH;
    const batch = images.ref.slice([at, at + BATCH]);
    const labels = np.array(Int32Array.from(classes(BATCH)), { dtype: np.int32 });
    let value;
    [value, p, squares, deltas] = trainStep(
      p,
      squares,
      deltas,
      projection.ref,
      batch,
      nn.oneHot(labels, N_CLASS),
    );
    await blockUntilReady(p);
    const [number] = await value.data();
    return number;
  };
  return { step };
}

async function measureNetwork() {
  const training = train(random([4 * BATCH, 1, 28, 28]));
  await measure('step', training.step);
  const { sigma, omega, ...p } = parameters();
  const made = jit(mixture)(sigma, omega);
  const projection = random([D, D], 1 / Math.sqrt(D));
  const infer = jit(forward);
  for (const batch of [1, 64]) {
    const images = random([batch, 1, 28, 28]);
    // oxlint-disable-next-line no-await-in-loop -- one measurement after another
    await measureJit(`inference${batch}`, infer, [p, made, projection, images]);
  }
}

/** Times a compiled function until its result is there; it gets references, so that its arguments live on. */
async function measureJit(name, run, args) {
  await measure(name, async () => {
    const result = run(...tree.ref(args));
    await blockUntilReady(result);
    tree.dispose(result);
  });
}

async function measureConvolution(name, c, side, o) {
  const x = random([BATCH, c, side, side]);
  const weight = random([o, c, 5, 5]);
  const bias = random([o]);
  const g = random([BATCH, o, side, side]);
  const product = (a, b) => lax.convGeneralDilated(a, b, [1, 1], PADDING);
  const inX = jit((a, b, gradient) => vjp((own) => product(own, b), [a])[1](gradient)[0]);
  const inWeight = jit((a, b, gradient) => vjp((own) => product(a, own), [b])[1](gradient)[0]);
  await measureJit(`${name}Forward`, jit(convolution), [x, weight, bias]);
  await measureJit(`${name}InputGradient`, inX, [x, weight, g]);
  await measureJit(`${name}WeightGradient`, inWeight, [x, weight, g]);
}

async function measureFactors() {
  const a = random([N_CLASS, D, D]);
  const product = np.matmul(a.ref, np.transpose(a, [0, 2, 1]));
  const covariance = product.mul(1 / D).add(np.eye(D));
  const factor = lax.linalg.cholesky(covariance.ref);
  const solve = (l, right) => lax.linalg.triangularSolve(l, right, { leftSide: true, lower: true });
  for (const columns of [64, 1024]) {
    // oxlint-disable-next-line no-await-in-loop -- one measurement after another
    await measureJit(`solve${columns}`, solve, [factor, random([N_CLASS, D, columns])]);
  }
  await measureJit('cholesky', (x) => lax.linalg.cholesky(x), [covariance]);
}

await init('wasm');
defaultDevice('wasm');
if (isStart) {
  const pixels = manyPixels();
  await measureStart(train(np.array(pixels).reshape([-1, 1, 28, 28])).step, 3);
} else {
  await measureNetwork();
  for (const n of [256, 512, 1024]) {
    // oxlint-disable-next-line no-await-in-loop -- one measurement after another
    await measureJit(`matmul${n}`, jit(np.matmul), [random([n, n]), random([n, n])]);
  }
  await measureConvolution('conv1', 1, 28, 16);
  await measureConvolution('conv2', 16, 14, 32);
  await measureFactors();
}
const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
report({ version: `jax-js ${dependencies['@jax-js/jax']}, Node ${process.version.slice(1)}`, threads: 1 });
process.exit(0);
