import { auroc, expectedCalibrationError, falsePositiveRate } from '@gmml/cli';
import type { Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { golden } from './golden.js';

interface Detection {
  readonly name: string;
  readonly known: Tensor;
  readonly unknown: Tensor;
  readonly auroc: number;
  readonly kept: readonly number[];
  readonly falsePositiveRates: Tensor;
}

interface Calibrated {
  readonly name: string;
  readonly bins: number;
  readonly confidences: Tensor;
  readonly correct: Tensor;
  readonly error: number;
}

const recorded: { detections: Detection[]; calibrations: Calibrated[] } = golden('detection');

describe('detection agrees with scikit-learn', () => {
  it.each(recorded.detections)('$name', ({ known, unknown, auroc: area, kept, falsePositiveRates }) => {
    expect(auroc(known.data, unknown.data)).toBeAllClose(area, { rtol: 1e-12, atol: 0 });
    expect(kept.map((share) => falsePositiveRate(known.data, unknown.data, share))).toEqual([
      ...falsePositiveRates.data,
    ]);
  });
});

describe('the expected calibration error agrees with scikit-learn', () => {
  it.each(recorded.calibrations)('$name', ({ bins, confidences, correct, error }) => {
    const right = Array.from(correct.data, (value) => value === 1);
    expect(expectedCalibrationError(confidences.data, right, bins)).toBeAllClose(error, {
      rtol: 1e-12,
      atol: 1e-15,
    });
  });
});
