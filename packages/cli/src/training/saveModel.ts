import { MNIST_MEAN, MNIST_STD } from '@gmml/data';
import { saveSafetensors } from '@gmml/nn';
import type { Network } from './networks/network.js';

/** Writes the network's state dict as safetensors, with what is needed to build the network again as metadata. */
export function saveModel(
  path: string,
  network: Network,
  description: Readonly<Record<string, string | number>>,
): void {
  const metadata = { format: 'gmml', pixelMean: MNIST_MEAN, pixelStd: MNIST_STD };
  const entries = Object.entries({ ...metadata, ...description });
  saveSafetensors(
    path,
    network.stateDict(),
    Object.fromEntries(entries.map(([key, value]) => [key, String(value)])),
  );
}
