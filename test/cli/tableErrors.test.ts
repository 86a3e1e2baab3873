// What is said to somebody whose table, model or options cannot be used.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evalCommand } from '../../packages/cli/src/commands/eval.js';
import { fitCommand } from '../../packages/cli/src/commands/fit.js';
import { infoCommand } from '../../packages/cli/src/commands/info.js';
import { predictCommand } from '../../packages/cli/src/commands/predict.js';
import { fitTable } from '../../packages/cli/src/tables/fitTable.js';
import { encodeTableModel } from '../../packages/cli/src/tables/tableModelFile.js';
import { temporaryFolder } from '../data/idxFiles.js';
import { npyRows } from '../data/npyFiles.js';
import { gmml } from './process.js';
import { csvOf, rowsOfClasses, run } from './tableFiles.js';

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'good.csv': csvOf(rowsOfClasses(60, ['x', 'y'])),
  'empty.csv': '',
  'names.csv': 'a,kind\n',
  'missing.csv': 'a,b,kind\n1,2,x\n\n1,NA,x\n3,4,y\n',
  'allMissing.csv': 'a,kind\n,x\n,y\n',
  'text.csv': 'a,b,kind\n1,"two\nlines",x\n',
  'infinite.csv': 'a,kind\n-inf,x\n',
  'large.csv': 'a,kind\n1e101,x\n',
  'ragged.csv': 'a,b,kind\n1,2,x\n3,4\n',
  'quote.csv': 'a,kind\n1,"x\n2,y\n',
  'noLabel.csv': 'a,kind\n1,x\n2,\n',
  'noNames.csv': '5.1,3.5,setosa\n4.9,3.0,setosa\n',
  'index.csv': ',a,kind\n0,1,x\n',
  'twice.csv': 'a,a,kind\n0,1,x\n',
  'few.csv': 'a,kind\n1,x\n2,x\n3,y\n',
  'constant.csv': csvOf(rowsOfClasses(60, ['x', 'y']).map(([, kind]) => [[1, 2, 3], kind])),
  'narrow.csv': 'b,kind\n1,x\n',
  'array.json': '[{"a":1}]\n',
  'broken.jsonl': '{"a":1,"kind":"x"}\n{"a":1,\n',
  'number.jsonl': '{"a":1,"kind":"x"}\n7\n',
  'objects.jsonl': '{"a":{"b":1},"kind":"x"}\n',
  'labels.jsonl': '{"a":1,"kind":["x"]}\n',
  'taken.jsonl': '{"a":1,"b":2,"c":3}\n{"a":1,"b":2,"c":3,"typicality":1}\n',
  'wide.npy': npyRows(new Float64Array(8), 4),
  'gap.npy': npyRows(Float64Array.of(1, 2, 3, NaN), 2),
  'labels.txt': 'x\ny\n',
  'short.safetensors': new Uint8Array(5),
};

const COMMANDS = { fit: fitCommand, predict: predictCommand, eval: evalCommand, info: infoCommand };

/** In arguments and messages, '@' stands for the folder. */
const CASES: readonly [string, string][] = [
  ['fit @/none.csv --label kind', '@/none.csv must be a readable file: there is no such file.'],
  ['fit @/good.csv --label kind --delimiter "', `--delimiter must be one character, or 'tab': it is '"'.`],
  [
    'eval @/model - --labels -',
    'Only one of table and labels can be standard input. Name a file for the other.',
  ],
  [
    'fit @/good.csv --labels -',
    'Standard input can be read once, and cross-validation reads twice. Name a file, or give --folds 0 --components 1 and a --covariance.',
  ],
  [
    'fit @/good.csv --label kind --output @/good.csv/x',
    '@/good.csv/x must be a file that can be written: ENOTDIR: not a directory.',
  ],
  [
    'fit @/good.csv --label kind --output @/good.csv',
    '--output must not be a file that is read: @/good.csv is one. Give the result another name.',
  ],
  [
    'predict @/model @/good.csv --output @/./model',
    '--output must not be a file that is read: @/./model is one. Give the result another name.',
  ],
  ['fit @/good.csv --label=', "--label must be a name: it is ''."],
  ['fit @ --label kind', '@ must be a readable file: it is a folder.'],
  ['fit @/empty.csv --label kind', '@/empty.csv: there must be rows: the file is empty.'],
  ['fit @/names.csv --label kind', '@/names.csv: there must be rows: there are none.'],
  [
    'fit @/good.csv',
    'A fit needs labels: none are given. Name their column by --label, or their file by --labels.',
  ],
  [
    'fit @/good.csv --label kind --labels @/labels.txt',
    '--label and --labels both say which label a row has. Leave one out.',
  ],
  [
    'fit @/good.csv --label species',
    '@/good.csv: there must be a column "species": there are "a", "b", "c", "kind".',
  ],
  [
    'fit @/good.csv --label kind --ignore a,id',
    '@/good.csv: there must be a column "id": there are "a", "b", "c", "kind".',
  ],
  [
    'fit @/good.csv --label kind --ignore a,b,c',
    '@/good.csv: there must be a feature beside the label: there are "a", "b", "c", "kind".',
  ],
  [
    'fit @/noNames.csv --label kind',
    '@/noNames.csv: there must be a column "kind": there are "5.1", "3.5", "setosa". The first line of a CSV file must have the names of its columns.',
  ],
  [
    'fit @/index.csv --label kind',
    '@/index.csv: columns must have names: column 1 has none. Name it, or write the file without its row numbers (pandas: index=False).',
  ],
  ['fit @/twice.csv --label kind', '@/twice.csv: names of columns must differ: "a" stands twice.'],
  [
    'fit @/missing.csv --label kind',
    '@/missing.csv: no number must be missing: line 4, column b is "NA". Fill it in, or leave such rows out with --drop-missing.',
  ],
  [
    'fit @/allMissing.csv --label kind --drop-missing',
    '@/allMissing.csv: there must be rows that are complete: 2 were left out.',
  ],
  [
    'fit @/text.csv --label kind',
    '@/text.csv: features must be numbers: line 3, column b is "two\\nlines". A fit leaves a column out with --ignore.',
  ],
  [
    'fit @/infinite.csv --label kind',
    '@/infinite.csv: numbers must be finite and at most 1e100 in size: line 2, column a is "-inf".',
  ],
  [
    'fit @/large.csv --label kind',
    '@/large.csv: numbers must be finite and at most 1e100 in size: line 2, column a is "1e101".',
  ],
  [
    'fit @/ragged.csv --label kind',
    '@/ragged.csv: every line must have 3 fields, as the first: line 3 has 2.',
  ],
  [
    'fit @/quote.csv --label kind',
    '@/quote.csv: the file must be CSV: Quote Not Closed: the parsing is finished with an opening quote at line 3.',
  ],
  [
    'fit @/noLabel.csv --label kind',
    '@/noLabel.csv: no label must be missing: line 3, column kind has none. Fill it in, or leave such rows out with --drop-missing.',
  ],
  [
    'fit @/few.csv --label kind',
    '@/few.csv: every class must have at least 2 rows: "y" has 1. Add rows of it, or leave it out. Check that --label is a column of classes.',
  ],
  [
    'fit @/constant.csv --label kind',
    '@/constant.csv: a feature must differ from row to row: all are constant.',
  ],
  [
    'fit @/good.csv --label kind --keep 0.99',
    '@/good.csv: --keep 0.99 needs at least 99 rows, of a class 256 at most counting: there are 60. Add rows, or lower --keep.',
  ],
  [
    'fit @/good.csv --label kind --components 16',
    '--components 16 needs at least 32 rows of each class: "x" has 30. Use fewer components.',
  ],
  ['fit @/good.csv --label kind --folds 1', "--folds must be an integer from 2 to 100, or 0: it is '1'."],
  [
    'fit @/good.csv --label kind --covariance round',
    "--covariance must be one of tied, full, diag, or auto: it is 'round'.",
  ],
  ['fit @/good.csv --label kind --keep 1', "--keep must be a number above 0 and below 1: it is '1'."],
  [
    'fit @/good.csv --label kind --folds 0',
    'A model is chosen by cross-validation, and --folds 0 leaves it out. Give --covariance and --components, or more folds.',
  ],
  [
    'fit - --label kind --covariance tied',
    'Standard input can be read once, and cross-validation reads twice. Name a file, or give --folds 0 --components 1 and a --covariance.',
  ],
  ['fit @/good.csv --label kind --output -', '--output must be a file: standard output has the report.'],
  [
    'fit @/good.csv --label kind --output @/no/model',
    '@/no/model must be a file that can be written: there is no such folder.',
  ],
  ['fit @/good.csv --label kind --output @', '@ must be a file that can be written: it is a folder.'],
  [
    'fit @/good.csv --labels @/labels.txt --ignore kind',
    '@/labels.txt: there must be a label for each row: there are 2, and more rows.',
  ],
  [
    'fit @/array.json --label kind',
    "@/array.json: JSON must be lines of one object each: it starts with an array. Write each row as an object on a line of its own (pandas: to_json(orient='records', lines=True)).",
  ],
  [
    'fit @/number.jsonl --label kind',
    '@/number.jsonl: every line must be a JSON object: line 2 is a number.',
  ],
  [
    'fit @/objects.jsonl --label kind',
    '@/objects.jsonl: features must be numbers: line 1, column a is an object. A fit leaves a column out with --ignore.',
  ],
  [
    'fit @/labels.jsonl --label kind',
    '@/labels.jsonl: labels must be text or integers: line 1, column kind is an array.',
  ],
  [
    'fit @/gap.npy --labels @/labels.txt',
    '@/gap.npy: no number must be missing: row 1, column 1 (both from 0) is NaN. Fill it in, or leave such rows out with --drop-missing.',
  ],
  [
    'fit @/model --label kind',
    '@/model: a table must be CSV, JSON lines, .npy or IDX: the file is none of these.',
  ],
  ['predict @/none @/good.csv', '@/none must be a readable file: there is no such file.'],
  ['predict @ @/good.csv', '@ must be a readable file: it is a folder.'],
  ['predict @/good.csv @/good.csv', '@/good.csv must be a model of gmml fit: it is no safetensors file.'],
  [
    'predict @/short.safetensors @/good.csv',
    '@/short.safetensors must be a model of gmml fit: it is no safetensors file.',
  ],
  [
    'predict @/model @/narrow.csv',
    '@/narrow.csv: there must be a column for each feature: "a", "c" are missing, there are "b", "kind".',
  ],
  [
    'predict @/model @/missing.csv',
    '@/missing.csv: there must be a column for each feature: "c" is missing, there are "a", "b", "kind".',
  ],
  ['predict @/model @/wide.npy', '@/wide.npy: rows must have 3 numbers, as those of the fit: they have 4.'],
  [
    'predict @/model @/taken.jsonl --output @/out.jsonl',
    '@/taken.jsonl: a key that is added must be in all objects or in none: a later one has "typicality", the first has not. Rename it.',
  ],
  [
    'predict @/model @/good.csv --output @/no/out.csv',
    '@/no/out.csv must be a file that can be written: there is no such folder.',
  ],
  [
    'eval @/model @/good.csv --label species',
    '@/good.csv: there must be a column "species": there are "a", "b", "c", "kind".',
  ],
  [
    'eval @/model @/good.csv --label kind --labels @/labels.txt',
    '--label and --labels both say which label a row has. Leave one out.',
  ],
  ['info @/none', '@/none must be a readable file: there is no such file.'],
  ['info @/empty.csv', '@/empty.csv: there must be rows: the file is empty.'],
  ['info @/folder', '@/folder must be a file, or a folder of safetensors files: it has none.'],
  ['info @/broken.jsonl', '@/broken.jsonl: every line must be a JSON object: line 2: JSON …'],
];

test('each says what must hold, what is there and where, and leaves nothing behind', async () => {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
  mkdirSync(join(folder, 'folder'));
  const fit = await fitTable({
    file: join(folder, 'good.csv'),
    label: 'kind',
    labelsFile: null,
    delimiter: ',',
    dropMissing: false,
    ignore: [],
    covariance: 'tied',
    components: 1,
    folds: 0,
    seed: 1,
    keep: 0.9,
  });
  writeFileSync(join(folder, 'model'), encodeTableModel(fit.model));
  const before = readdirSync(folder);
  const said: [string, string][] = [];
  for (const [line] of CASES) {
    const [name, ...args] = line.replaceAll('@', folder).split(' ');
    // oxlint-disable-next-line no-await-in-loop -- standard output is one
    const message = await run(COMMANDS[name as keyof typeof COMMANDS](), ...args).then(
      () => 'nothing was thrown',
      (error: Error) => error.message.replaceAll(folder, '@'),
    );
    // What is wrong with JSON is said by the engine, in its own words.
    said.push([
      line,
      message.replace(/JSON at position .*/, 'JSON …').replace(/Expected .* in JSON.*/, 'JSON …'),
    ]);
  }
  expect(said).toEqual(CASES);
  expect(readdirSync(folder)).toEqual(before);
});

test('a mistake in the call ends with 2, one in the data with 1, both in one line', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'text.csv'), FILES['text.csv']);
  const [usage, data] = await Promise.all([
    gmml(['fit', join(folder, 'text.csv')]),
    gmml(['fit', join(folder, 'text.csv'), '--label', 'kind']),
  ]);
  expect([usage.code, data.code]).toEqual([2, 1]);
  expect(usage.stderr).toMatch(/^gmml: A fit needs labels: .*\n$/);
  expect(data.stderr).toMatch(/^gmml: .*text\.csv: features must be numbers: .*\n$/);
  expect(readFileSync(join(folder, 'text.csv'), 'utf8')).toBe(FILES['text.csv']);
});
