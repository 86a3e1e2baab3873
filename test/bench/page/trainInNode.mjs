// Prints the images a second of an epoch of examples/draw-and-teach: node trainInNode.mjs threads site
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useBackend } from '@gmml/tensor';
import { decodeDigits } from '../../../examples/draw-and-teach/dist/src/digits.js';
import { trainDigits } from '../../../examples/draw-and-teach/dist/src/train.js';

const [threads, site] = process.argv.slice(2);
await useBackend('auto', { threads: Number(threads) });
let imagesPerSecond = 0;
await trainDigits(
  decodeDigits(readFileSync(join(site, 'digits.bin'))),
  { epochs: 1 },
  { progress: (now) => (imagesPerSecond = now.imagesPerSecond ?? imagesPerSecond) },
);
console.log(imagesPerSecond);
