import { jsonReporter, textReporter } from '@gmml/cli';
import type { EpochResult, Reporter } from '@gmml/cli';
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

/** Everything a run can tell, told once. */
function tellAll(make: (print: (line: string) => void, printError: (line: string) => void) => Reporter) {
  const printed: string[] = [];
  const errors: string[] = [];
  const reporter = make(
    (line) => printed.push(line),
    (line) => errors.push(line),
  );
  reporter.start({ trainCount: 7996, testCount: 2004, head: 'GMM head', backend: 'reference', threads: 1 });
  reporter.batch({ epoch: 1, seen: 640, trainCount: 7996, loss: 0.43214 });
  reporter.epoch(result);
  reporter.saved('a.safetensors');
  reporter.warn('fewer threads');
  reporter.finish(result);
  return { printed, errors };
}

describe('reporters', () => {
  test('text', () => {
    expect(tellAll(textReporter)).toEqual({
      printed: [
        'Training on 7996 digits, testing on 2004. GMM head.',
        'Backend reference, 1 thread.',
        'Train Epoch: 1 [640/7996 (8%)]  Loss: 0.4321',
        'Epoch 2: train loss 0.5123, test loss 0.2500, test accuracy 1949/2004 (97.26 %), 12.3 s',
        'Saved the model to a.safetensors',
        'Test accuracy after 2 epochs: 97.26 %',
      ],
      errors: ['fewer threads'],
    });
  });

  test('JSON: one line an epoch, nothing else', () => {
    expect(tellAll(jsonReporter)).toEqual({
      printed: ['{"epoch":2,"trainLoss":0.51234,"testLoss":0.25,"testAccuracy":0.9725,"seconds":12.345}'],
      errors: ['fewer threads'],
    });
  });
});
