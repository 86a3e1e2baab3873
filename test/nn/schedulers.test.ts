import { CosineAnnealingLR, SGD, StepLR } from '@gmml/nn';
import { ArgumentError, ones } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

const optimizerAt = (lr: number): SGD => new SGD([ones([1], { requiresGrad: true })], { lr });

/** The learning rates before the first step and after each. */
function rates(lr: number, steps: number, build: (optimizer: SGD) => { step(): void }): number[] {
  const optimizer = optimizerAt(lr);
  const scheduler = build(optimizer);
  return Array.from({ length: steps + 1 }, (_, i) => {
    if (i > 0) scheduler.step();
    return optimizer.lr;
  });
}

describe('StepLR', () => {
  test('multiplies by gamma every stepSize epochs', () => {
    expect(rates(1, 7, (optimizer) => new StepLR(optimizer, { stepSize: 3, gamma: 0.5 }))).toEqual([
      1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25,
    ]);
    expect(rates(2, 2, (optimizer) => new StepLR(optimizer, { stepSize: 1 }))).toBeAllClose([2, 0.2, 0.02]);
  });

  test("is torch's chained form to rounding", () => {
    let lr = 0.3;
    const chained = [lr];
    for (let epoch = 1; epoch <= 100; epoch++) chained.push((lr *= epoch % 4 === 0 ? 0.9 : 1));
    const closed = rates(0.3, 100, (optimizer) => new StepLR(optimizer, { stepSize: 4, gamma: 0.9 }));
    expect(closed).toBeAllClose(chained, { rtol: 1e-13, atol: 0 });
  });

  test.each([
    [{ stepSize: 0 }, 'stepSize must be an integer of at least 1: it is 0.'],
    [{ stepSize: 1.5 }, 'stepSize must be an integer of at least 1: it is 1.5.'],
    [{ stepSize: 1, gamma: -1 }, 'gamma must be a finite number of at least 0: it is -1.'],
  ])('refuses %j', (options, message) => {
    expect(() => new StepLR(optimizerAt(1), options)).toThrow(new ArgumentError(`StepLR: ${message}`));
  });
});

describe('CosineAnnealingLR', () => {
  test('goes down to etaMin in tMax epochs and up again', () => {
    const half = 0.1 + (0.8 * (1 + Math.SQRT1_2)) / 2;
    const low = 0.1 + (0.8 * (1 - Math.SQRT1_2)) / 2;
    expect(
      rates(0.9, 9, (optimizer) => new CosineAnnealingLR(optimizer, { tMax: 4, etaMin: 0.1 })),
    ).toBeAllClose([0.9, half, 0.5, low, 0.1, low, 0.5, half, 0.9, half], { rtol: 1e-14 });
  });

  test("is torch's recursive form to rounding, through several periods", () => {
    const [base, tMax, etaMin] = [0.5, 10, 0.02];
    let lr = base;
    const recursive = [lr];
    for (let epoch = 1; epoch <= 60; epoch++) {
      const turn = (epoch - 1 - tMax) % (2 * tMax) === 0;
      lr = turn
        ? lr + ((base - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2
        : ((1 + Math.cos((Math.PI * epoch) / tMax)) / (1 + Math.cos((Math.PI * (epoch - 1)) / tMax))) *
            (lr - etaMin) +
          etaMin;
      recursive.push(lr);
    }
    const closed = rates(base, 60, (optimizer) => new CosineAnnealingLR(optimizer, { tMax, etaMin }));
    expect(closed).toBeAllClose(recursive, { rtol: 1e-11, atol: 0 });
  });

  test('never leaves the range of its two rates', () => {
    const all = rates(0.5, 200, (optimizer) => new CosineAnnealingLR(optimizer, { tMax: 7 }));
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...all)).toBeLessThanOrEqual(0.5);
  });

  test.each([
    [{ tMax: 0 }, 'tMax must be an integer of at least 1: it is 0.'],
    [{ tMax: 5, etaMin: -1 }, 'etaMin must be a finite number of at least 0: it is -1.'],
  ])('refuses %j', (options, message) => {
    expect(() => new CosineAnnealingLR(optimizerAt(1), options)).toThrow(
      new ArgumentError(`CosineAnnealingLR: ${message}`),
    );
  });
});

describe.each([
  ['StepLR', (optimizer: SGD) => new StepLR(optimizer, { stepSize: 2, gamma: 0.7 })],
  ['CosineAnnealingLR', (optimizer: SGD) => new CosineAnnealingLR(optimizer, { tMax: 5, etaMin: 0.1 })],
] as const)('the state of %s', (name, build) => {
  test('goes on where it was, through JSON', () => {
    const whole = rates(0.8, 12, build);
    const optimizer = optimizerAt(0.8);
    const scheduler = build(optimizer);
    for (let i = 0; i < 5; i++) scheduler.step();
    expect(scheduler.lastEpoch).toBe(5);

    const resumedOptimizer = optimizerAt(99);
    const resumed = build(resumedOptimizer);
    resumed.loadStateDict(JSON.parse(JSON.stringify(scheduler.stateDict())));
    expect(resumed.lastEpoch).toBe(5);
    expect(resumedOptimizer.lr).toBe(whole[5]);
    for (let i = 6; i <= 12; i++) {
      resumed.step();
      expect(resumedOptimizer.lr).toBe(whole[i]);
    }
  });

  test('is refused where it does not fit, changing nothing', () => {
    const optimizer = optimizerAt(0.8);
    const scheduler = build(optimizer);
    const state = scheduler.stateDict();
    const fails = (change: object, message: string): void =>
      expect(() => scheduler.loadStateDict({ ...state, ...change })).toThrow(
        new ArgumentError(`${name}.loadStateDict: ${message}`),
      );
    fails({ algorithm: 'OneCycle' }, `the state must come from ${name}: it is from OneCycle.`);
    fails({ baseLr: -1 }, 'baseLr must be a finite number of at least 0: it is -1.');
    fails({ lastEpoch: -1 }, 'lastEpoch must be an integer of at least 0: it is -1.');
    expect(() => scheduler.loadStateDict({ ...state, options: {} })).toThrow(ArgumentError);
    expect(scheduler.stateDict()).toEqual(state);
    expect(optimizer.lr).toBe(0.8);
  });
});
