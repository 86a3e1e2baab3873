// gmml export: what it writes answers in onnxruntime-web as the model does, and what it says where it cannot.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadNetwork, train, type TrainOptions } from '@gmml/cli';
import { GaussianMixture, GMML, OpenSetClassifier } from '@gmml/gmm';
import { ClassStatistics, modelToSafetensors, type FittedModel } from '@gmml/gmm/statistics';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { Generator, noGrad, randn, tensor, type Tensor } from '@gmml/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import { exportCommand } from '../../packages/cli/src/commands/export.js';
import { temporaryFolder } from '../data/idxFiles.js';
import { atNormalScale, decoded, expectAnswers, load, mixtureAnswers, type Answer } from '../onnx/runtime.js';
import { gmml } from './process.js';
import { tinyDigits } from './tinyDigits.js';

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

let folder: string;
let at: (name: string) => string;

beforeEach(() => {
  folder = temporaryFolder();
  at = (name) => join(folder, name);
});

/** The file of a network after one step of training. */
async function trained(options: Partial<TrainOptions>): Promise<string> {
  const short = { data: tinyDigits(), dryRun: true, batchSize: 10, dim: 16, openSet: false } as const;
  await train({ ...short, backend: 'reference', threads: 1, saveModel: at('network'), ...options });
  return at('network');
}

/** What the command writes, run here. */
async function exported(...args: readonly string[]): Promise<Uint8Array> {
  await exportCommand()
    .exitOverride()
    .parseAsync([...args, '--output', at('exported')], { from: 'user' });
  return readFileSync(at('exported'));
}

function onnxOf(path: string): Promise<Uint8Array> {
  return exported(path, '--format', 'onnx');
}

function metadataOf(bytes: Uint8Array): Record<string, string> {
  return Object.fromEntries(decoded(bytes).metadataProps.map(({ key, value }) => [key, value]));
}

function saved(name: string, model: FittedModel, labels?: readonly string[]): string {
  writeFileSync(at(name), modelToSafetensors(model, labels));
  return at(name);
}

describe('a network of gmml-train', { timeout: LONG }, () => {
  test.each<Partial<TrainOptions>>([
    { covType: 'diag' },
    { covType: 'tril', components: 2, unseen: 3 },
    { covType: 'full' },
    { linearClassifier: true },
  ])('answers as our forward does: %j', async (options) => {
    const path = await trained(options);
    const { network, labels } = loadNetwork(path);
    const bytes = await onnxOf(path);
    const answer = await load(bytes);
    const generator = new Generator(2);
    const cases = [1, 7].map((batch) => {
      const x = randn([batch, 1, 28, 28], { generator });
      return { x, expected: answersOf(network, x), tolerance: atNormalScale };
    });
    await expectAnswers(answer, cases);
    const known = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((digit) => digit !== options.unseen).map(String);
    expect(labels).toEqual(known);
    expect(metadataOf(bytes)).toMatchObject({
      head: options.linearClassifier ? 'Linear' : 'GMML',
      labels: JSON.stringify(known),
      network: 'reference-cnn',
      pixelMean: '0.1307',
      pixelStd: '0.3081',
    });
  });

  test('comes from standard input and goes to standard output, or to a file, whole', async () => {
    const path = await trained({});
    const [streamed, filed] = await Promise.all([
      gmml(['export', '-', '--format', 'onnx'], readFileSync(path)),
      gmml(['export', path, '--format', 'onnx', '--output', at('onnx')]),
    ]);
    expect(filed).toMatchObject({ code: 0, stderr: '', stdout: Buffer.alloc(0) });
    expect(streamed).toMatchObject({ code: 0, stderr: '' });
    expect(streamed.stdout.equals(readFileSync(at('onnx')))).toBe(true);
    expect(readdirSync(folder).toSorted()).toEqual(['network', 'onnx']);
  });

  test('is exported again from its export for torch', async () => {
    const path = await trained({});
    const before = await onnxOf(path);
    const state = await exported(path, '--format', 'torch');
    const [theirs, ours] = [state, readFileSync(path)].map(parseSafetensors);
    expect(theirs.metadata).toEqual({ ...ours.metadata, format: 'pt' });
    expect(Object.keys(theirs.tensors)).toEqual(Object.keys(ours.tensors));
    writeFileSync(at('for-torch'), state);
    expect(Buffer.from(await onnxOf(at('for-torch'))).equals(before)).toBe(true);
  });
});

describe('what was fitted', { timeout: LONG }, () => {
  const generator = new Generator(4);
  const sample = randn([90, 3], { generator });
  const x = randn([7, 3], { generator, dtype: 'float64' }).mul(2);

  test('a layer', async () => {
    const layer = new GMML(3, 3, 4, { covType: 'full', generator });
    const bytes = await onnxOf(saved('layer', layer, ['a', 'b', 'c', 'd']));
    const single = x.to('float32');
    await expectAnswers(await load(bytes), [
      { x: single, expected: mixtureAnswers(layer, single), tolerance: atNormalScale },
    ]);
    expect(metadataOf(bytes)).toEqual({ head: 'GMML', labels: '["a","b","c","d"]' });
  });

  test('a mixture', async () => {
    const mixture = new GaussianMixture({ components: 2, generator }).fit(sample);
    const bytes = await onnxOf(saved('mixture', mixture));
    const answers = await (await load(bytes))(x);
    expect(answers.logDensity.data).toBeAllClose(mixture.scoreSamples(x).data, { rtol: 1e-4, atol: 1e-4 });
    expect(answers.label.data).toEqual(Float64Array.from(mixture.predict(x).data));
    expect(metadataOf(bytes)).toEqual({ head: 'GaussianMixture' });
  });

  test('a calibrated classifier', async () => {
    const classifier = new OpenSetClassifier({ features: 3 });
    classifier.addExamples('known', sample);
    classifier.calibrate({ keep: 0.9 });
    const bytes = await onnxOf(saved('classifier', classifier));
    const { typicality } = await (await load(bytes))(x);
    const expected = [classifier.predict(x)].flat().map((answer) => answer.typicality!);
    expect(typicality.data).toBeAllClose(expected, { rtol: 1e-4, atol: 1e-4 });
    expect(metadataOf(bytes)).toEqual({ head: 'OpenSetClassifier', labels: '["known"]', keep: '0.9' });
  });

  test('as cholesky of what is gram', async () => {
    const layer = new GMML(3, 3, 2, { parametrization: 'gram', generator });
    const path = saved('gram', layer);
    const stateOf = async (...args: readonly string[]): Promise<string[]> => {
      const { tensors, metadata } = parseSafetensors(await exported(path, '--format', 'torch', ...args));
      return [metadata.parametrization, ...Object.keys(tensors).toSorted()];
    };
    expect(await stateOf()).toEqual(['gram', 'bottleneck.weight', 'mu_p', 'omega_p', 'sigma_p']);
    expect(await stateOf('--parametrization', 'cholesky')).toEqual([
      'cholesky',
      'logPrior',
      'logTemperature',
      'mean',
      'omega',
      'projection',
      'sigma',
    ]);
  });
});

describe('where it cannot', { timeout: LONG }, () => {
  const remedy = 'Give a file of gmml-train --save-model, gmml merge or gmml init.';

  test.each<[args: () => string[] | Promise<string[]>, message: () => string]>([
    [() => [at('x'), '--format', 'tflite'], () => "--format must be one of onnx, torch: it is 'tflite'."],
    [
      () => [at('x'), '--format', 'onnx', '--parametrization', 'gram'],
      () => '--parametrization is for --format torch: it cannot go with --format onnx. Leave it out.',
    ],
    [
      async () => [
        await trained({ linearClassifier: true }),
        '--format',
        'torch',
        '--parametrization',
        'gram',
      ],
      () =>
        '--parametrization gram is for a mixture head: the model is a network with a linear head. Leave it out.',
    ],
    [
      () => [
        saved('x', new GaussianMixture().fit([[0], [1]])),
        '--format',
        'torch',
        '--parametrization',
        'gram',
      ],
      () => '--parametrization gram is for a mixture head: the model is a GaussianMixture. Leave it out.',
    ],
    [
      () => [written('x', serializeSafetensors({ a: tensor([1]) })), '--format', 'onnx'],
      () =>
        `${at('x')} must be a model of gmml: modelFromSafetensors: the format must be 'gmml.GaussianMixture.1', 'gmml.OpenSetClassifier.2' or 'gmml.GMML.1': it is missing. ${remedy}`,
    ],
    [
      () => [written('x', new ClassStatistics({ features: 2 }).toSafetensors()), '--format', 'onnx'],
      () => `${at('x')}: the file must be a model: it has statistics. Make the model with gmml merge.`,
    ],
    [
      () => [saved('x', new GMML(2, 2, 2)), '--format', 'torch', '--parametrization', 'gram'],
      () =>
        `${at('x')} cannot be exported: toGram: 'gram' has no temperature, logTemperature must be 0: it is -0.3465735912322998. Set it to 0, or keep 'cholesky'.`,
    ],
    [
      () => [saved('x', new OpenSetClassifier({ features: 2 })), '--format', 'onnx'],
      () =>
        `${at('x')} cannot be exported: openSetParameters: there must be examples: there are none. Call addExamples first.`,
    ],
  ])('%#', async (args, message) => {
    const given = await args();
    await expect(exported(...given)).rejects.toThrow(message());
    expect(readdirSync(folder)).not.toContain('exported');
  });

  test.each<[args: string[], code: number, message: string]>([
    [
      [],
      2,
      "required option '--format <name>' not specified. gmml --help lists the commands, gmml <command> --help their options.",
    ],
    [
      ['--format', 'onnx'],
      2,
      "missing required argument 'model'. gmml --help lists the commands, gmml <command> --help their options.",
    ],
    [['nothing', '--format', 'onnx'], 1, 'nothing must be a readable file: there is no such file.'],
    [
      ['-', '--format', 'onnx'],
      1,
      `standard input must be a model of gmml: parseSafetensors: a file must start with 8 bytes of header length: there are 0 bytes. ${remedy}`,
    ],
  ])('one line, and no bytes: %j', async (args, code, message) => {
    const run = await gmml(['export', ...args]);
    expect(run).toEqual({ code, stderr: `gmml: ${message}\n`, stdout: Buffer.alloc(0) });
  });

  test('a terminal gets no bytes', (context) => {
    context.skip(
      spawnSync('script', ['--version']).status !== 0,
      'no program that opens a terminal (script)',
    );
    const program = fileURLToPath(new URL('../../packages/cli/dist/gmml.js', import.meta.url));
    const command = `'${process.execPath}' '${program}' export nothing --format onnx`;
    const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' });
    expect(stdout.trim()).toBe(
      'gmml: The result is binary and must not go to a terminal: standard output is one. Give --output <file>, or redirect with > file.',
    );
    expect(status).toBe(2);
  });
});

function written(name: string, bytes: Uint8Array): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

function answersOf(network: ReturnType<typeof loadNetwork>['network'], x: Tensor): Record<string, Answer> {
  const { head } = network;
  if (!(head instanceof GMML)) {
    const logPosteriors = noGrad(() => network.forward(x));
    return { logPosteriors, label: logPosteriors.argmax(1) };
  }
  return mixtureAnswers(
    head,
    noGrad(() => network.features(x)),
  );
}
