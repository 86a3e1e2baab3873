import { defaultTrainOptions, InformationRequest, parseOptions, train, UsageError } from '@gmml/cli';
import { describe, expect, test } from 'vitest';

/** What `--preset best` stands for, with the optimizer's learning rate. */
const best = {
  epochs: 10,
  components: 2,
  optimizer: 'adam',
  lr: 0.001,
  augment: ['shift'],
  schedule: 'cosine',
} as const;

describe('parseOptions', () => {
  test('without arguments gives the documented defaults', () => {
    expect(parseOptions([])).toEqual({ ...defaultTrainOptions, json: false, quiet: false });
    expect(parseOptions([])).toEqual({
      batchSize: 64,
      testBatchSize: 1000,
      epochs: 14,
      model: 'cnn',
      optimizer: 'adadelta',
      lr: 1,
      weightDecay: 0,
      schedule: 'step',
      gamma: 0.7,
      augment: [],
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
    ['--val-split .1 --no-open-set', { valSplit: 0.1, openSet: false }],
    ['--json', { json: true }],
    ['--quiet', { quiet: true }],
    ['--download mnist', { download: 'mnist' }],
    ['--download fashion-mnist --data a', { download: 'fashion-mnist', data: 'a' }],
    ['--download mnist --mirror http://a/b', { download: 'mnist', mirror: 'http://a/b' }],
    ['--model mlp', { model: 'mlp' }],
    ['--model linear-probe', { model: 'linear-probe' }],
    ['--optimizer sgd', { optimizer: 'sgd', lr: 0.01 }],
    ['--optimizer adam', { optimizer: 'adam', lr: 0.001 }],
    ['--optimizer adamw --lr .01', { optimizer: 'adamw', lr: 0.01 }],
    ['--optimizer adadelta', {}],
    ['--optimizer sgd --momentum 0', { optimizer: 'sgd', lr: 0.01, momentum: 0 }],
    ['--weight-decay 1e-4', { weightDecay: 1e-4 }],
    ['--schedule cosine', { schedule: 'cosine' }],
    ['--augment shift', { augment: ['shift'] }],
    ['--augment rotate,shift', { augment: ['rotate', 'shift'] }],
    ['--augment none', {}],
    ['--val-split .1 --early-stop 3', { valSplit: 0.1, earlyStop: 3 }],
    ['--preset best', { preset: 'best', ...best }],
    ['--preset best --epochs 3', { preset: 'best', ...best, epochs: 3 }],
    ['--epochs 3 --augment none --preset best', { preset: 'best', ...best, epochs: 3, augment: [] }],
    ['--preset best --schedule step --gamma .5', { preset: 'best', ...best, schedule: 'step', gamma: 0.5 }],
    ['--preset best --optimizer sgd', { preset: 'best', ...best, optimizer: 'sgd', lr: 0.01 }],
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
    ['--model resnet', "--model must be one of cnn, mlp, linear-probe: it is 'resnet'."],
    ['--optimizer Adam', "--optimizer must be one of adadelta, sgd, adam, adamw: it is 'Adam'."],
    ['--momentum 1', "--momentum must be a number from 0 and below 1: it is '1'."],
    ['--weight-decay -1', "--weight-decay must be a number of at least 0: it is '-1'."],
    ['--schedule linear', "--schedule must be one of step, cosine: it is 'linear'."],
    ['--augment flip', "--augment must be 'none' or a list of shift, rotate: it is 'flip'."],
    ['--augment shift,shift', "--augment must be 'none' or a list of shift, rotate: it is 'shift,shift'."],
    ['--augment=', "--augment must be 'none' or a list of shift, rotate: it is ''."],
    ['--early-stop 0', "--early-stop must be an integer from 1 to 1000000: it is '0'."],
    ['--preset fast', "--preset must be best: it is 'fast'."],
    ['--momentum 0.9', '--momentum belongs to --optimizer sgd: it cannot go with adadelta. Leave one out.'],
    [
      '--momentum 0 --optimizer adam',
      '--momentum belongs to --optimizer sgd: it cannot go with adam. Leave one out.',
    ],
    [
      '--early-stop 3',
      '--early-stop needs images that are held out: --val-split is 0. Give --val-split 0.1, or another share.',
    ],
    [
      '--schedule cosine --gamma 0.7',
      '--gamma belongs to --schedule step: it cannot go with cosine. Leave one out.',
    ],
    [
      '--preset best --gamma 0.7',
      '--gamma belongs to --schedule step: it cannot go with cosine, which --preset best stands for. ' +
        'Give --schedule step with it.',
    ],
  ])('refuses %s', (args, message) => {
    expect(() => parseOptions(args.split(' '))).toThrow(new UsageError(message));
  });

  test.each<[string, Parameters<typeof train>[0], string]>([
    [
      'momentum',
      { optimizer: 'adamw', momentum: 0.5 },
      '--momentum belongs to --optimizer sgd: it cannot go with adamw. Leave one out.',
    ],
    [
      'early stopping',
      { earlyStop: 1 },
      '--early-stop needs images that are held out: --val-split is 0. Give --val-split 0.1, or another share.',
    ],
    [
      'no early stopping at once',
      { earlyStop: 0, valSplit: 0.1 },
      '--early-stop must be an integer of at least 1: it is 0.',
    ],
    [
      'known networks',
      { model: 'resnet' as 'cnn' },
      "--model must be one of cnn, mlp, linear-probe: it is 'resnet'.",
    ],
    [
      'known movements',
      { augment: ['shift', 'flip' as 'rotate'] },
      "--augment must be one of shift, rotate: it is 'flip'.",
    ],
  ])('of train() are checked too: %s', async (_, options, message) => {
    await expect(train(options)).rejects.toThrow(new UsageError(message));
  });

  test('says in --help what a preset stands for', () => {
    const help = (): unknown => parseOptions(['--help']);
    expect(help).toThrow(InformationRequest);
    const said = catching(help).replaceAll(/\s+/g, ' ');
    expect(said).toContain(
      'best is --epochs 10 --components 2 --optimizer adam --augment shift --schedule cosine',
    );
  });

  test('takes --help and --version for what they are', () => {
    expect(() => parseOptions(['--help'])).toThrow(InformationRequest);
    expect(() => parseOptions(['--version'])).toThrow(InformationRequest);
  });
});

/** The text of the request that a call ends in. */
function catching(call: () => unknown): string {
  try {
    return String(call());
  } catch (error) {
    return (error as InformationRequest).text;
  }
}
