import type { BackendChoice, BackendName, BackendOptions, BackendReport } from '@gmml/tensor';

/** What to train on, as `useBackend` takes it. */
export type Run = readonly [backend: BackendName, options: BackendOptions];

export interface Trained {
  /** What `useBackend` returned, or what it threw. */
  readonly choice?: BackendChoice;
  readonly error?: string;
  /** The loss of each step. */
  readonly losses: readonly number[];
  /** Whether a product is added without being rounded first: on WASM, by relaxed SIMD. */
  readonly fused: boolean;
  /** After the steps. */
  readonly report: BackendReport;
}

export function trainOnEach(runs: readonly Run[]): Promise<Trained[]>;
