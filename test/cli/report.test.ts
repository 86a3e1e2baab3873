import { jsonReporter, quietReporter, textReporter } from '@gmml/cli';
import type { EpochResult, OpenSetReport, Reporter, UnknownResult } from '@gmml/cli';
import { describe, expect, test } from 'vitest';

const result: EpochResult = {
  epoch: 2,
  trainLoss: 0.51234,
  testLoss: 0.25,
  testAccuracy: 0.9725,
  testCorrect: 1949,
  testCount: 2004,
  seconds: 12.345,
};

const unknown: UnknownResult = {
  count: 2004,
  features: { auroc: 0.98765, fpr95: 0.04567, rejected: 0.9 },
  featuresAndPosterior: { auroc: 1, fpr95: 0, rejected: 1 },
  softmax: { auroc: 0.87654, fpr95: 0.5 },
};

const ofMixture: UnknownResult = { ...unknown, density: { auroc: 0.5, fpr95: 1 } };

const openSet: OpenSetReport = {
  testCount: 2004,
  trainedHead: { accuracy: 0.9725, nll: 0.09968, ece: 0.0136 },
  fittedHead: { accuracy: 1, nll: 12.34567, ece: 0.2, shrinkage: 0.05 },
  keep: 0.95,
  threshold: { count: 2500, areHeldOut: false },
  coverage: { features: 0.92715, featuresAndPosterior: 1 },
  unknown: { noise: ofMixture, permuted: ofMixture },
};

type MakeReporter = (print: (line: string) => void, printError: (line: string) => void) => Reporter;

/** Everything a run can tell, told once. */
function tellAll(make: MakeReporter) {
  const printed: string[] = [];
  const errors: string[] = [];
  const reporter = make(
    (line) => printed.push(line),
    (line) => errors.push(line),
  );
  const file = { file: 'a.gz', received: 0, size: 9_912_422, host: 'example.org' };
  reporter.download(file);
  reporter.download({ ...file, received: 1000 });
  reporter.start({ trainCount: 7996, testCount: 2004, head: 'GMM head', backend: 'reference', threads: 1 });
  reporter.step({ epoch: 1, epochs: 2, seen: 0, seenAfter: 64, trainCount: 7996, loss: 1 });
  reporter.batch({ epoch: 1, epochs: 2, seen: 640, seenAfter: 704, trainCount: 7996, loss: 0.43214 });
  reporter.testing({ done: 0, total: 2004 });
  reporter.epoch(result);
  reporter.saved('a.safetensors');
  reporter.reported('a.html');
  reporter.warn('fewer threads');
  reporter.openSet(openSet);
  reporter.finish(result);
  reporter.close();
  return { printed, errors };
}

describe('reporters', () => {
  test('text', () => {
    expect(tellAll(textReporter)).toEqual({
      printed: [
        'Fetching a.gz (9.9 MB) from example.org …',
        'Training on 7996 digits, testing on 2004. GMM head.',
        'Backend reference, 1 thread.',
        'Train Epoch: 1 [640/7996 (8%)]  Loss: 0.4321',
        'Epoch 2: train loss 0.5123, test loss 0.2500, test accuracy 1949/2004 (97.26 %), 12.3 s',
        'Saved the model to a.safetensors',
        'Wrote the report to a.html',
        ...linesOf(openSet),
        'Test accuracy after 2 epochs: 97.26 %',
      ],
      errors: ['fewer threads'],
    });
  });

  test('quiet: the last line alone', () => {
    expect(tellAll(quietReporter)).toEqual({
      printed: ['Test accuracy after 2 epochs: 97.26 %'],
      errors: ['fewer threads'],
    });
  });

  test('JSON: one line an epoch, one of the open-set report, nothing else', () => {
    const { printed, errors } = tellAll(jsonReporter);
    expect({ printed: printed.slice(0, 1), errors }).toEqual({
      printed: ['{"epoch":2,"trainLoss":0.51234,"testLoss":0.25,"testAccuracy":0.9725,"seconds":12.345}'],
      errors: ['fewer threads'],
    });
    expect(printed.slice(1).map((line): unknown => JSON.parse(line))).toEqual([openSet]);
  });
});

function linesOf(report: OpenSetReport): string[] {
  const lines: string[] = [];
  textReporter(
    (line) => lines.push(line),
    () => {},
  ).openSet(report);
  return lines;
}

test('a data set whose classes have names has images, not digits', () => {
  const printed: string[] = [];
  const run = { trainCount: 90, testCount: 20, head: 'Head', backend: 'wasm', threads: 2 };
  const reporter = textReporter(
    (line) => printed.push(line),
    () => {},
  );
  reporter.start({ ...run, unseen: 1, classNames: ['Coat', 'Bag'] });
  reporter.start({ ...run, unseen: 1 });
  expect([printed[0], printed[2]]).toEqual([
    'Training on 90 images, testing on 20, without Bag. Head.',
    'Training on 90 digits, testing on 20, without digit 1. Head.',
  ]);
});

test.each([
  [
    textReporter,
    'Epoch 2: train loss 0.5123, validation loss 0.3000 (96.50 %), test loss 0.2500, ' +
      'test accuracy 1949/2004 (97.26 %), 12.3 s',
    'Ended after epoch 5: back to the weights of epoch 2, whose validation loss is the lowest.',
  ],
  [
    jsonReporter,
    '{"epoch":2,"trainLoss":0.51234,"valLoss":0.3,"valAccuracy":0.965,"testLoss":0.25,"testAccuracy":0.9725,"seconds":12.345}',
    '{"bestEpoch":2,"epochs":5}',
  ],
])('held-out images and early stopping: $name', (make, epoch, back) => {
  const printed: string[] = [];
  const reporter = make(
    (line) => printed.push(line),
    () => {},
  );
  const held = { ...result, valLoss: 0.3, valAccuracy: 0.965 };
  reporter.epoch(held);
  reporter.backTo(held, 5);
  expect(printed).toEqual([epoch, back]);
});

describe('the open-set report as a table', () => {
  test('of a mixture head', () => {
    expect(linesOf(openSet).join('\n')).toMatchInlineSnapshot(`
      "
      On 2004 test digits                 accuracy         NLL     calibration error
        head as trained                    97.25 %      0.0997                1.36 %
        head fitted to the features       100.00 %     12.3457               20.00 %

      Unknown inputs        features alone      with posterior     softmax   density
                            AUROC    FPR95      AUROC    FPR95       AUROC     AUROC
        noise               0.988    4.6 %      1.000    0.0 %       0.877     0.500
        permuted            0.988    4.6 %      1.000    0.0 %       0.877     0.500

      Threshold set to keep 95 % of known digits, by 2500 trained on
        test digits kept            92.7 %             100.0 %

      AUROC: probability that a known digit looks more typical than an unknown input;
      0.5 is guessing. FPR95: unknown inputs accepted where 95 % of known digits are.
      softmax, density: by the trained head's largest probability or its density.
      Inputs trained on look more typical than new ones: --val-split holds some out.
      "
    `);
  });

  test('of a linear head, with a digit that was left out', () => {
    const report = {
      ...openSet,
      unseen: 7,
      keep: 0.995,
      threshold: { count: 990, areHeldOut: true },
      unknown: { noise: unknown, unseen: unknown },
    };
    expect(linesOf(report).join('\n')).toMatchInlineSnapshot(`
      "
      On 2004 test digits                 accuracy         NLL     calibration error
        head as trained                    97.25 %      0.0997                1.36 %
        head fitted to the features       100.00 %     12.3457               20.00 %

      Unknown inputs        features alone      with posterior     softmax
                            AUROC    FPR95      AUROC    FPR95       AUROC
        noise               0.988    4.6 %      1.000    0.0 %       0.877
        digit 7             0.988    4.6 %      1.000    0.0 %       0.877

      Threshold set to keep 99.5 % of known digits, by 990 held out
        test digits kept            92.7 %             100.0 %
        digit 7 rejected            90.0 %             100.0 %

      AUROC: probability that a known digit looks more typical than an unknown input;
      0.5 is guessing. FPR95: unknown inputs accepted where 95 % of known digits are.
      softmax: by the trained head's largest probability.
      "
    `);
  });

  test('of a data set whose classes have names', () => {
    const report = {
      ...openSet,
      unseen: 1,
      classNames: ['Coat', 'Ankle boot'],
      unknown: { unseen: unknown },
    };
    const lines = linesOf(report);
    expect(lines[1]).toMatch(/^On 2004 test images {8}/);
    expect(lines.filter((line) => line.includes('Ankle boot'))).toEqual([
      '  Ankle boot          0.988    4.6 %      1.000    0.0 %       0.877',
      '  Ankle boot rejected         90.0 %             100.0 %',
    ]);
    expect(lines.join(' ')).not.toContain('digit');
  });

  test('fits into 80 columns, whatever the numbers', () => {
    const all = { auroc: 1, fpr95: 1, rejected: 1 };
    const most = { count: 60_000, features: all, featuresAndPosterior: all, softmax: all, density: all };
    const worst = { accuracy: 1, nll: 12_345.6789, ece: 1, shrinkage: 1 };
    const lines = linesOf({
      testCount: 60_000,
      trainedHead: worst,
      fittedHead: worst,
      keep: 0.99999,
      threshold: { count: 60_000, areHeldOut: false },
      coverage: { features: 1, featuresAndPosterior: 1 },
      unseen: 255,
      unknown: { noise: most, inverted: most, rotated: most, permuted: most, unseen: most },
    });
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});
