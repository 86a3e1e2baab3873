import { ArgumentError, IndexError, NotFiniteError, ShapeError, type Tensor } from '@gmml/tensor';
import { show } from '@gmml/tensor/checks';

/** @throws NotFiniteError naming the first entry that is NaN or infinite */
export function checkFinite(op: string, name: string, values: Float32Array | Float64Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new NotFiniteError(`${op}: ${name} must be finite: entry ${at} is ${values[at]}.`);
}

/** @throws ArgumentError unless matrices [..., D, D] are symmetric up to a share of their largest entry */
export function checkSymmetric(
  op: string,
  name: string,
  matrices: Float32Array | Float64Array,
  d: number,
  tolerance: number,
): void {
  let largest = 0;
  for (const value of matrices) largest = Math.max(largest, Math.abs(value));
  for (let at = 0; at < matrices.length; at++) {
    const [row, column] = [Math.floor(at / d) % d, at % d];
    const mirror = at + (column - row) * (d - 1);
    if (Math.abs(matrices[at] - matrices[mirror]) > tolerance * largest) {
      throw new ArgumentError(
        `${op}: ${name} must be symmetric: entry [${row}, ${column}] is ${matrices[at]}, [${column}, ${row}] is ${matrices[mirror]}.`,
      );
    }
  }
}

/** @throws ShapeError unless features are [`rows`, inputDim], as the message calls them */
export function checkFeatures(op: string, features: Tensor, rows: string, inputDim: number): void {
  if (features.ndim === 2 && features.shape[1] === inputDim) return;
  throw new ShapeError(`${op}: features must be [${rows}, ${inputDim}]: they are ${show(features.shape)}.`);
}

/** @throws ShapeError unless labels are [M] for features [M, ...] */
export function checkOneLabelEach(op: string, features: Tensor, labels: Tensor): void {
  if (labels.ndim === 1 && labels.size === features.shape[0]) return;
  throw new ShapeError(
    `${op}: one label per row: features are ${show(features.shape)}, labels ${show(labels.shape)}.`,
  );
}

/** @throws IndexError unless `label` is one of the layer's classes */
export function checkLabel(op: string, nClass: number, label: number): void {
  if (Number.isInteger(label) && label >= 0 && label < nClass) return;
  throw new IndexError(`${op}: the label must be an integer from 0 to ${nClass - 1}: it is ${label}.`);
}
