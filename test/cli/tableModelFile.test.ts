// The file of gmml fit: every number comes back, and nothing else is taken for one.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { FormatError, tensor, type Tensor } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import {
  decodeTableModel,
  encodeTableModel,
  loadTableModel,
} from '../../packages/cli/src/tables/tableModelFile.js';
import { temporaryFolder } from '../data/idxFiles.js';
import { csvOf, fitted, rowsOfClasses } from './tableFiles.js';

async function modelFile(options: Parameters<typeof fitted>[1] = {}): Promise<string> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'rows.csv'), csvOf(rowsOfClasses(120, ['x', 'y', '__proto__'])));
  await fitted(join(folder, 'rows.csv'), { covariance: 'tied', ...options });
  return join(folder, 'model');
}

test.each([
  { covariance: 'tied', components: 1 },
  { covariance: 'full', components: 3 },
  { covariance: 'diag', components: 2, folds: 0 },
] as const)('comes back to the bit: %o', async (options) => {
  const path = await modelFile(options);
  const model = loadTableModel(path);
  expect(readFileSync(path).equals(encodeTableModel(model))).toBe(true);
  const [answer] = model.answers(Float64Array.of(4, 400, 4));
  expect(model.info.classes[answer.best].name).toBe('y');
  expect(model.info.components).toBe(options.components);
  expect(model.keep).toBe(0.95);
});

describe('refuses', () => {
  type Parts = { tensors: Record<string, Tensor>; metadata: Record<string, string> };
  type Change = (parts: Parts) => void;

  const inTable =
    (change: (table: Record<string, unknown>) => void): Change =>
    ({ metadata }) => {
      const table = JSON.parse(metadata.table) as Record<string, unknown>;
      change(table);
      metadata.table = JSON.stringify(table);
    };

  const CHANGES: readonly [string, Change, string][] = [
    [
      'another format',
      ({ metadata }) => (metadata.format = 'pt'),
      `its format must be 'gmml.TableModel.1', it is "pt".`,
    ],
    [
      'no format',
      ({ metadata }) => delete metadata.format,
      `its format must be 'gmml.TableModel.1', it is missing.`,
    ],
    ['no table', ({ metadata }) => delete metadata.table, 'its table must be a JSON object.'],
    [
      'a table that is no object',
      ({ metadata }) => (metadata.table = '7'),
      'its table must be a JSON object.',
    ],
    [
      'features that are no names',
      inTable((table) => (table.features = [1, 2, 3])),
      'features of its table must be as gmml fit writes them.',
    ],
    [
      'equal features',
      inTable((table) => (table.features = ['a', 'a', 'b'])),
      'features of its table must be as gmml fit writes them.',
    ],
    [
      'too many features',
      inTable((table) =>
        Object.assign(table, { features: ['a', 'b', 'c', 'd'], places: [0, 1, 2, 3], columns: 4 }),
      ),
      'there must be 3 features, there are 4.',
    ],
    [
      'places beyond the columns',
      inTable((table) => (table.places = [0, 1, 9])),
      'places of its table must be as gmml fit writes them.',
    ],
    [
      'columns that are no number',
      inTable((table) => (table.columns = { toString: 'x' })),
      'columns of its table must be as gmml fit writes them.',
    ],
    [
      'a label that is no name',
      inTable((table) => (table.label = 7)),
      'label of its table must be as gmml fit writes them.',
    ],
    [
      'classes without names',
      inTable((table) => (table.classes = [null])),
      'classes of its table must be as gmml fit writes them.',
    ],
    [
      'a class of no label',
      inTable((table) => (table.classOf = [0, 0, 1])),
      'classOf must give each of 3 labels a class, and each class a label.',
    ],
    [
      'a label of no class',
      inTable((table) => (table.classOf = [0, 1, 7])),
      'classOf of its table must be as gmml fit writes them.',
    ],
    [
      'no components',
      inTable((table) => (table.components = 0)),
      'components of its table must be as gmml fit writes them.',
    ],
    [
      'a quality that is none',
      inTable((table) => (table.quality = { rows: 1 })),
      'quality of its table must be as gmml fit writes them.',
    ],
    [
      'no scale',
      ({ tensors }) => delete tensors['standardization.scale'],
      'standardization.scale must be [3], it is missing.',
    ],
    [
      'a scale of 0',
      ({ tensors }) => (tensors['standardization.scale'] = tensor(Float64Array.of(1, 0, 1))),
      'standardization.scale must be possible, entry 1 is 0.',
    ],
    [
      'a mean that is NaN',
      ({ tensors }) => (tensors['standardization.mean'] = tensor(Float64Array.of(1, NaN, 1))),
      'standardization.mean must be possible, entry 1 is NaN.',
    ],
    [
      'a further tensor',
      ({ tensors }) => (tensors.more = tensor([1])),
      'OpenSetClassifier.fromSafetensors: there must be no other tensors: there is "more". Give the bytes that toSafetensors gave.',
    ],
    [
      'no calibration',
      ({ metadata }) => (metadata.calibration = '{"keep":null,"isStale":true,"isMade":false}'),
      'OpenSetClassifier.fromSafetensors: there must be no other tensors: there is "combined". Give the bytes that toSafetensors gave.',
    ],
    [
      'another classifier',
      ({ metadata }) => delete metadata.classifier,
      `OpenSetClassifier.fromSafetensors: the format must be 'gmml.OpenSetClassifier.2': it is "". Give the bytes that toSafetensors gave.`,
    ],
  ];

  test('everything that does not belong together, naming the file', async () => {
    const path = await modelFile();
    const bytes = readFileSync(path);
    for (const [what, change, message] of CHANGES) {
      const { tensors, metadata } = parseSafetensors(bytes);
      change({ tensors, metadata });
      writeFileSync(path, serializeSafetensors(tensors, metadata));
      const load = (): unknown => loadTableModel(path);
      expect(load, what).toThrow(new FormatError(`${path} must be a model of gmml fit: ${message}`));
    }
    writeFileSync(path, bytes.subarray(0, -8));
    expect(() => loadTableModel(path)).toThrow(FormatError);
  });

  test('a small file that stands for covariances of any size, before they are made', () => {
    const d = 20_000;
    const zeros = (shape: readonly number[]): Tensor =>
      tensor(new Float64Array(shape.reduce((a, b) => a * b, 1)), { shape });
    const names = Array.from({ length: d }, (_, j) => String(j));
    const table = {
      features: names,
      places: names.map(Number),
      columns: d,
      label: 'kind',
      classes: [{ name: 'x', rows: 1 }],
      components: 1,
      quality: null,
      classOf: [0],
    };
    const file = {
      tensors: {
        counts: tensor(Float64Array.of(1)),
        'examples.0': zeros([1, d]),
        'standardization.mean': zeros([d]),
        'standardization.scale': tensor(new Float64Array(d).fill(1)),
      },
      metadata: {
        format: 'gmml.TableModel.1',
        classifier: 'gmml.OpenSetClassifier.2',
        options: JSON.stringify({ features: d, covariance: 'full' }),
        labels: '["x"]',
        calibration: '{"keep":0.5,"isStale":true,"isMade":false}',
        table: JSON.stringify(table),
      },
    };
    expect(() => decodeTableModel(file)).toThrow(
      new FormatError(
        'covariances of 1 labels must fit into 1073741824 bytes, those of 20000 features do not.',
      ),
    );
  });
});
