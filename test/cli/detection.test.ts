// How well scores tell known from unknown, and how honest confidences are. Golden values: test/golden/detection.
import { auroc, expectedCalibrationError, falsePositiveRate } from '@gmml/cli';
import { ArgumentError, NotFiniteError } from '@gmml/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reliabilityBins } from '../../packages/cli/src/openSet/detection.js';

/** Scores with many ties, infinite ones too. */
const score = fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constantFrom(-Infinity, Infinity));
const scores = fc.array(score, { minLength: 1, maxLength: 20 });

describe('auroc', () => {
  test('is the share of pairs in the right order, ties counting half', () => {
    fc.assert(
      fc.property(scores, scores, (known, unknown) => {
        const pairs = known.flatMap((k) => unknown.map((u) => (k > u ? 1 : k === u ? 0.5 : 0)));
        const share = pairs.reduce((sum: number, won) => sum + won, 0) / pairs.length;
        expect(auroc(known, unknown)).toBeCloseTo(share, 12);
        expect(auroc(unknown, known)).toBeCloseTo(1 - share, 12);
      }),
    );
  });

  test('leaves its arguments as they are', () => {
    const known = Float64Array.of(3, 1, 2);
    expect(auroc(known, Float32Array.of(0, 5))).toBe(0.5);
    expect([...known]).toEqual([3, 1, 2]);
  });

  test.each([
    [[], [1], new ArgumentError('auroc: there must be known scores: there are none.')],
    [[1], [], new ArgumentError('auroc: there must be unknown scores: there are none.')],
    [[1], [0, NaN], new NotFiniteError('auroc: unknown scores must be numbers: score 1 is NaN.')],
  ])('refuses %j, %j', (known, unknown, error) => {
    expect(() => auroc(known, unknown)).toThrow(error);
  });
});

describe('falsePositiveRate', () => {
  test('is the least over all thresholds that keep enough known samples', () => {
    fc.assert(
      fc.property(scores, scores, fc.integer({ min: 1, max: 20 }), (known, unknown, twentieths) => {
        const kept = twentieths / 20;
        const atLeast = (values: number[], threshold: number) =>
          values.filter((value) => value >= threshold).length / values.length;
        const rates = known
          .filter((threshold) => atLeast(known, threshold) >= kept)
          .map((threshold) => atLeast(unknown, threshold));
        expect(falsePositiveRate(known, unknown, kept)).toBe(Math.min(...rates));
      }),
    );
  });

  test('keeps 95 % unless told otherwise, and accepts nothing to keep nothing', () => {
    const known = Array.from({ length: 20 }, (_, i) => i);
    expect(falsePositiveRate(known, [0, 0.5, 1, 30])).toBe(0.5);
    expect(falsePositiveRate(known, [30], 0)).toBe(0);
  });

  test.each([
    [[], 0.95, new ArgumentError('falsePositiveRate: there must be known scores: there are none.')],
    [[1], 1.1, new ArgumentError('falsePositiveRate: kept must be from 0 to 1: it is 1.1.')],
    [[NaN], 0.95, new NotFiniteError('falsePositiveRate: known scores must be numbers: score 0 is NaN.')],
  ])('refuses %j, %d', (known, kept, error) => {
    expect(() => falsePositiveRate(known, [1], kept)).toThrow(error);
  });
});

test('reliabilityBins counts answers by their confidence, the upper end of a bin in it', () => {
  expect(reliabilityBins([0, 0.5, 0.75, 1], [true, false, true, true], 2)).toEqual([
    { count: 2, correct: 1, confidence: 0.5 },
    { count: 2, correct: 2, confidence: 1.75 },
  ]);
  expect(() => reliabilityBins([0.5], [], 2)).toThrow(
    new ArgumentError(
      'reliabilityBins: there must be as many confidences as answers, at least one: there are 1 and 0.',
    ),
  );
});

describe('expectedCalibrationError', () => {
  test('is the distance of accuracy from confidence, a bin at a time', () => {
    expect(expectedCalibrationError([1, 1, 0], [true, true, false])).toBe(0);
    expect(expectedCalibrationError([0.5, 0.5], [true, false])).toBe(0);
    expect(expectedCalibrationError([0.9, 0.9], [true, false])).toBeCloseTo(0.4, 12);
    // In one bin errors of different signs cancel, in two they do not.
    expect(expectedCalibrationError([0.25, 0.75], [true, false], 1)).toBe(0);
    expect(expectedCalibrationError([0.25, 0.75], [true, false], 2)).toBe(0.75);
  });

  test.each([
    [
      [],
      [],
      15,
      'expectedCalibrationError: there must be as many confidences as answers, at least one: there are 0 and 0.',
    ],
    [
      [0.5],
      [true, false],
      15,
      'expectedCalibrationError: there must be as many confidences as answers, at least one: there are 1 and 2.',
    ],
    [[0.5, 1.5], [true, false], 15, 'expectedCalibrationError: confidence 1 must be from 0 to 1: it is 1.5.'],
    [[NaN], [true], 15, 'expectedCalibrationError: confidence 0 must be from 0 to 1: it is NaN.'],
    [[0.5], [true], 0, 'expectedCalibrationError: bins must be an integer of at least 1: it is 0.'],
  ])('refuses %j, %j, %d', (confidences, correct, bins, message) => {
    expect(() => expectedCalibrationError(confidences, correct, bins)).toThrow(new ArgumentError(message));
  });
});
