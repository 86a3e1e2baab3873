import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../errors.js';
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

/** @throws UsageError when `path` cannot become a file */
function checkTarget(option: string, path: string): void {
  const folder = dirname(resolve(path));
  if (existsSync(path) && statSync(path).isDirectory()) {
    throw new UsageError(`${option} must name a file: ${path} is a folder.`);
  }
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UsageError(`${option} must name a file in an existing folder: there is no folder ${folder}.`);
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new UsageError(`${option} must name a file in a folder that can be written: ${folder} cannot.`);
  }
}
