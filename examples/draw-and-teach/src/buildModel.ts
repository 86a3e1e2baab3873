// Trains the page's model and writes it, with the digits that it was trained on, beside the built page.
//
//   node examples/draw-and-teach/dist/src/buildModel.js [folder]
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadMnist, MNIST_MEAN, MNIST_STD, type LabelledImages } from '@gmml/data';
import { writeWhole } from '@gmml/nn/wholeFile';
import { useBackend } from '@gmml/tensor';
import { encodeDigits, type Digits } from './digits.js';
import { trainDigits } from './train.js';

const folder = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
fs.mkdirSync(folder, { recursive: true });
const start = performance.now();
// The same model on every machine with SIMD.
const { backend } = await useBackend('auto', { threads: 1, relaxed: false });
console.log(`backend ${backend}`);

const { train, test } = loadMnist();
const digits = { train: bytesOf(train), test: bytesOf(test) };
write('digits.bin', encodeDigits(digits));

const model = await trainDigits(
  digits,
  {},
  {
    progress: (now) => {
      if (now.stage !== 'tested') return;
      const accuracy = (100 * now.accuracy).toFixed(2);
      console.log(`epoch ${now.epoch}: loss ${now.loss.toFixed(4)}, redrawn test digits ${accuracy} %`);
    },
  },
);
write('model.safetensors', model.toSafetensors());
console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`);

/** Normalised pixels are bytes again. */
function bytesOf({ images, labels }: LabelledImages): Digits {
  return {
    pixels: Uint8Array.from(images.data, (value) => Math.round(255 * (value * MNIST_STD + MNIST_MEAN))),
    labels: Uint8Array.from(labels.data),
  };
}

function write(name: string, bytes: Uint8Array): void {
  writeWhole(fs, join(folder, name), bytes);
  console.log(`${join(folder, name)}: ${(bytes.length / 1e6).toFixed(1)} MB`);
}
