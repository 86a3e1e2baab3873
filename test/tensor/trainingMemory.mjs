// What trainingMemory.test.ts runs as a process of its own: trains a small network, and after each 25th of the steps collects
// garbage and notes how much memory is resident. Prints that and two losses as JSON.
//   node --expose-gc trainingMemory.mjs <backend> <steps to warm up> <steps> <scopes | plain>
import { Adam, Conv2d, crossEntropy, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@gmml/nn';
import { manualSeed, randn, scope, tensor, useBackend } from '@gmml/tensor';

const [backend, warmUp, steps, mode] = process.argv.slice(2);
const within = mode === 'scopes' ? scope : (fn) => fn();

await useBackend(backend);
manualSeed(1);
const model = new Sequential(
  new Conv2d(1, 4, 3),
  new ReLU(),
  new MaxPool2d(2),
  new Flatten(),
  new Linear(36, 32),
  new ReLU(),
  new Linear(32, 10),
);
const optimizer = new Adam(model.parameters(), { lr: 1e-4 });
const images = randn([16, 1, 8, 8]);
const labels = tensor(Array.from({ length: 16 }, (_, n) => n % 10));

/** One step; the loss before it. */
function step() {
  return within(() => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    return loss.item();
  });
}

const firstLoss = step();
for (let i = 1; i < Number(warmUp); i++) step();
const warmLoss = step();
const residentBytes = [];
for (let part = 0; part < 25; part++) {
  for (let i = 0; i < Number(steps) / 25; i++) step();
  globalThis.gc();
  residentBytes.push(process.memoryUsage.rss());
}
console.log(JSON.stringify({ firstLoss, warmLoss, residentBytes }));
