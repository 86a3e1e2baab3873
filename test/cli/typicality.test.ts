// What the report's classifier is made of, and what sets its threshold.
import { OpenSetClassifier } from '@gmml/gmm';
import { Generator } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import type { HeadOutputs } from '../../packages/cli/src/openSet/headOutputs.js';
import { typicalities } from '../../packages/cli/src/openSet/typicality.js';

const KEEP = 0.9;
const CLASSES = ['3', '5'];

/** Of rows around (0, 0) and (4, 4) in turns, with a posterior that knows them. */
function outputsOf(count: number, generator: Generator): HeadOutputs {
  const features = Float32Array.from({ length: 2 * count }, (_, at) => {
    const ofSecond = Math.floor(at / 2) % 2;
    return 4 * ofSecond + generator.normal();
  });
  const logPosteriors = Float32Array.from({ length: 2 * count }, (_, at) =>
    Math.log(at % 2 === Math.floor(at / 2) % 2 ? 0.9 : 0.1),
  );
  return { count, features, logPosteriors };
}

function rowsOf(values: Float32Array, from: number, to: number): Float32Array[] {
  return Array.from({ length: to - from }, (_, n) => values.subarray(2 * (from + n), 2 * (from + n + 1)));
}

describe('typicality', () => {
  const generator = new Generator(5);
  const known = outputsOf(160, generator);
  const digits = Array.from({ length: known.count }, (_, n) => (n % 2 === 0 ? 3 : 5));
  const labels = digits.map(String);
  const asked = outputsOf(40, generator);

  /** The answer of a classifier with the first `examples` of the known rows, the threshold set by those from `from` on. */
  function expected(examples: number, from: number): number[] {
    const classifier = new OpenSetClassifier({ features: 2, covariance: 'full' });
    for (const label of CLASSES) {
      const own = rowsOf(known.features, 0, examples).filter((_, n) => labels[n] === label);
      classifier.addExamples(label, own);
    }
    classifier.calibrate({
      keep: KEEP,
      examples: rowsOf(known.features, from, known.count),
      labels: labels.slice(from),
      leaveOut: examples > from,
    });
    return classifier.predict(rowsOf(asked.features, 0, asked.count)).map((answer) => answer.typicality!);
  }

  const places = Array.from({ length: 40 }, (_, n) => 120 + n);

  test('ranks among inputs that were held out, which are no examples', () => {
    const [{ features, featuresAndPosterior }] = typicalities(
      known,
      digits,
      { places, areHeldOut: true },
      [asked],
      KEEP,
    );
    expect([...features]).toEqual(expected(120, 120));
    expect(featuresAndPosterior.length).toBe(40);
  });

  test('ranks among examples as if each had been left out', () => {
    const [{ features }] = typicalities(known, digits, { places, areHeldOut: false }, [asked], KEEP);
    expect([...features]).toEqual(expected(160, 120));
    expect([...features]).not.toEqual(expected(120, 120));
  });
});
