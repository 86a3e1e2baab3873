import type { Place } from './place.js';

/** The largest finite float32, negated. */
const LOWEST = -(2 - 2 ** -23) * 2 ** 127;

/**
 * log Σ exp(x) over the dimension `dim`, which goes, as max + log Σ exp(x − max): several runtimes compute the operator
 * ReduceLogSumExp without the shift, and overflow. Of nothing but −∞ it is −∞.
 * @param output the name of the value where it is an output of the file
 */
export function logSumExp(at: Place, x: string, dim: number, output?: string): string {
  const { largest, logSum } = shifted(at, x, dim);
  const result = at.node('Add', [largest, logSum], 'logSumExp');
  const axes = at.integers([dim]);
  return output === undefined ? at.squeeze(result, dim) : at.output(output, 'Squeeze', [result, axes]);
}

/** x − log Σ exp(x) over the dimension `dim`, by differences from the largest: nothing is rounded to the largest's digits. */
export function logSoftmax(at: Place, x: string, dim: number, output?: string): string {
  const { differences, logSum } = shifted(at, x, dim);
  return output === undefined
    ? at.node('Sub', [differences, logSum], 'logSoftmax')
    : at.output(output, 'Sub', [differences, logSum]);
}

/** The largest of x, x − largest and log Σ exp(x − largest). */
function shifted(at: Place, x: string, dim: number): Record<'largest' | 'differences' | 'logSum', string> {
  // Where all are −∞ the finite bound keeps −∞ − (−∞) from being NaN.
  const largest = at.node('Max', [at.max(x, dim, { keepDim: true }), at.number(LOWEST)], 'shift');
  const differences = at.node('Sub', [x, largest], 'shifted');
  const sum = at.sum(at.node('Exp', [differences], 'exponentials'), dim, { keepDim: true });
  return { largest, differences, logSum: at.node('Log', [sum], 'logSum') };
}
