import { resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { obstacleTo } from '../files/output.js';
import type { TrainOptions } from './settings.js';

/** @throws UsageError when a file of the settings cannot be written: asked before hours of training, not after. */
export function checkTargets({ saveModel, report }: Pick<TrainOptions, 'saveModel' | 'report'>): void {
  if (saveModel !== undefined) checkTarget('--save-model', saveModel);
  if (report === undefined) return;
  checkTarget('--report', report);
  if (saveModel !== undefined && resolve(saveModel) === resolve(report)) {
    throw new UsageError(
      `--report and --save-model must name two files: both are ${report}. Give one another name.`,
    );
  }
}

/** @throws UsageError when `path` cannot be written */
function checkTarget(option: string, path: string): void {
  const obstacle = obstacleTo(path);
  if (obstacle !== null) {
    throw new UsageError(`${option} must name a file that can be written: ${path}: ${obstacle}.`);
  }
}
