import { crossEntropy, mseLoss, nllLoss } from '@gmml/nn';
import { describe, expect, it } from 'vitest';
import { differencesFrom, golden, type Call, type Case } from './golden.js';

const CALLS: Record<string, Call> = {
  nllLoss: ({ x, labels }, options) => nllLoss(x, labels, options),
  crossEntropy: ({ x, labels }, options) => crossEntropy(x, labels, options),
  mseLoss: ({ x, y }, options) => mseLoss(x, y, options),
};

const { cases }: { cases: Case[] } = golden('losses');

describe('losses agree with torch', () => {
  it.each(cases)('$name', (recorded) => {
    expect(differencesFrom(recorded, CALLS[recorded.op], 1e-12)).toEqual([]);
  });

  it('every call is recorded', () => {
    expect(new Set(cases.map(({ op }) => op))).toEqual(new Set(Object.keys(CALLS)));
  });
});
