// The GMML layer by itself: a mixture of Gaussians for each of 10 classes, in place of a linear classifier.
//
//   node examples/dist/gmm-layer/main.js
import { GMML } from '@gmml/gmm';
import { Adadelta, nllLoss } from '@gmml/nn';
import { manualSeed, randn, tensor } from '@gmml/tensor';

manualSeed(1);
const features = randn([20, 100]); // a batch of 20 feature vectors of 100 numbers
const labels = tensor(Array.from({ length: 20 }, (_, n) => n % 10)); // two of each class

// 100 features, mixtures in all 100 dimensions, 10 classes, one Gaussian each with a full covariance that is
// parametrised by its triangular factor.
const layer = new GMML(100, 100, 10, { nComponent: 1, covType: 'tril' });
const optimizer = new Adadelta(layer.parameters(), { lr: 1 });

const logPosteriors = layer.forward(features); // [20, 10]: log p(class | features)
const loss = nllLoss(logPosteriors, labels);
optimizer.zeroGrad();
loss.backward();
optimizer.step();
const lossAfter = nllLoss(layer.forward(features), labels);

const rowSums = [...logPosteriors.exp().sum(1).data];
console.log(`loss before the step: ${loss.item().toFixed(4)}`); // 2.7754
console.log(`loss after the step:  ${lossAfter.item().toFixed(4)}`); // 2.6647
console.log(`row sums: ${Math.min(...rowSums).toFixed(5)} to ${Math.max(...rowSums).toFixed(5)}`); // 1.00000 to 1.00000
