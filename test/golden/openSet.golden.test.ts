import { OpenSetClassifier } from '@gmml/gmm';
import { tensor, type Tensor } from '@gmml/tensor';
import { describe, expect, it } from 'vitest';
import { differences, golden } from './golden.js';

interface Recorded {
  readonly name: string;
  readonly covariance: 'tied' | 'full';
  readonly priors: 'equal' | 'counts';
  readonly x: Tensor;
  readonly labels: Tensor;
  readonly queries: Tensor;
  readonly probabilities: Tensor;
  readonly logDensity: Tensor;
}

const { cases }: { cases: Recorded[] } = golden('openSet');

describe("OpenSetClassifier without shrinkage agrees with scikit-learn's discriminant analyses", () => {
  it.each(cases)('$name', ({ covariance, priors, x, labels, queries, probabilities, logDensity }) => {
    const [rows, features] = x.shape;
    const classifier = new OpenSetClassifier({ features, covariance, priors, shrinkage: 0 });
    for (let n = 0; n < rows; n++) {
      classifier.addExamples(String(labels.data[n]), x.data.slice(n * features, (n + 1) * features));
    }
    const answers = classifier.predict(
      Array.from({ length: queries.shape[0] }, (_, n) =>
        queries.data.slice(n * features, (n + 1) * features),
      ),
    );
    const actual = {
      probabilities: tensor(
        answers.map((answer) => ['0', '1', '2'].map((k) => answer.probabilities[k])),
        {
          dtype: 'float64',
        },
      ),
      logDensity: tensor(Float64Array.from(answers, (answer) => answer.logDensity)),
    };
    expect(differences(actual, { probabilities, logDensity }, 1e-9)).toEqual([]);
  });
});
