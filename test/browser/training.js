// A program for pages, workers and Node alike: three steps of training on one backend after another.
import { GMML } from '@gmml/gmm';
import { Adadelta, Conv2d, Linear, MaxPool2d, nllLoss, ReLU, Sequential } from '@gmml/nn';
import { backendReport, manualSeed, randn, scope, tensor, useBackend } from '@gmml/tensor';

const BATCH = 32;
const CLASSES = 4;

/** What came of each run. */
export async function trainOnEach(runs) {
  const trained = [];
  for (const [backend, options] of runs) {
    // oxlint-disable-next-line no-await-in-loop -- one backend computes at a time
    trained.push(await trainOn(backend, options));
  }
  return trained;
}

/** Where `useBackend` throws, the backend stays what it was. */
async function trainOn(backend, options) {
  const chosen = await useBackend(backend, options).then(
    (choice) => ({ choice }),
    (error) => ({ error: `${error.name}: ${error.message}` }),
  );
  const losses = threeSteps();
  return { ...chosen, losses, fused: multipliesAndAddsAtOnce(), report: backendReport() };
}

/** The losses. Both convolutions are shared between threads, and minimal filtering does the second. */
function threeSteps() {
  manualSeed(7);
  const body = new Sequential(
    new Conv2d(1, 16, 5, { padding: 2 }),
    new MaxPool2d(2),
    new ReLU(),
    new Conv2d(16, 16, 5, { padding: 2 }),
    new MaxPool2d(2),
    new ReLU(),
  );
  const linear = new Linear(16 * 5 * 5, 24);
  const head = new GMML(24, 24, CLASSES, { covType: 'tril' });
  const optimizer = new Adadelta([body, linear, head].flatMap((part) => [...part.parameters()]));
  const images = randn([BATCH, 1, 20, 20]);
  const labels = tensor(Array.from({ length: BATCH }, (_, n) => n % CLASSES));
  const step = () =>
    scope(() => {
      optimizer.zeroGrad();
      const loss = nllLoss(head.forward(linear.forward(body.forward(images).flatten(1))), labels);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  return [step(), step(), step()];
}

/** Whether a product is added without being rounded: 1 + 2⁻¹² squared is 1 + 2⁻¹¹ + 2⁻²⁴, float32 has no such number. */
function multipliesAndAddsAtOnce() {
  const rounded = 1 + 2 ** -11;
  const factor = 1 + 2 ** -12;
  return (
    tensor([[1, factor]])
      .matmul(tensor([[-rounded], [factor]]))
      .item() !== 0
  );
}
