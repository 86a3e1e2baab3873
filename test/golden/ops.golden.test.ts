import { avgPool2d, cat, conv2d, eye, maxPool2d, stack } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { differencesFrom, golden, leaf, type Call, type Case } from './golden.js';

const CALLS: Record<string, Call> = {
  conv2d: ({ x, weight, bias }, options) => conv2d(x, weight, { bias, ...options }),
  maxPool2d: ({ x }, options) => maxPool2d(x, options),
  avgPool2d: ({ x }, options) => avgPool2d(x, options),
  cholesky: ({ a }) => a.cholesky(),
  choleskyOfGram: ({ b }) =>
    b
      .matmul(b, { transposeB: true })
      .add(eye(5, { dtype: 'float64' }))
      .cholesky(),
  logDet: ({ a }) => a.logDet(),
  triangularSolve: ({ a, b }, options) => a.triangularSolve(b, options),
  logSumExp: ({ x }, { dim, ...options }) => x.logSumExp(dim, options),
  softmax: ({ x }, { dim }) => x.softmax(dim),
  logSoftmax: ({ x }, { dim }) => x.logSoftmax(dim),
  variance: ({ x }, { dim, ...options }) => x.variance(dim, options),
  max: ({ x }, { dim, ...options }) => x.max(dim, options),
  min: ({ x }, { dim, ...options }) => x.min(dim, options),
  gather: ({ x, index }, { dim }) => x.gather(dim, index),
  indexSelect: ({ x, index }, { dim }) => x.indexSelect(dim, index),
  cat: ({ a, b, c }, { dim }) => cat([a, b, c], dim),
  stack: ({ a, b }, { dim }) => stack([a, b], dim),
  diagEmbed: ({ x }, { offset }) => x.diagEmbed(offset),
  diagonal: ({ x }, { offset }) => x.diagonal(offset),
  tril: ({ x }, { k }) => x.tril(k),
  triu: ({ x }, { k }) => x.triu(k),
};

const { cases }: { cases: Case[] } = golden('ops');

describe('operations agree with torch', () => {
  it.each(cases)('$name', (recorded) => {
    // A Hilbert matrix turns the rounding of its entries into 1e-11 of the factor's last pivot.
    const rtol = recorded.name.includes('Hilbert') ? 1e-9 : 1e-11;
    expect(differencesFrom(recorded, CALLS[recorded.op], rtol)).toEqual([]);
  });

  it('every call is recorded', () => {
    expect(new Set(cases.map(({ op }) => op))).toEqual(new Set(Object.keys(CALLS)));
  });
});

describe('where torch has NaN', () => {
  it('the gradient of logSumExp at a row of −∞ is 0', () => {
    const row = cases.find(({ name }) => name === 'logSumExp: a row of −∞, values');
    const x = leaf(row!.inputs.x);
    x.logSumExp(1).sum().backward();
    expect(x.grad!.slice(0, 0, 1)).toBeAllClose([[0, 0, 0]], { rtol: 0, atol: 0 });
    expect(x.grad!.slice(0, 1)).toBeAllClose(x.softmax(1).slice(0, 1), { rtol: 1e-15 });
  });
});
