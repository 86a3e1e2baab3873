import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MNIST_MEAN, MNIST_STD } from '@gmml/data';
import { saveSafetensors } from '@gmml/nn';
import { UsageError } from '../errors.js';
import type { ReferenceNetwork } from './network.js';

/** @throws UsageError when `path` cannot become a file: asked before hours of training, not after. */
export function checkSaveTarget(path: string): void {
  const folder = dirname(resolve(path));
  if (existsSync(path) && statSync(path).isDirectory()) {
    throw new UsageError(`--save-model must name a file: ${path} is a folder.`);
  }
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UsageError(
      `--save-model must name a file in an existing folder: there is no folder ${folder}.`,
    );
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new UsageError(`--save-model must name a file in a folder that can be written: ${folder} cannot.`);
  }
}

/** Writes the network's state dict as safetensors, with what is needed to build the network again as metadata. */
export function saveModel(
  path: string,
  network: ReferenceNetwork,
  description: Readonly<Record<string, string | number>>,
): void {
  const metadata = { format: 'gmml', network: 'reference-cnn', pixelMean: MNIST_MEAN, pixelStd: MNIST_STD };
  const entries = Object.entries({ ...metadata, ...description });
  saveSafetensors(
    path,
    network.stateDict(),
    Object.fromEntries(entries.map(([key, value]) => [key, String(value)])),
  );
}
