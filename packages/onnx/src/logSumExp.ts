import type { Place } from './place.js';

/** The largest finite float32, negated. */
const LOWEST = -(2 - 2 ** -23) * 2 ** 127;

/**
 * log Σ exp(x) over the dimension `dim`, which goes, as max + log Σ exp(x − max): several runtimes compute the operator
 * ReduceLogSumExp without the shift, and overflow. Of nothing but −∞ it is −∞.
 * @param output the name of the value where it is an output of the file
 */
export function logSumExp(at: Place, x: string, dim: number, output?: string): string {
  const { largest, exponentials } = shifted(at, x, dim);
  const logSum = at.node('Log', [at.sum(exponentials, dim, { keepDim: true })], 'logSum');
  const result = at.node('Add', [largest, logSum], 'logSumExp');
  const axes = at.integers([dim]);
  return output === undefined ? at.squeeze(result, dim) : at.output(output, 'Squeeze', [result, axes]);
}

/**
 * x − log Σ exp(x) over the dimension `dim`, by differences from the largest: nothing is rounded to the largest's digits. The sum
 * is 1 + s, s that of all but one largest: so the logarithm of a probability near 1 keeps its digits too, as it does in gmml.
 */
export function logSoftmax(at: Place, x: string, dim: number, output?: string): string {
  const { differences, exponentials } = shifted(at, x, dim);
  const isLess = at.node('Less', [differences, at.number(0)], 'isLess');
  const ofLess = at.node('Mul', [exponentials, at.toFloat(isLess)], 'ofLess');
  const isLargest = at.toFloat(at.node('Not', [isLess], 'isLargest'));
  const largest = at.sum(isLargest, dim, { keepDim: true });
  const others = at.node('Sub', [largest, at.number(1)], 'otherLargest');
  const logSum = logOnePlus(at, at.node('Add', [at.sum(ofLess, dim, { keepDim: true }), others], 'others'));
  return output === undefined
    ? at.node('Sub', [differences, logSum], 'logSoftmax')
    : at.output(output, 'Sub', [differences, logSum]);
}

/** The largest of x, x − largest and exp(x − largest). */
function shifted(
  at: Place,
  x: string,
  dim: number,
): Record<'largest' | 'differences' | 'exponentials', string> {
  // Where all are −∞ the finite bound keeps −∞ − (−∞) from being NaN.
  const largest = at.node('Max', [at.max(x, dim, { keepDim: true }), at.number(LOWEST)], 'shift');
  const differences = at.node('Sub', [x, largest], 'shifted');
  return { largest, differences, exponentials: at.node('Exp', [differences], 'exponentials') };
}

/** log(1 + s) to all digits of s: with u = 1 + s as it is rounded, s·log u/(u − 1), and s where u is 1 (Kahan; Goldberg 1991, theorem 4). */
function logOnePlus(at: Place, s: string): string {
  const one = at.number(1);
  const u = at.node('Add', [s, one], 'onePlus');
  const quotient = at.node(
    'Div',
    [at.node('Log', [u], 'logSum'), at.node('Sub', [u, one], 'rounded')],
    'slope',
  );
  const isOne = at.node('Equal', [u, one], 'isOne');
  return at.node('Mul', [s, at.node('Where', [isOne, one, quotient], 'slopeOrOne')], 'logOnePlus');
}
