import { Generator } from '@gmml/tensor';
import { folderOf, idxBytes } from '../data/idxFiles.js';

/**
 * A folder with 80 training and 20 test "digits" that a network learns in a few steps: class c has a bright bar in
 * rows 2 c + 4 and 2 c + 5, under noise. It goes away with the running test.
 */
export function tinyDigits(): string {
  const generator = new Generator(5);
  const train = Array.from({ length: 80 }, (_, n) => n % 10);
  const test = Array.from({ length: 20 }, (_, n) => n % 10);
  return folderOf({
    'train-images-idx3-ubyte': images(train, generator),
    'train-labels-idx1-ubyte': idxBytes(8, [train.length], train),
    't10k-images-idx3-ubyte': images(test, generator),
    't10k-labels-idx1-ubyte': idxBytes(8, [test.length], test),
  });
}

function images(labels: readonly number[], generator: Generator): Uint8Array {
  const pixels = labels.flatMap((label) =>
    Array.from({ length: 784 }, (_, i) => {
      const row = Math.floor(i / 28);
      return (row >> 1 === label + 2 ? 90 : 0) + generator.integer(166);
    }),
  );
  return idxBytes(8, [labels.length, 28, 28], pixels);
}
