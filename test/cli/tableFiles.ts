// Small tables for the tests of gmml fit, predict and eval.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Generator } from '@gmml/tensor';
import type { fitCommand } from '../../packages/cli/src/commands/fit.js';
import { fitTable, type FitTableOptions, type TableFit } from '../../packages/cli/src/tables/fitTable.js';
import { encodeTableModel } from '../../packages/cli/src/tables/tableModelFile.js';

/** Rows of classes that are Gaussians around 4·k in each of three columns, the second in units a hundred times as small. */
export function rowsOfClasses(rows: number, classes: readonly string[], seed = 1): [number[], string][] {
  const generator = new Generator(seed);
  return Array.from({ length: rows }, (_, n) => {
    const k = n % classes.length;
    const x = [0, 1, 2].map(() => 4 * k + generator.normal());
    return [[x[0], 100 * x[1], x[2]].map((value) => Number(value.toFixed(3))), classes[k]];
  });
}

/** CSV with columns a, b, c and kind. */
export function csvOf(rows: readonly (readonly [number[], string])[]): string {
  return ['a,b,c,kind', ...rows.map(([x, kind]) => [...x, kind].join(','))].join('\n').concat('\n');
}

/** Runs a command in this process: what it throws is what is thrown. */
export async function run(command: ReturnType<typeof fitCommand>, ...args: readonly string[]): Promise<void> {
  command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  await command.parseAsync(args, { from: 'user' });
}

/** What `gmml fit` does by default, on rows that are given as CSV with the label 'kind'. */
export const FIT_DEFAULTS = {
  label: 'kind',
  labelsFile: null,
  delimiter: ',',
  dropMissing: false,
  ignore: [],
  covariance: 'auto',
  components: 1,
  folds: 5,
  seed: 1,
  keep: 0.95,
} as const;

/** Fits a file, and writes the model beside it as 'model'. */
export async function fitted(file: string, options: Partial<FitTableOptions> = {}): Promise<TableFit> {
  const fit = await fitTable({ ...FIT_DEFAULTS, ...options, file });
  writeFileSync(join(dirname(file), 'model'), encodeTableModel(fit.model));
  return fit;
}
