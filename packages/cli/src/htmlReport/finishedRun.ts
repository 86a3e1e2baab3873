import type { KnownOutputs } from '../openSet/knownOutputs.js';
import type { OpenSetFindings } from '../openSet/openSetReport.js';
import type { EpochResult } from '../progress/reporter.js';
import type { KnownDigits } from '../training/knownDigits.js';
import type { Network } from '../training/networks/network.js';
import type { TrainOptions } from '../training/settings.js';

/** A training run from beginning to end, as the report shows it. */
export interface FinishedRun {
  readonly settings: TrainOptions;
  readonly backend: { readonly backend: string; readonly threads: number };
  readonly digits: KnownDigits;
  readonly network: Network;
  readonly epochs: readonly EpochResult[];
  readonly outputs: KnownOutputs;
  readonly openSet?: OpenSetFindings;
  /** Why there is no `openSet` where it was asked for. */
  readonly noOpenSet?: string;
}
