// A convolutional network with a Gaussian mixture head, trained on the embedded handwritten digits.
//
//   node examples/dist/mnist/main.js --epochs 3
//   node examples/dist/mnist/main.js --linear-classifier      a linear head in place of the mixture
//   node examples/dist/mnist/main.js --limit 1000             only 1,000 training digits, to be done sooner
import { parseArgs } from 'node:util';
import { DataLoader, loadMnist } from '@gmml/data';
import { GMML } from '@gmml/gmm';
import { Adadelta, Conv2d, Linear, Module, nllLoss, StepLR } from '@gmml/nn';
import { manualSeed, maxPool2d, noGrad, scope, useBackend } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';

class Network extends Module {
  readonly conv1 = new Conv2d(1, 16, 5, { padding: 2 });
  readonly conv2 = new Conv2d(16, 32, 5, { padding: 2 });
  readonly linear = new Linear(32 * 7 * 7, 128);
  readonly head: GMML | Linear;

  constructor(linearClassifier: boolean) {
    super();
    this.head = linearClassifier ? new Linear(128, 10) : new GMML(128, 128, 10, { covType: 'tril' });
  }

  /** Images [B, 1, 28, 28] to features [B, 128]. */
  features(images: Tensor): Tensor {
    const half = maxPool2d(this.conv1.forward(images).relu(), { kernelSize: 2 }); // [B, 16, 14, 14]
    const quarter = maxPool2d(this.conv2.forward(half).relu(), { kernelSize: 2 }); // [B, 32, 7, 7]
    return this.linear.forward(quarter.flatten(1));
  }

  /** Images [B, 1, 28, 28] to log-posteriors [B, 10]. */
  override forward(images: Tensor): Tensor {
    const scores = this.head.forward(this.features(images));
    return this.head instanceof GMML ? scores : scores.logSoftmax(1); // a mixture's posteriors are normalised
  }
}

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '1' },
    limit: { type: 'string' },
    'linear-classifier': { type: 'boolean', default: false },
  },
});
const epochs = Number(values.epochs);
if (!Number.isInteger(epochs)) throw new RangeError(`--epochs must be an integer: it is '${values.epochs}'.`);

manualSeed(1);
const { backend, threads } = await useBackend('auto');
console.log(`backend ${backend}, threads ${threads}`);

const { train, test } = loadMnist();
const everything = new DataLoader(train, {
  batchSize: Number(values.limit ?? train.labels.size),
  shuffle: true,
});
const [[images, labels]] = everything; // the first N of the shuffled digits
const trainLoader = new DataLoader({ images, labels }, { batchSize: 64, shuffle: true });
const testLoader = new DataLoader(test, { batchSize: 1000 });

const network = new Network(values['linear-classifier']);
const { head } = network;
if (head instanceof GMML) {
  // Start at the class means of the untrained features. Adadelta moves features by about 1 in its first steps,
  // so the linear layer is scaled first: one standard deviation of a feature becomes 1/4.
  const sample = Math.min(2000, labels.size);
  const start = () =>
    head.initFromData(network.features(images.slice(0, 0, sample)), labels.slice(0, 0, sample));
  noGrad(() => {
    start();
    const spread = head.covariances().diagonal().sqrt().mean();
    for (const parameter of network.linear.parameters()) parameter.copyFrom(parameter.div(spread).mul(0.25));
    start();
  });
}
const optimizer = new Adadelta(network.parameters(), { lr: 1 });
const scheduler = new StepLR(optimizer, { stepSize: 1, gamma: 0.7 });

for (let epoch = 1; epoch <= epochs; epoch++) {
  let lossSum = 0;
  for (const [x, y] of trainLoader) {
    // The memory of the step's tensors is used again by the next.
    lossSum += scope(() => {
      optimizer.zeroGrad();
      const loss = nllLoss(network.forward(x), y);
      loss.backward();
      optimizer.step();
      return loss.item() * y.size;
    });
  }
  scheduler.step();

  let correct = 0;
  for (const [x, y] of testLoader) {
    correct += scope(() => noGrad(() => network.forward(x).argmax(1).equal(y).sum().item()));
  }
  const trainLoss = (lossSum / labels.size).toFixed(4);
  const accuracy = ((100 * correct) / test.labels.size).toFixed(2);
  console.log(`epoch ${epoch}: train loss ${trainLoss}, test accuracy ${accuracy} %`);
}
