// gmml itself, as built in packages/*/dist: the reference network with the head that is projected always.
import { ReferenceNetwork } from '@gmml/cli';
import { DataLoader, loadMnist } from '@gmml/data';
import { GMML } from '@gmml/gmm';
import { Adadelta, Buffer, nllLoss } from '@gmml/nn';
import {
  cholesky,
  conv2d,
  manualSeed,
  noGrad,
  ones,
  scope,
  tensor,
  triangularSolve,
  useBackend,
  zeros,
} from '@gmml/tensor';
import { kernels } from '@gmml/tensor/kernels';
import { measureFits } from './fits.mjs';
import {
  BATCH,
  classes,
  isStart,
  measure,
  measureStart,
  normals,
  report,
  threads,
  wanted,
} from './measure.mjs';

const N_CLASS = 10;
const D = 128;

class Network extends ReferenceNetwork {
  constructor() {
    super();
    this.head = new GMML(D, D, N_CLASS, { covType: 'tril', projection: 'always' });
  }
}

function random(shape) {
  return tensor(normals(shape.reduce((product, n) => product * n, 1)), { shape });
}

/** Random numbers that lie where the kernels compute, as those in the middle of a network do. */
function resident(shape) {
  return new Buffer(random(shape));
}

/** Trains a new network, a batch of the digits a step. */
function training(digits, batches) {
  const network = new Network();
  network.initHead(digits);
  const optimizer = new Adadelta(network.parameters(), { lr: 1 });
  const step = () =>
    scope(() => {
      const [images, labels] = batches.next().value;
      optimizer.zeroGrad();
      const loss = nllLoss(network.forward(images), labels);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  return { network, step };
}

/** Batches of the digits without end, made when they are asked for. */
function* batchesOf(digits) {
  for (;;) {
    for (const batch of new DataLoader(digits, { batchSize: BATCH, shuffle: true })) {
      if (batch[1].size === BATCH) yield batch;
    }
  }
}

/** The same batches round and round. */
function* cycle(batches) {
  for (;;) yield* batches;
}

async function measureNetwork() {
  const images = 16 * BATCH;
  const digits = { images: random([images, 1, 28, 28]), labels: tensor(classes(images)) };
  const batches = [...new DataLoader(digits, { batchSize: BATCH })];
  const { network, step } = training(digits, cycle(batches));
  await measure('step', step);
  network.eval();
  for (const batch of [1, 64]) {
    const some = random([batch, 1, 28, 28]);
    // oxlint-disable-next-line no-await-in-loop -- one measurement after another
    await measure(`inference${batch}`, () => compute(() => network.forward(some)));
  }
}

/** Computes without recording and forgets the result. */
function compute(run) {
  scope(() => {
    noGrad(run);
  });
}

async function measureMatmul(n) {
  const a = resident([n, n]);
  const b = resident([n, n]);
  await measure(`matmul${n}`, () => compute(() => a.matmul(b)));
}

async function measureConvolution(name, c, side, o) {
  const x = resident([BATCH, c, side, side]);
  const weight = resident([o, c, 5, 5]);
  const bias = resident([o]);
  await measure(`${name}Forward`, () => compute(() => conv2d(x, weight, { bias, padding: 2 })));
  // Each gradient by itself, as the public interface does not: the routines, on arrays that tensors hold.
  const g = resident([BATCH, o, side, side]);
  const dx = new Buffer(zeros(x.shape));
  const dw = new Buffer(zeros(weight.shape));
  const sizes = {
    n: BATCH,
    c,
    h: side,
    w: side,
    o,
    outH: side,
    outW: side,
    kernelH: 5,
    kernelW: 5,
    padH: 2,
    padW: 2,
    strideH: 1,
    strideW: 1,
    dilationH: 1,
    dilationW: 1,
  };
  await measure(`${name}InputGradient`, () =>
    kernels().conv2dInputGradient(g.data, weight.data, sizes, dx.data),
  );
  await measure(`${name}WeightGradient`, () =>
    kernels().conv2dWeightGradient(g.data, x.data, sizes, dw.data),
  );
}

async function measureFactors() {
  const a = resident([N_CLASS, D, D]);
  const covariance = new Buffer(
    a
      .matmul(a, { transposeB: true })
      .div(D)
      .add(ones([D]).diagEmbed()),
  );
  const factor = new Buffer(cholesky(covariance));
  for (const columns of [64, 1024]) {
    const right = resident([N_CLASS, D, columns]);
    // oxlint-disable-next-line no-await-in-loop -- one measurement after another
    await measure(`solve${columns}`, () => compute(() => triangularSolve(factor, right)));
  }
  await measure('cholesky', () => compute(() => cholesky(covariance)));
}

manualSeed(1);
const backend = await useBackend('auto', { threads });
if (isStart) {
  const { train } = loadMnist();
  await measureStart(training(train, batchesOf(train)).step);
} else {
  await measureNetwork();
  for (const n of [256, 512, 1024]) {
    // oxlint-disable-next-line no-await-in-loop -- one measurement after another
    if (wanted.has(`matmul${n}`)) await measureMatmul(n);
  }
  await measureConvolution('conv1', 1, 28, 16);
  await measureConvolution('conv2', 16, 14, 32);
  await measureFactors();
  await measureFits();
}
report({ version: `gmml on ${backend.backend}, Node ${process.version.slice(1)}`, threads: backend.threads });
process.exit(0);
