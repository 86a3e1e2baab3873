import { ArgumentError, ShapeError, Tensor } from '@gmml/tensor';
import { eachRow } from '../linearAlgebra/vectors.js';
import { listed } from './labelExamples.js';
import type { Vector, Vectors } from './vectors.js';

/**
 * A head's log-posteriors [N, C], or [C] for one sample, as [N, K] in the order of the labels: −∞ for a label that the
 * head does not know.
 * @param classes the label of each column; by default the labels themselves
 * @throws ShapeError unless there are a row for each sample and a label for each column; ArgumentError for what are no
 *   log-probabilities, and for classes of which none is known
 */
export function posteriorOfLabels(
  op: string,
  posterior: Tensor | Vectors | Vector,
  rows: number,
  labels: readonly string[],
  classes: readonly string[] = labels,
): Float64Array {
  const parts =
    posterior instanceof Tensor ? eachRow(posterior.data, posterior.shape.at(-1) || 1) : posterior;
  const vectors = (typeof parts[0] === 'number' ? [parts] : parts) as Vectors;
  if (vectors.length !== rows) {
    throw new ShapeError(
      `${op}: the posterior must have a row for each sample: it has ${vectors.length}, there are ${rows} samples.`,
    );
  }
  const columns = labels.map((label) => classes.indexOf(label));
  if (columns.every((column) => column < 0)) {
    throw new ArgumentError(
      `${op}: classes must name the label of each column of the posterior: they are ${listed(classes)}, of which none is known.`,
    );
  }
  const out = new Float64Array(rows * labels.length);
  for (const [row, vector] of vectors.entries()) {
    if (vector.length !== classes.length) {
      throw new ShapeError(
        `${op}: the posterior must have a column for each class: row ${row} has ${vector.length}, there are ${classes.length} classes. Name the label of each column by classes.`,
      );
    }
    const largest = Math.max(...vector);
    // Rounding in float32 may leave the log of 1 a little above 0.
    if (!(largest > -Infinity && largest <= 1e-3)) {
      throw new ArgumentError(
        `${op}: the posterior must be log-probabilities: the largest of row ${row} is ${largest}. Give the output of logSoftmax.`,
      );
    }
    for (const [k, column] of columns.entries()) {
      out[row * labels.length + k] = column < 0 ? -Infinity : vector[column];
    }
  }
  return out;
}
