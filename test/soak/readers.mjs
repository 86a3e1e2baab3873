// What reads files that others may have written, with whole files to start from. Of the command line it takes the build.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { makeNetwork } from '@gmml/cli';
import { parseIdx, readIdx, Shard, Table } from '@gmml/data';
import { GaussianMixture, GMML, OpenSetClassifier } from '@gmml/gmm';
import {
  ClassStatistics,
  EMStatistics,
  mixtureToSafetensors,
  modelFromSafetensors,
  modelToSafetensors,
} from '@gmml/gmm/statistics';
import { Adam, parseSafetensors, serializeSafetensors, StepLR } from '@gmml/nn';
import { Generator, randn, tensor } from '@gmml/tensor';
import { decodeTableModel } from '../../packages/cli/dist/tables/tableModelFile.js';
import { decodeCheckpoint, encodeCheckpoint } from '../../packages/cli/dist/training/checkpoint/format.js';
import { networkFrom } from '../../packages/cli/dist/training/loadNetwork.js';
import { networkMetadata } from '../../packages/cli/dist/training/networks/makeNetwork.js';

/**
 * @typedef {object} Reader
 * @property {string} name
 * @property {Uint8Array[]} files files that it takes, before they are packed
 * @property {(bytes: Uint8Array) => Uint8Array} [pack] what is done to a file once it is mutated, or before
 * @property {(bytes: Uint8Array) => unknown} read may give a promise
 */

/**
 * All readers, with files of a few kilobytes.
 * @returns {{ readers: Reader[], close: () => void }}
 */
export function allReaders() {
  const folder = mkdtempSync(join(tmpdir(), 'gmml-fuzz-'));
  const path = join(folder, 'file');
  const generator = new Generator(1);
  const idx = idxFiles();
  const csv = csvFiles(generator);
  const npy = npyFiles(generator);
  const readers = [
    { name: 'safetensors', files: safetensorsFiles(generator), read: parseSafetensors },
    { name: 'models', files: modelFiles(generator), read: readModel },
    { name: 'statistics', files: statisticsFiles(generator), read: readStatistics },
    { name: 'IDX', files: idx, read: (bytes) => parseIdx(bytes, 'file') },
    {
      name: 'IDX, gzipped',
      files: idx,
      pack: gzipSync,
      read(bytes) {
        writeFileSync(path, bytes);
        return readIdx(path);
      },
    },
    { name: 'IDX as a stream', files: idx, read: (bytes) => readShard(bytes) },
    { name: 'npy', files: npy, read: (bytes) => readShard(bytes) },
    { name: 'npy, gzipped', files: npy, pack: gzipSync, read: (bytes) => readShard(bytes) },
    { name: 'CSV', files: csv, read: (bytes) => readShard(bytes, { labelColumn: 'kind' }) },
    {
      name: 'CSV without names',
      files: csv.map((bytes) => bytes.subarray(bytes.indexOf(10) + 1)),
      read: (bytes) => readShard(bytes, { header: false, labelColumn: 2, delimiter: ',' }),
    },
    { name: 'table, CSV', files: csv, read: (bytes) => readTable(bytes) },
    { name: 'table, JSON lines', files: jsonFiles(generator), read: (bytes) => readTable(bytes) },
    {
      name: 'model of a table',
      files: [tableModelFile(folder, generator)],
      read: (bytes) => decodeTableModel(parseSafetensors(bytes)),
    },
    { name: 'network', files: networkFiles(generator), read: readNetwork },
    {
      name: 'checkpoint',
      files: [checkpointFile(generator)],
      // Damage is seen by the digest: what is behind it is reached by files that state the right one.
      pack: signed,
      read: (bytes) => decodeCheckpoint('file', bytes),
    },
  ];
  return { readers, close: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Reads a model, and uses it: what is wrong with it may show only then. */
function readModel(bytes) {
  const { model } = modelFromSafetensors(bytes);
  const vector = Array.from({ length: model.features ?? model.inputDim ?? model.means.shape[1] }, () => 0.5);
  if (model instanceof OpenSetClassifier) model.predict(vector);
  else if (model instanceof GMML) model.forward(tensor([vector], { dtype: model.mean.dtype }));
  else model.scoreSamples([vector]);
}

function readStatistics(bytes) {
  const { metadata } = parseSafetensors(bytes);
  const Statistics = metadata.format?.includes('EM') ? EMStatistics : ClassStatistics;
  return Statistics.fromSafetensors(bytes);
}

async function readShard(bytes, options = {}) {
  const shard = await Shard.open(Readable.from([bytes], { objectMode: false }), options);
  let sum = 0;
  for await (const { values } of shard.blocks()) sum += values[0];
  return sum;
}

function safetensorsFiles(generator) {
  const weights = { 'layer.weight': randn([7, 5], { generator }), 'layer.bias': randn([7], { generator }) };
  const more = {
    ...weights,
    'count "x" ü': tensor(3, { dtype: 'float64' }),
    empty: tensor([], { shape: [0, 4] }),
  };
  return [serializeSafetensors(weights), serializeSafetensors(more, { format: 'pt', note: '1, 2, 3' })];
}

function rowsAround(generator, count, features, center) {
  return Array.from({ length: count }, () =>
    Array.from({ length: features }, () => center + generator.normal()),
  );
}

function classifier(generator, covariance, count) {
  const made = new OpenSetClassifier({ features: 3, covariance });
  made.addExamples('left', rowsAround(generator, count, 3, -2));
  made.addExamples('right', rowsAround(generator, count, 3, 2));
  return made;
}

function modelFiles(generator) {
  const calibrated = classifier(generator, 'tied', 40);
  calibrated.calibrate({ keep: 0.9 });
  const mixture = new GaussianMixture({ components: 2, generator });
  mixture.fit(rowsAround(generator, 40, 3, 0));
  const layers = ['diag', 'tril', 'full'].map((covType) => new GMML(4, 3, 2, { covType, generator }));
  return [
    calibrated.toSafetensors(),
    classifier(generator, 'full', 5).toSafetensors(),
    classifier(generator, 'diag', 5).toSafetensors(),
    mixtureToSafetensors(mixture),
    ...layers.map((layer) => modelToSafetensors(layer, ['no', 'yes'])),
  ];
}

function statisticsFiles(generator) {
  const rows = rowsAround(generator, 30, 3, 0);
  const ofClasses = new ClassStatistics({ features: 3 });
  ofClasses.add(
    rows,
    rows.map((_, n) => (n % 2 === 0 ? 'even' : 'odd')),
  );
  ofClasses.addShard({ name: 'part-0.npy', from: 0, to: 30, digest: 'abc' });
  const mixture = new GaussianMixture({ components: 2, generator });
  mixture.fit(rows);
  const ofMixture = new EMStatistics(mixture);
  ofMixture.add(rows);
  ofMixture.addShard({ name: 'part-0.npy', from: 0, to: 30, digest: 'abc' });
  return [ofClasses.toSafetensors(), ofMixture.toSafetensors()];
}

function idxFiles() {
  const of = (type, sizes, elementBytes) => {
    const header = [0, 0, type, sizes.length, ...sizes.flatMap((size) => [0, 0, size >> 8, size & 255])];
    const count = sizes.reduce((product, size) => product * size, 1);
    return Uint8Array.from([
      ...header,
      ...Array.from({ length: count * elementBytes }, (_, i) => (i * 7) % 64),
    ]);
  };
  return [of(8, [10, 4, 4], 1), of(8, [300], 1), of(11, [6, 3], 2), of(13, [5, 2], 4), of(14, [4], 8)];
}

function npyFiles(generator) {
  const of = (descr, sizes, elements, version) => {
    const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes.join(', ')},), }\n`;
    const length =
      version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
    const start = [0x93, ...Buffer.from('NUMPY'), version, 0, ...length];
    return Uint8Array.from([...start, ...Buffer.from(text), ...new Uint8Array(elements.buffer)]);
  };
  return [
    of(
      '<f8',
      [20, 3],
      Float64Array.from({ length: 60 }, () => generator.normal()),
      1,
    ),
    of(
      '<f4',
      [8, 2, 3],
      Float32Array.from({ length: 48 }, () => generator.normal()),
      2,
    ),
    of('<i8', [5], BigInt64Array.from([1n, -2n, 3n, 4n, 5n]), 1),
    of(
      '|u1',
      [30, 2],
      Uint8Array.from({ length: 60 }, (_, i) => i),
      3,
    ),
  ];
}

function csvFiles(generator) {
  const kinds = ['left', 'right', '"up, or ""high"""', 'für'];
  const lines = Array.from({ length: 40 }, (_, n) =>
    [generator.normal().toFixed(3), n, kinds[n % 4], (generator.normal() * 1e-5).toExponential(2)].join(','),
  );
  return [
    `x,y,kind,z\n${lines.join('\n')}\n`,
    `x,y,kind,z\r\n${lines.slice(0, 3).join('\r\n')}`,
    '\uFEFFx,kind\n1,a\n',
  ].map((text) => Uint8Array.from(Buffer.from(text)));
}

async function readTable(bytes) {
  const table = await Table.open(Readable.from([bytes], { objectMode: false }));
  let text = '';
  for await (const block of table.blocks()) {
    for (let n = 0; n < block.rows; n++) {
      text = `${block.where(n, 0)} ${String(block.cell(n, table.columns.length - 1))}`;
    }
  }
  return text;
}

function jsonFiles(generator) {
  const lines = Array.from({ length: 30 }, (_, n) =>
    JSON.stringify({
      x: generator.normal(),
      'size (cm)': n,
      kind: ['left', 'für', null, '"'][n % 4],
      more: [1, { a: true }],
    }),
  );
  return [lines.join('\n'), `${lines[0]}\r\n\r\n${lines[1]}`].map((text) =>
    Uint8Array.from(Buffer.from(text)),
  );
}

/** As `gmml fit` writes it. */
function tableModelFile(folder, generator) {
  const [table, model] = ['table.csv', 'model.safetensors'].map((name) => join(folder, name));
  const rows = Array.from(
    { length: 40 },
    (_, n) => `${generator.normal() + 4 * (n % 2)},${generator.normal()},k${n % 2}`,
  );
  writeFileSync(table, `x,y,kind\n${rows.join('\n')}\n`);
  const program = fileURLToPath(new URL('../../packages/cli/dist/gmml.js', import.meta.url));
  execFileSync(process.execPath, [program, 'fit', table, '--label', 'kind', '--output', model], {
    stdio: 'ignore',
  });
  return Uint8Array.from(readFileSync(model));
}

function networkFiles(generator) {
  const shared = {
    imageShape: [1, 4, 4],
    dim: 3,
    nClass: 2,
    components: 1,
    covType: 'tril',
    linearClassifier: false,
  };
  return [
    { ...shared, network: 'linear-probe' },
    { ...shared, network: 'mlp', hidden: [4], linearClassifier: true },
  ].map((description) => {
    const numbers = Object.entries(networkMetadata(description));
    const metadata = Object.fromEntries(numbers.map(([key, value]) => [key, String(value)]));
    const tensors = makeNetwork(description, generator).stateDict();
    return serializeSafetensors(tensors, { format: 'gmml', ...metadata, labels: '0 1' });
  });
}

function readNetwork(bytes) {
  const { network, inputShape } = networkFrom(parseSafetensors(bytes), 'file');
  network.forward(randn([2, ...inputShape], { generator: new Generator(1) }));
}

function checkpointFile(generator) {
  const weight = randn([3, 2], { generator, requiresGrad: true });
  const optimizer = new Adam([weight], { lr: 0.1 });
  weight.sum().backward();
  optimizer.step();
  return encodeCheckpoint({
    settings: { epochs: 2, model: 'mlp', augment: ['shift'] },
    dataDigest: 'abc',
    backend: { backend: 'wasm', threads: 2 },
    model: { weight },
    optimizer: optimizer.stateDict(),
    scheduler: new StepLR(optimizer, { stepSize: 1, gamma: 0.7 }).stateDict(),
    generator: generator.getState(),
    progress: {
      epochs: [],
      carried: {},
      running: { generator: generator.getState(), batch: 1, lossSum: 1, seen: 64, seconds: 1 },
    },
  });
}

/** The bytes with their own digest where a checkpoint has it. */
function signed(bytes) {
  const start = 8 + '{"__metadata__":{"sha256":"'.length;
  if (bytes.length < start + 64) return bytes;
  const blank = Buffer.from(bytes);
  blank.fill('0', start, start + 64);
  blank.write(createHash('sha256').update(blank).digest('hex'), start, 'latin1');
  return Uint8Array.from(blank);
}
