import { describe, expect, it } from 'vitest';
import { differencesFrom, golden, type Call, type Case } from './golden.js';

const CALLS: Record<string, Call> = {
  exp: ({ x }) => x.exp(),
  log: ({ x }) => x.log(),
  log1p: ({ x }) => x.log1p(),
  expm1: ({ x }) => x.expm1(),
  sqrt: ({ x }) => x.sqrt(),
  square: ({ x }) => x.square(),
  sin: ({ x }) => x.sin(),
  cos: ({ x }) => x.cos(),
  abs: ({ x }) => x.abs(),
  relu: ({ x }) => x.relu(),
  tanh: ({ x }) => x.tanh(),
  sigmoid: ({ x }) => x.sigmoid(),
  reciprocal: ({ x }) => x.reciprocal(),
  softplus: ({ x }) => x.softplus(),
  logSigmoid: ({ x }) => x.logSigmoid(),
  pow: ({ x, y }) => x.pow(y),
  powNumber: ({ x }, { exponent }) => x.pow(exponent),
  clamp: ({ x }, { min, max }) => x.clamp(min, max),
  maximum: ({ x, y }) => x.maximum(y),
  minimum: ({ x, y }) => x.minimum(y),
};

const { cases }: { cases: Case[] } = golden('elementwise');

describe('elementwise functions agree with torch', () => {
  it.each(cases)('$name', (recorded) => {
    expect(differencesFrom(recorded, CALLS[recorded.op], 1e-13)).toEqual([]);
  });

  it('every call is recorded', () => {
    expect(new Set(cases.map(({ op }) => op))).toEqual(new Set(Object.keys(CALLS)));
  });
});
