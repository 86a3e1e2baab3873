// IDX files made byte by byte, and a folder for them that goes away with the test.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of its own for the running test, removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gmml-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The bytes of an IDX file: type byte, sizes, then the elements' bytes as given (big-endian). */
export function idxBytes(type: number, shape: readonly number[], elements: ArrayLike<number>): Uint8Array {
  const sizes = shape.flatMap((size) => [
    (size >>> 24) & 255,
    (size >>> 16) & 255,
    (size >>> 8) & 255,
    size & 255,
  ]);
  return Uint8Array.from([0, 0, type, shape.length, ...sizes, ...Array.from(elements)]);
}

/** The four files of a small data set: image n of a part is filled with the byte 10 n + its label. */
export function mnistFiles(
  trainLabels: readonly number[],
  testLabels: readonly number[],
): Record<string, Uint8Array> {
  return {
    'train-images-idx3-ubyte': imageFile(trainLabels),
    'train-labels-idx1-ubyte': idxBytes(8, [trainLabels.length], trainLabels),
    't10k-images-idx3-ubyte': imageFile(testLabels),
    't10k-labels-idx1-ubyte': idxBytes(8, [testLabels.length], testLabels),
  };
}

function imageFile(labels: readonly number[]): Uint8Array {
  const pixels = labels.flatMap((label, n) => Array.from({ length: 784 }, () => (10 * n + label) % 256));
  return idxBytes(8, [labels.length, 28, 28], pixels);
}

/** Writes the files into a temporary folder and gives its path. */
export function folderOf(files: Record<string, Uint8Array>): string {
  const folder = temporaryFolder();
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}
