// A thread of fit: keeps a part of the rows, and answers each mixture with the statistics of its E-step.
import { mixtureFromSafetensors } from '../mixture/mixtureFile.js';
import { tensor, useBackend } from '@gmml/tensor';
import { EMStatistics } from './emStatistics.js';

/** The rows of a thread, its first message. */
export interface WorkerPart {
  readonly rows: Float64Array<ArrayBuffer>;
  readonly features: number;
  readonly backend: 'wasm' | 'reference';
}

/** An answer: the bytes of statistics, or what went wrong. */
export type WorkerAnswer = Uint8Array | { readonly error: string };

/** In Node messages come through a port, in a page to the worker itself. */
interface Port {
  addEventListener(
    type: 'message',
    listener: (event: { readonly data: WorkerPart | Uint8Array }) => void,
  ): void;
  postMessage(message: WorkerAnswer): void;
}

const platform = globalThis as unknown as Port & {
  readonly process?: { getBuiltinModule?(id: string): { readonly parentPort: Port | null } };
};
const port = platform.process?.getBuiltinModule?.('node:worker_threads').parentPort ?? platform;

let part: WorkerPart | null = null;
let isReady: Promise<unknown> = Promise.resolve();

port.addEventListener('message', ({ data }) => {
  if (data instanceof Uint8Array) void answer(data);
  else {
    part = data;
    isReady = useBackend(data.backend, { threads: 1 });
  }
});

async function answer(mixture: Uint8Array): Promise<void> {
  try {
    await isReady;
    const { rows, features } = part!;
    const statistics = new EMStatistics(mixtureFromSafetensors(mixture));
    statistics.add(tensor(rows, { shape: [rows.length / features, features] }));
    port.postMessage(statistics.toSafetensors());
  } catch (error) {
    port.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
}
