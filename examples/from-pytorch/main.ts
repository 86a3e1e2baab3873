// A network that was trained in PyTorch, here: the same predictions, side by side.
//
//   python3 examples/from-pytorch/train.py [folder]
//   node examples/dist/from-pytorch/main.js [folder]
import { join } from 'node:path';
import { gmmlFromTorch } from '@gmml/gmm/torch';
import {
  BatchNorm2d,
  Conv2d,
  Flatten,
  Linear,
  loadSafetensors,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '@gmml/nn';
import { noGrad, type Tensor } from '@gmml/tensor';

const folder = process.argv[2] ?? 'from-pytorch-model';
const { tensors: state } = loadSafetensors(join(folder, 'model.safetensors'));
const predictions = loadSafetensors(join(folder, 'predictions.safetensors')).tensors;
const { images, labels, log_posteriors: inPyTorch } = predictions;

/** The same names as in train.py, so that its state dict loads as it is. */
class Network extends Module {
  readonly features = new Sequential(
    new Conv2d(1, 8, 3, { padding: 1 }),
    new BatchNorm2d(8),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(8, 16, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(64, 16),
  );
  // Its sizes are those of the tensors 'head.mu_p', 'head.sigma_p', …; the covariance type they do not tell.
  head = gmmlFromTorch(state, { covType: 'tril', prefix: 'head.' });

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.features.forward(x));
  }
}

const network = new Network();
network.loadStateDict(state);
network.eval();
const here = noGrad(() => network.forward(images));
// The same mixture in the parametrisation that trains on from here.
network.head = network.head.toParametrization('cholesky');
const converted = noGrad(() => network.forward(images));

console.log('image  label  PyTorch            gmml               as cholesky');
for (const [row, label] of labels.data.entries()) {
  const columns = [inPyTorch, here, converted].map((each) => answer(each, row)).join('   ');
  console.log(`${String(row).padStart(5)}  ${String(label).padEnd(7)}${columns}`);
}
console.log(`largest difference of a probability: ${difference(here)}, as cholesky ${difference(converted)}`);

/** The most probable class and its probability. */
function answer(logPosteriors: Tensor, row: number): string {
  const [, classes] = logPosteriors.shape;
  const own = logPosteriors.data.slice(row * classes, (row + 1) * classes);
  const best = own.indexOf(Math.max(...own));
  return `class ${best}, ${Math.exp(own[best]).toFixed(6)}`;
}

function difference(predicted: Tensor): string {
  return predicted.exp().sub(inPyTorch.exp()).abs().max().item().toExponential(1);
}
