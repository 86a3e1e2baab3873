import { createHash, type Hash } from 'node:crypto';
import type { LabelledImages } from '@gmml/data';
import type { Tensor } from '@gmml/tensor';
import type { KnownDigits } from '../knownDigits.js';

/** SHA-256, in hexadecimal, of all images and labels that a run trains on and is tested on, with their shapes. */
export function dataDigest({ train, validation, test, labels }: KnownDigits): string {
  const hash = createHash('sha256');
  hash.update(`labels ${labels.join(' ')}`);
  for (const part of [train, validation, test]) addImages(hash, part);
  return hash.digest('hex');
}

function addImages(hash: Hash, part: LabelledImages | undefined): void {
  if (part === undefined) {
    hash.update('\nnone');
    return;
  }
  addTensor(hash, part.images);
  addTensor(hash, part.labels);
}

function addTensor(hash: Hash, { dtype, shape, data }: Tensor): void {
  hash.update(`\n${dtype} ${shape.join(' ')}\n`);
  hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
