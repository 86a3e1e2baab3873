import { defaultTrainOptions, InformationRequest, parseOptions, UsageError } from '@gmml/cli';
import { describe, expect, test } from 'vitest';

describe('parseOptions', () => {
  test('without arguments gives the documented defaults', () => {
    expect(parseOptions([])).toEqual({ ...defaultTrainOptions, json: false, quiet: false });
    expect(parseOptions([])).toEqual({
      batchSize: 64,
      testBatchSize: 1000,
      epochs: 14,
      lr: 1,
      gamma: 0.7,
      seed: 1,
      logInterval: 10,
      dryRun: false,
      linearClassifier: false,
      covType: 'tril',
      components: 1,
      dim: 128,
      labelSmoothing: 0,
      valSplit: 0,
      openSet: true,
      keep: 0.95,
      backend: 'auto',
      threads: 'auto',
      checkpointEvery: 10,
      keepCheckpoints: 3,
      json: false,
      quiet: false,
    });
  });

  test.each([
    ['--batch-size 32', { batchSize: 32 }],
    ['--test-batch-size 500', { testBatchSize: 500 }],
    ['--epochs 20', { epochs: 20 }],
    ['--epochs=20', { epochs: 20 }],
    ['--lr 1.0', { lr: 1 }],
    ['--lr 5e-2', { lr: 0.05 }],
    ['--lr .5', { lr: 0.5 }],
    ['--gamma 1', { gamma: 1 }],
    ['--seed 0', { seed: 0 }],
    ['--seed 4294967295', { seed: 4294967295 }],
    ['--log-interval 1', { logInterval: 1 }],
    ['--dry-run', { dryRun: true }],
    ['--save-model', { saveModel: 'gmml-mnist.safetensors' }],
    ['--save-model --dry-run', { saveModel: 'gmml-mnist.safetensors', dryRun: true }],
    ['--save-model a.safetensors', { saveModel: 'a.safetensors' }],
    ['--linear-classifier', { linearClassifier: true }],
    ['--linear_classifier', { linearClassifier: true }],
    ['--cov-type diag', { covType: 'diag' }],
    ['--cov-type full', { covType: 'full' }],
    ['--components 3', { components: 3 }],
    ['--dim 64', { dim: 64 }],
    ['--data some/folder', { data: 'some/folder' }],
    ['--checkpoint run', { checkpoint: 'run' }],
    [
      '--checkpoint run --checkpoint-every 0 --keep-checkpoints 1',
      { checkpoint: 'run', checkpointEvery: 0, keepCheckpoints: 1 },
    ],
    ['--checkpoint run --checkpoint-every .5', { checkpoint: 'run', checkpointEvery: 0.5 }],
    ['--resume run', { resume: 'run', given: ['resume'] }],
    [
      '--linear_classifier --resume run --epochs 14',
      { linearClassifier: true, resume: 'run', epochs: 14, given: ['epochs', 'linearClassifier', 'resume'] },
    ],
    ['--backend reference', { backend: 'reference' }],
    ['--threads 4', { threads: 4 }],
    ['--threads auto', { threads: 'auto' }],
    ['--no-open-set', { openSet: false }],
    ['--unseen 7', { unseen: 7 }],
    ['--unseen 0', { unseen: 0 }],
    ['--keep 0.9', { keep: 0.9 }],
    ['--unseen 7 --keep .99', { unseen: 7, keep: 0.99 }],
    ['--label-smoothing 0.1', { labelSmoothing: 0.1 }],
    ['--label-smoothing 1', { labelSmoothing: 1 }],
    ['--val-split 0', { valSplit: 0 }],
    ['--val-split .1', { valSplit: 0.1 }],
    ['--json', { json: true }],
    ['--quiet', { quiet: true }],
    ['--download mnist', { download: 'mnist' }],
    ['--download fashion-mnist --data a', { download: 'fashion-mnist', data: 'a' }],
    ['--download mnist --mirror http://a/b', { download: 'mnist', mirror: 'http://a/b' }],
    ['--epochs 2 --epochs 3', { epochs: 3 }],
  ])('reads %s', (args, changed) => {
    expect(parseOptions(args.split(' '))).toEqual({
      ...defaultTrainOptions,
      json: false,
      quiet: false,
      ...changed,
    });
  });

  test.each([
    ['--batch-size 0', "--batch-size must be an integer from 1 to 1000000: it is '0'."],
    ['--batch-size 1.5', "--batch-size must be an integer from 1 to 1000000: it is '1.5'."],
    ['--test-batch-size -3', "--test-batch-size must be an integer from 1 to 1000000: it is '-3'."],
    ['--epochs 0', "--epochs must be an integer from 1 to 1000000: it is '0'."],
    ['--epochs 1e3', "--epochs must be an integer from 1 to 1000000: it is '1e3'."],
    ['--epochs=', "--epochs must be an integer from 1 to 1000000: it is ''."],
    ['--lr 0', "--lr must be a number above 0: it is '0'."],
    ['--lr -1', "--lr must be a number above 0: it is '-1'."],
    ['--lr NaN', "--lr must be a number above 0: it is 'NaN'."],
    ['--lr Infinity', "--lr must be a number above 0: it is 'Infinity'."],
    ['--lr 1e999', "--lr must be a number above 0: it is '1e999'."],
    ['--lr 1,0', "--lr must be a number above 0: it is '1,0'."],
    ['--lr 0x10', "--lr must be a number above 0: it is '0x10'."],
    ['--gamma no', "--gamma must be a number above 0: it is 'no'."],
    ['--seed 4294967296', "--seed must be an integer from 0 to 4294967295: it is '4294967296'."],
    ['--log-interval ten', "--log-interval must be an integer from 1 to 1000000: it is 'ten'."],
    ['--cov-type spherical', "--cov-type must be one of diag, tril, full: it is 'spherical'."],
    ['--components 0', "--components must be an integer from 1 to 1000: it is '0'."],
    ['--dim 5000', "--dim must be an integer from 1 to 4096: it is '5000'."],
    ['--backend gpu', "--backend must be one of auto, wasm, reference: it is 'gpu'."],
    ['--threads 0', "--threads must be an integer from 1 to 256 or 'auto': it is '0'."],
    ['--unseen x', "--unseen must be a digit of the data: it is 'x'."],
    ['--unseen -1', "--unseen must be a digit of the data: it is '-1'."],
    ['--unseen 256', "--unseen must be a digit of the data: it is '256'."],
    ['--keep 1', "--keep must be a number above 0 and below 1: it is '1'."],
    ['--keep 0', "--keep must be a number above 0 and below 1: it is '0'."],
    ['--keep abc', "--keep must be a number above 0 and below 1: it is 'abc'."],
    ['--label-smoothing 1.1', "--label-smoothing must be a number from 0 to 1: it is '1.1'."],
    ['--label-smoothing -0.1', "--label-smoothing must be a number from 0 to 1: it is '-0.1'."],
    ['--val-split 1', "--val-split must be a number from 0 and below 1: it is '1'."],
    ['--data=', "--data must be a path: it is ''."],
    ['--epoch 3', "unknown option '--epoch' (Did you mean --epochs?). gmml-train --help lists the options."],
    ['--dry-run=yes', "unknown option '--dry-run=yes'. gmml-train --help lists the options."],
    ['-e 3', "unknown option '-e'. gmml-train --help lists the options."],
    ['--epochs', "option '--epochs <n>' argument missing. gmml-train --help lists the options."],
    ['--epochs 3 seven eight', "'seven' belongs to no option. gmml-train --help lists the options."],
    ['train', "'train' belongs to no option. gmml-train --help lists the options."],
    [
      '--linear-classifier --cov-type diag',
      '--cov-type shapes the mixture head: it cannot go with --linear-classifier. Leave one out.',
    ],
    [
      '--components 2 --linear_classifier',
      '--components shapes the mixture head: it cannot go with --linear-classifier. Leave one out.',
    ],
    ['--download cifar', "--download must be one of mnist, fashion-mnist: it is 'cifar'."],
    ['--download mnist --mirror a/b', "--mirror must be a URL with http or https: it is 'a/b'."],
    ['--mirror http://a/b', '--mirror says where --download fetches from: it cannot go without. Give both.'],
    ['--quiet --json', '--json and --quiet are two forms of the output: only one can be had. Leave one out.'],
    [
      '--unseen 3 --no-open-set',
      '--unseen is about the open-set report: it cannot go with --no-open-set. Leave one out.',
    ],
    [
      '--no-open-set --keep 0.95',
      '--keep is about the open-set report: it cannot go with --no-open-set. Leave one out.',
    ],
    ['--checkpoint=', "--checkpoint must be a path: it is ''."],
    [
      '--checkpoint run --checkpoint-every -1',
      "--checkpoint-every must be a number of at least 0: it is '-1'.",
    ],
    [
      '--checkpoint run --keep-checkpoints 0',
      "--keep-checkpoints must be an integer from 1 to 1000000: it is '0'.",
    ],
    [
      '--checkpoint-every 5 --resume run',
      '--checkpoint-every is about checkpoints: it needs --checkpoint. Name a folder, or leave it out.',
    ],
    [
      '--keep-checkpoints 5',
      '--keep-checkpoints is about checkpoints: it needs --checkpoint. Name a folder, or leave it out.',
    ],
    [
      '--no-open-set --val-split 0.1',
      '--val-split is about the open-set report: it cannot go with --no-open-set. Leave one out.',
    ],
  ])('refuses %s', (args, message) => {
    expect(() => parseOptions(args.split(' '))).toThrow(new UsageError(message));
  });

  test('takes --help and --version for what they are', () => {
    expect(() => parseOptions(['--help'])).toThrow(InformationRequest);
    expect(() => parseOptions(['--version'])).toThrow(InformationRequest);
  });
});
