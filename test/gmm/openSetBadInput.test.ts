import { describe, expect, it } from 'vitest';
import { OpenSetClassifier, type OpenSetOptions } from '@gmml/gmm';
import { ArgumentError, Generator, NotFiniteError, NumericalError, ShapeError, tensor } from '@gmml/tensor';
import { trained, vectorsOf } from './openSetExamples.js';

describe('bad input to OpenSetClassifier is refused before anything changes', () => {
  const bad = (call: (classifier: OpenSetClassifier) => unknown): (() => unknown) => {
    return () => call(trained(5));
  };

  it.each([
    [undefined, 'OpenSetClassifier: features must be an integer of at least 1: it is undefined.'],
    [{ features: 0 }, 'OpenSetClassifier: features must be an integer of at least 1: it is 0.'],
    [
      { features: 2, covariance: 'tril' },
      "OpenSetClassifier: covariance must be one of 'full', 'diag', 'tied': it is 'tril'.",
    ],
    [{ features: 2, shrinkage: 1.5 }, 'OpenSetClassifier: shrinkage must be from 0 to 1: it is 1.5.'],
    [
      { features: 2, priors: 'flat' },
      "OpenSetClassifier: priors must be one of 'equal', 'counts': it is 'flat'.",
    ],
    [
      { features: 2, score: 'softmax' },
      "OpenSetClassifier: score must be one of 'density', 'relative', 'regularized', 'nearest', 'norm': it is 'softmax'.",
    ],
    [{ features: 2, score: [] }, 'OpenSetClassifier: score must name a score: it names none.'],
  ])('options %j', (options, message) => {
    expect(() => new OpenSetClassifier(options as OpenSetOptions)).toThrow(new ArgumentError(message));
  });

  it('vectors of the wrong length', () => {
    expect(bad((c) => c.predict([1, 2]))).toThrow(
      new ShapeError('OpenSetClassifier.predict: vectors must have 4 numbers each: the vector has 2.'),
    );
    expect(
      bad((c) =>
        c.addExamples('ant', [
          [1, 2, 3, 4],
          [1, 2],
        ]),
      ),
    ).toThrow(
      new ShapeError('OpenSetClassifier.addExamples: vectors must have 4 numbers each: vector 1 has 2.'),
    );
    expect(bad((c) => c.predict(tensor([[1, 2]])))).toThrow(
      new ShapeError('OpenSetClassifier.predict: vectors must be [N, 4] or [4]: the tensor is [1, 2].'),
    );
  });

  it('numbers that are none', () => {
    expect(
      bad((c) =>
        c.addExamples('ant', [
          [1, 2, 3, 4],
          [1, NaN, 3, 4],
        ]),
      ),
    ).toThrow(
      new NotFiniteError(
        'OpenSetClassifier.addExamples: vectors must be finite and at most 1e100 in size: row 1, column 1 is NaN.',
      ),
    );
    expect(bad((c) => c.predict([1, Infinity, 3, 4]))).toThrow(
      new NotFiniteError(
        'OpenSetClassifier.predict: vectors must be finite and at most 1e100 in size: row 0, column 1 is Infinity.',
      ),
    );
    expect(bad((c) => c.predict([1, 'x', 3, 4] as never))).toThrow(
      new ArgumentError('OpenSetClassifier.predict: vectors must be numbers: row 0, column 1 is string.'),
    );
    expect(bad((c) => c.predict('abcd' as never))).toThrow(
      new ArgumentError(
        'OpenSetClassifier.predict: vectors must be a tensor, a vector or an array of vectors: it is string.',
      ),
    );
  });

  it('labels', () => {
    expect(bad((c) => c.addExamples('', [1, 2, 3, 4]))).toThrow(
      new ArgumentError(
        'OpenSetClassifier.addExamples: the label must be a string of Unicode with at least one character: it is "".',
      ),
    );
    expect(bad((c) => c.removeLabel('dog'))).toThrow(
      new ArgumentError(
        "OpenSetClassifier.removeLabel: the label must be known: 'dog' is not one of 'ant', 'bee', 'cat'.",
      ),
    );
    expect(bad((c) => c.calibrate({ examples: [[1, 2, 3, 4]], labels: ['dog'] }))).toThrow(
      new ArgumentError(
        "OpenSetClassifier.calibrate: the label must be known: 'dog' is not one of 'ant', 'bee', 'cat'.",
      ),
    );
    expect(bad((c) => c.calibrate({ examples: [[1, 2, 3, 4]], labels: [] }))).toThrow(
      new ShapeError('OpenSetClassifier.calibrate: one label per example: there are 0 for 1 examples.'),
    );
    expect(bad((c) => c.calibrate({ labels: ['ant'] }))).toThrow(
      new ArgumentError(
        'OpenSetClassifier.calibrate: labels, posterior, classes and leaveOut belong to examples: there are none. Give the examples they are of.',
      ),
    );
  });

  it('leaving out what cannot be', () => {
    const examples = [[1, 2, 3, 4]];
    expect(bad((c) => c.calibrate({ examples, leaveOut: true }))).toThrow(
      new ArgumentError(
        'OpenSetClassifier.calibrate: leaveOut needs the labels of the examples: there are none.',
      ),
    );
    const single = (): void => {
      const classifier = trained(5);
      classifier.addExamples('dog', examples);
      classifier.calibrate({ examples, labels: ['dog'], leaveOut: true });
    };
    expect(single).toThrow(
      new ArgumentError(
        "OpenSetClassifier.calibrate: leaveOut needs two examples of each label: 'dog' has one. Add more, or leave it out of the examples.",
      ),
    );
  });

  it('no examples', () => {
    const empty = new OpenSetClassifier({ features: 4 });
    empty.addExamples('ant', []);
    expect(empty.labels).toEqual([]);
    for (const [name, call] of [
      ['predict', () => empty.predict([1, 2, 3, 4])],
      ['calibrate', () => empty.calibrate()],
    ] as const) {
      expect(call).toThrow(
        new ArgumentError(
          `OpenSetClassifier.${name}: there must be examples: there are none. Call addExamples first.`,
        ),
      );
    }
  });

  it('a calibration that nothing can be told from', () => {
    for (const keep of [0, 1, NaN]) {
      expect(bad((c) => c.calibrate({ keep }))).toThrow(
        new ArgumentError(`OpenSetClassifier.calibrate: keep must be above 0 and below 1: it is ${keep}.`),
      );
    }
    expect(bad((c) => c.calibrate())).toThrow(
      new NumericalError(
        "OpenSetClassifier.calibrate: keep 0.95 needs at least 19 calibration samples: there are 15. Add examples (a label's count from the second on), give held-out ones as examples, or lower keep.",
      ),
    );
    expect(bad((c) => c.calibrate({ keep: 0.9, examples: vectorsOf(0, 8, 4, new Generator(1)) }))).toThrow(
      'OpenSetClassifier.calibrate: keep 0.9 needs at least 9 calibration samples: there are 8. ',
    );
    for (const [keep, needed] of [
      [0.9, 9],
      [0.99, 99],
      [0.999, 999],
      [0.5, 1],
      [0.75, 3],
    ] as const) {
      expect(bad((c) => c.calibrate({ keep, examples: [] }))).toThrow(`needs at least ${needed} calibration`);
    }
  });

  it('a posterior that is none', () => {
    expect(bad((c) => c.predict([1, 2, 3, 4], { posterior: [[-1], [-1]] }))).toThrow(
      new ShapeError(
        'OpenSetClassifier.predict: the posterior must have a row for each sample: it has 2, there are 1 samples.',
      ),
    );
    expect(bad((c) => c.predict([1, 2, 3, 4], { posterior: [-1, -2] }))).toThrow(
      new ShapeError(
        'OpenSetClassifier.predict: the posterior must have a column for each class: row 0 has 2, there are 3 classes. Name the label of each column by classes.',
      ),
    );
    expect(bad((c) => c.predict([1, 2, 3, 4], { posterior: [-1, -2], classes: ['dog', 'elk'] }))).toThrow(
      new ArgumentError(
        "OpenSetClassifier.predict: classes must name the label of each column of the posterior: they are 'dog', 'elk', of which none is known.",
      ),
    );
    expect(bad((c) => c.predict([1, 2, 3, 4], { posterior: [0.2, 0.8, 0] }))).toThrow(
      new ArgumentError(
        'OpenSetClassifier.predict: the posterior must be log-probabilities: the largest of row 0 is 0.8. Give the output of logSoftmax.',
      ),
    );
  });

  it('one that does not fit when merging', () => {
    expect(bad((c) => c.merge(trained(5, { covariance: 'full' })))).toThrow(
      new ArgumentError('OpenSetClassifier.merge: covariance must be the same: they are tied and full.'),
    );
    expect(bad((c) => c.merge(trained(5, { features: 3 })))).toThrow(
      new ArgumentError('OpenSetClassifier.merge: features must be the same: they are 4 and 3.'),
    );
  });

  it('and leaves everything as it was', () => {
    const classifier = trained(30);
    classifier.calibrate();
    const before = classifier.toSafetensors();
    const calls: [() => void, string][] = [
      [() => classifier.addExamples('ant', [[1, 2, 3, NaN]]), 'must be finite'],
      [() => classifier.removeLabel('dog'), 'must be known'],
      [() => classifier.merge(trained(5, { features: 3 })), 'must be the same'],
      [() => classifier.calibrate({ keep: 0.999 }), 'needs at least 999'],
    ];
    for (const [call, message] of calls) {
      expect(call).toThrow(message);
      expect(classifier.toSafetensors()).toEqual(before);
    }
  });
});
