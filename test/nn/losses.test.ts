import { crossEntropy, mseLoss, nllLoss, type Reduction } from '@gmml/nn';
import {
  ArgumentError,
  DTypeError,
  Generator,
  IndexError,
  ones,
  randn,
  ShapeError,
  tensor,
  zeros,
} from '@gmml/tensor';
import { gradcheck } from '@gmml/tensor/testing';
import { describe, expect, test } from 'vitest';

const reductions: Reduction[] = ['mean', 'sum', 'none'];
const draws = () => ({ dtype: 'float64', generator: new Generator(1) }) as const;

describe('nllLoss', () => {
  const logProbs = tensor([
    [-1, -2, -3],
    [-4, -5, -6],
  ]);
  const labels = tensor([2, 0]);

  test('negates the log-probability of each label, reduced', () => {
    expect(nllLoss(logProbs, labels, { reduction: 'none' }).toArray()).toEqual([3, 4]);
    expect(nllLoss(logProbs, labels, { reduction: 'sum' }).toArray()).toBe(7);
    expect(nllLoss(logProbs, labels, { reduction: 'mean' }).toArray()).toBe(3.5);
    expect(nllLoss(logProbs, labels).toArray()).toBe(3.5);
  });

  test('takes labels of either number format', () => {
    expect(nllLoss(logProbs, labels.to('float64')).item()).toBe(3.5);
    expect(nllLoss(logProbs.to('float64'), labels).dtype).toBe('float64');
  });

  test('is ∞, with a finite gradient, where a label is impossible', () => {
    const x = tensor([[-Infinity, 0]], { requiresGrad: true });
    const loss = nllLoss(x, tensor([0]));
    loss.backward();
    expect(loss.item()).toBe(Infinity);
    expect(x.grad?.toArray()).toEqual([[-1, 0]]);
  });

  test('takes an empty batch', () => {
    const empty = nllLoss(zeros([0, 3]), zeros([0]), { reduction: 'none' });
    expect(empty.shape).toEqual([0]);
    expect(nllLoss(zeros([0, 3]), zeros([0]), { reduction: 'sum' }).item()).toBe(0);
  });

  test.each(reductions)('has the right gradient with %s', (reduction) => {
    gradcheck((x) => nllLoss(x, tensor([0, 2, 1, 1]), { reduction }), [randn([4, 3], draws())]);
  });

  test('refuses labels that are no classes', () => {
    expect(() => nllLoss(logProbs, tensor([0, 3]))).toThrow(
      new IndexError('nllLoss: labels must be integers from 0 to 2: label 1 is 3.'),
    );
    expect(() => nllLoss(logProbs, tensor([-1, 0]))).toThrow(
      new IndexError('nllLoss: labels must be integers from 0 to 2: label 0 is -1.'),
    );
    expect(() => nllLoss(logProbs, tensor([0, 0.5]))).toThrow(
      new IndexError('nllLoss: labels must be integers from 0 to 2: label 1 is 0.5.'),
    );
    expect(() => nllLoss(logProbs, tensor([Number.NaN, 0]))).toThrow(
      new IndexError('nllLoss: labels must be integers from 0 to 2: label 0 is NaN.'),
    );
  });

  test('refuses shapes and reductions that do not fit', () => {
    expect(() => nllLoss(logProbs, tensor([0, 1, 2]))).toThrow(
      new ShapeError('nllLoss: logProbs must be [B, C] and labels [B]: logProbs are [2, 3], labels are [3].'),
    );
    expect(() => nllLoss(tensor([1, 2]), labels)).toThrow(
      new ShapeError('nllLoss: logProbs must be [B, C] and labels [B]: logProbs are [2], labels are [2].'),
    );
    expect(() => nllLoss(logProbs, tensor([[0], [1]]))).toThrow(
      new ShapeError(
        'nllLoss: logProbs must be [B, C] and labels [B]: logProbs are [2, 3], labels are [2, 1].',
      ),
    );
    expect(() => nllLoss(logProbs, labels, { reduction: 'max' as Reduction })).toThrow(
      new ArgumentError("nllLoss: reduction must be one of 'mean', 'sum', 'none': it is 'max'."),
    );
  });
});

describe('crossEntropy', () => {
  test('is the nllLoss of logSoftmax', () => {
    const [logits, labels] = [randn([5, 4], draws()), tensor([3, 0, 1, 1, 2])];
    for (const reduction of reductions) {
      const expected = nllLoss(logits.logSoftmax(1), labels, { reduction });
      expect(crossEntropy(logits, labels, { reduction }).toArray()).toEqual(expected.toArray());
    }
  });

  test('stays right at ±1e4 and −∞', () => {
    const logits = tensor([
      [1e4, -1e4],
      [1e4, -1e4],
      [-Infinity, 2],
    ]);
    expect(crossEntropy(logits, tensor([0, 1, 1]), { reduction: 'none' })).toBeAllClose([0, 2e4, 0], {
      rtol: 0,
    });
  });

  test.each(reductions)('has the right gradient with %s', (reduction) => {
    gradcheck((x) => crossEntropy(x, tensor([0, 2, 1, 1]), { reduction }), [randn([4, 3], draws())]);
  });

  test('smooths labels', () => {
    const [logits, labels] = [randn([4, 3], draws()), tensor([0, 2, 1, 1])];
    const even = logits.logSoftmax(1).mean(1).neg();
    const expected = crossEntropy(logits, labels, { reduction: 'none' }).mul(0.8).add(even.mul(0.2));
    expect(crossEntropy(logits, labels, { reduction: 'none', labelSmoothing: 0.2 })).toBeAllClose(expected, {
      rtol: 1e-12,
    });
    gradcheck((x) => crossEntropy(x, labels, { labelSmoothing: 0.2 }), [logits]);
    for (const labelSmoothing of [-0.1, 1.1, NaN]) {
      expect(() => crossEntropy(logits, labels, { labelSmoothing })).toThrow(
        new ArgumentError(`crossEntropy: labelSmoothing must be from 0 to 1: it is ${labelSmoothing}.`),
      );
    }
  });

  test('refuses what does not fit, under its own name', () => {
    expect(() => crossEntropy(ones([2, 3]), tensor([0, 3]))).toThrow(
      new IndexError('crossEntropy: labels must be integers from 0 to 2: label 1 is 3.'),
    );
    expect(() => crossEntropy(ones([2, 3]), tensor([0]))).toThrow(
      new ShapeError(
        'crossEntropy: logits must be [B, C] and labels [B]: logits are [2, 3], labels are [1].',
      ),
    );
  });
});

describe('mseLoss', () => {
  const [x, y] = [
    tensor([
      [1, 2],
      [3, 4],
    ]),
    tensor([
      [1, 0],
      [3, 8],
    ]),
  ];

  test('squares the differences, reduced', () => {
    expect(mseLoss(x, y, { reduction: 'none' }).toArray()).toEqual([
      [0, 4],
      [0, 16],
    ]);
    expect(mseLoss(x, y, { reduction: 'sum' }).toArray()).toBe(20);
    expect(mseLoss(x, y).toArray()).toBe(5);
  });

  test.each(reductions)('has the right gradients with %s', (reduction) => {
    const generator = new Generator(1);
    const inputs = [
      randn([2, 3], { dtype: 'float64', generator }),
      randn([2, 3], { dtype: 'float64', generator }),
    ];
    gradcheck((a, b) => mseLoss(a, b, { reduction }), inputs);
  });

  test('broadcasts nothing and mixes no number formats', () => {
    expect(() => mseLoss(x, tensor([1, 2]))).toThrow(
      new ShapeError('mseLoss: x and y must have the same shape: x is [2, 2], y is [2].'),
    );
    expect(() => mseLoss(x, y.to('float64'))).toThrow(
      new DTypeError(
        'mseLoss: x and y must have the same number format: x is float32, y is float64. Convert one with to().',
      ),
    );
  });
});
