import { DTypeError, ShapeError } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { checkLabels, checkNumber, checkOneOf, sameShape, show } from '@gmml/tensor/checks';

/** What becomes of the losses of the samples: their mean, their sum, or each by itself. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Options of every loss. */
export interface LossOptions {
  /** Default 'mean'. */
  reduction?: Reduction;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends LossOptions {
  /** ε from 0 to 1: the share of the target that all classes have evenly. Default 0. */
  labelSmoothing?: number;
}

/**
 * The negative log-likelihood of labels: −logProbs[n, labels[n]], meaned or summed over the batch.
 *
 * @param logProbs log-probabilities [B, C], such as `logSoftmax(1)` or the GMML layer gives
 * @param labels classes [B], integers from 0 to C − 1 in either number format
 * @returns a scalar, or [B] with `reduction: 'none'`. Derivative: −1/B (sum and none: −1) at each label, else 0.
 * @throws ShapeError, IndexError, ArgumentError for shapes, labels or a reduction that are not as above
 */
export function nllLoss(logProbs: Tensor, labels: Tensor, { reduction = 'mean' }: LossOptions = {}): Tensor {
  checkInputs('nllLoss', 'logProbs', logProbs, labels, reduction);
  return reduce(atLabels(logProbs, labels), reduction);
}

/**
 * The cross-entropy of logits: the {@link nllLoss} of their logSoftmax over classes. With label smoothing ε the target
 * is (1 − ε) at the label and ε/C everywhere: (1 − ε)·nllLoss − ε/C·Σ log p, as torch has it.
 *
 * @param logits scores [B, C], any numbers
 * @param labels classes [B], integers from 0 to C − 1 in either number format
 * @returns a scalar, or [B] with `reduction: 'none'`. Derivative: softmax less the target, times 1/B for the mean.
 * @throws ShapeError, IndexError, ArgumentError for shapes, labels or options that are not as above
 * @see Szegedy et al. 2016, "Rethinking the inception architecture for computer vision", section 7
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { reduction = 'mean', labelSmoothing = 0 }: CrossEntropyOptions = {},
): Tensor {
  checkNumber('crossEntropy', 'labelSmoothing', labelSmoothing, { from: 0, to: 1 });
  checkInputs('crossEntropy', 'logits', logits, labels, reduction);
  const logProbs = logits.logSoftmax(1);
  const losses = atLabels(logProbs, labels);
  if (labelSmoothing === 0) return reduce(losses, reduction);
  const even = logProbs.mean(1).mul(labelSmoothing);
  return reduce(losses.mul(1 - labelSmoothing).sub(even), reduction);
}

/**
 * The squared error (x − y)², meaned or summed over all elements.
 *
 * @param x any shape
 * @param y the same shape and number format: nothing is broadcast
 * @returns a scalar, or the shape of x with `reduction: 'none'`. Derivative: 2(x − y), over the size for the mean.
 * @throws ShapeError, DTypeError, ArgumentError for shapes, formats or a reduction that are not as above
 */
export function mseLoss(x: Tensor, y: Tensor, { reduction = 'mean' }: LossOptions = {}): Tensor {
  checkReduction('mseLoss', reduction);
  if (!sameShape(x.shape, y.shape)) {
    throw new ShapeError(
      `mseLoss: x and y must have the same shape: x is ${show(x.shape)}, y is ${show(y.shape)}.`,
    );
  }
  if (x.dtype !== y.dtype) {
    throw new DTypeError(
      `mseLoss: x and y must have the same number format: x is ${x.dtype}, y is ${y.dtype}. Convert one with to().`,
    );
  }
  return reduce(x.sub(y).square(), reduction);
}

function checkInputs(op: string, name: string, x: Tensor, labels: Tensor, reduction: Reduction): void {
  checkReduction(op, reduction);
  if (x.ndim !== 2 || labels.ndim !== 1 || labels.size !== x.shape[0]) {
    throw new ShapeError(
      `${op}: ${name} must be [B, C] and labels [B]: ` +
        `${name} are ${show(x.shape)}, labels are ${show(labels.shape)}.`,
    );
  }
  checkLabels(op, 'labels', labels.data, x.shape[1]);
}

function checkReduction(op: string, reduction: Reduction): void {
  checkOneOf(op, 'reduction', reduction, ['mean', 'sum', 'none']);
}

/** −logProbs[n, labels[n]] [B]. */
function atLabels(logProbs: Tensor, labels: Tensor): Tensor {
  const { size } = labels;
  return logProbs
    .gather(1, labels.reshape([size, 1]))
    .reshape([size])
    .neg();
}

function reduce(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? losses.sum() : losses.mean();
}
