import { describe, expect, it } from 'vitest';
import { MultivariateNormal, OpenSetClassifier } from '@gmml/gmm';
import { openSetParameters, type NormalParameters } from '@gmml/gmm/parameters';
import { Generator, tensor, zeros, type Tensor } from '@gmml/tensor';
import { LABELS, trained, vectorsOf } from './openSetExamples.js';

const D = 4;

/** The distribution that the numbers describe. */
function normalOf({ mean, scale }: NormalParameters): MultivariateNormal {
  const location = tensor(mean);
  if (scale.length === D) return new MultivariateNormal(location, { scaleDiag: tensor(scale) });
  const scaleTril = zeros([D, D], { dtype: 'float64' });
  for (let i = 0, at = 0; i < D; i++) for (let j = 0; j <= i; j++) scaleTril.data[i * D + j] = scale[at++];
  return new MultivariateNormal(location, { scaleTril });
}

describe('openSetParameters', () => {
  it.each(['tied', 'full', 'diag'] as const)(
    'describes the densities that predict computes (%s)',
    (covariance) => {
      const classifier = trained(30, { covariance, shrinkage: 0.2, priors: 'counts' });
      classifier.addExamples('ant', vectorsOf(0, 20, D, new Generator(2)));
      const { labels, logPriors, normals, calibration } = openSetParameters(classifier);
      expect(labels).toEqual(LABELS);
      expect(logPriors).toBeAllClose([50, 30, 30].map((count) => Math.log(count / 110)));
      expect(calibration).toBeNull();
      expect(new Set(normals.map(({ scale }) => scale)).size).toBe(covariance === 'tied' ? 1 : 3);
      const [vector] = vectorsOf(1, 1, D, new Generator(3));
      const x: Tensor = tensor(vector);
      const joint = tensor(
        Float64Array.from(normals, (normal, k) => logPriors[k] + normalOf(normal).logProb(x).item()),
      );
      const { logDensity, probabilities } = classifier.predict(vector);
      expect(logDensity).toBeAllClose(joint.logSumExp(0).item());
      expect(Object.values(probabilities)).toBeAllClose(joint.softmax(0).data);
    },
  );

  it('has what the scores of a calibration need, and no more', () => {
    const classifier = trained(60, { covariance: 'full', score: ['density', 'nearest'] });
    classifier.calibrate({ keep: 0.9 });
    const { keep, scores, groups, rankings, combined, ...rest } = openSetParameters(classifier).calibration!;
    expect([keep, scores, [...groups]]).toEqual([0.9, ['density', 'nearest'], [0, 1, 2]]);
    expect(Object.keys(rankings)).toEqual(['density', 'nearest']);
    expect(rankings.density!.map(({ length }) => length)).toEqual([60, 60, 60]);
    expect(combined.length).toBe(180);
    expect(Object.keys(rest)).toEqual(['neighbours']);
    expect([...rest.neighbours!.starts]).toEqual([0, 60, 120, 180]);
    expect(rest.neighbours!.whitened.length).toBe(180 * D);
    const all = trained(60, { covariance: 'full' });
    all.calibrate();
    const { calibration } = openSetParameters(all);
    expect(Object.keys(calibration!)).toEqual(
      expect.arrayContaining(['background', 'regular', 'neighbours', 'medianLengths', 'lengthTolerance']),
    );
    expect(calibration!.medianLengths!.length).toBe(3);
  });

  it('calibrates anew when examples have come, as predict does', () => {
    const classifier = trained(30);
    classifier.calibrate();
    classifier.addExamples('dog', vectorsOf(3, 10, D, new Generator(4)));
    expect(openSetParameters(classifier).calibration!.combined.length).toBe(100);
  });

  it('wants examples', () => {
    expect(() => openSetParameters(new OpenSetClassifier({ features: D }))).toThrow(
      'openSetParameters: there must be examples: there are none. Call addExamples first.',
    );
  });
});
