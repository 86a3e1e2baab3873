import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchNorm2d,
  Linear,
  loadSafetensors,
  parseSafetensors,
  saveSafetensors,
  Sequential,
  serializeSafetensors,
} from '@gmml/nn';
import { ArgumentError, FormatError, ones, type Tensor, tensor } from '@gmml/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { f32, fileOf, one, SMALL_FILE } from './safetensorsBytes.js';

const folder = mkdtempSync(join(tmpdir(), 'gmml-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A path in an empty folder of its own. */
function fresh(name = 'model.safetensors'): string {
  return join(mkdtempSync(join(folder, 'case-')), name);
}

const listing = (path: string): string[] => readdirSync(join(path, '..'));

describe('saveSafetensors and loadSafetensors', () => {
  test('carry a model over', () => {
    const path = fresh();
    const build = (): Sequential =>
      new Sequential(new Linear(3, 4), new BatchNorm2d(2, { dtype: 'float64' }));
    const [from, to] = [build(), build()];
    saveSafetensors(path, from.stateDict(), { epoch: '3' });
    const { tensors, metadata } = loadSafetensors(path);
    to.loadStateDict(tensors);
    const numbers = (state: Record<string, Tensor>) =>
      Object.values(state).map((x) => [x.dtype, x.toArray()]);
    expect(numbers(to.stateDict())).toEqual(numbers(from.stateDict()));
    expect(metadata).toEqual({ epoch: '3' });
  });

  test('write and read the bytes of serializeSafetensors', () => {
    const path = fresh();
    const tensors = { x: tensor([1, 2, 3]), y: ones([2], { dtype: 'float64' }) };
    saveSafetensors(path, tensors, { a: 'b' });
    expect(new Uint8Array(readFileSync(path))).toEqual(serializeSafetensors(tensors, { a: 'b' }));
    expect(listing(path)).toEqual(['model.safetensors']);
  });

  test('replace a file that is there', () => {
    const path = fresh();
    saveSafetensors(path, { x: ones([100]) });
    saveSafetensors(path, { x: tensor([7]) });
    expect(loadSafetensors(path).tensors.x.toArray()).toEqual([7]);
    expect(listing(path)).toEqual(['model.safetensors']);
  });
});

describe('saveSafetensors', () => {
  test('leaves the old file as it was when the tensors cannot be written', () => {
    const path = fresh();
    saveSafetensors(path, { x: tensor([7]) });
    expect(() => saveSafetensors(path, { __metadata__: ones([1]) })).toThrow(ArgumentError);
    expect(loadSafetensors(path).tensors.x.toArray()).toEqual([7]);
  });

  test('leaves nothing behind when it fails', () => {
    const path = fresh('taken');
    mkdirSync(join(path, 'inside'), { recursive: true });
    expect(() => saveSafetensors(path, { x: ones([1]) })).toThrow(ArgumentError);
    expect(() => saveSafetensors(path, { x: ones([1]) })).toThrow(
      `saveSafetensors: the file must be writable: ${path}: E`,
    );
    expect(listing(path)).toEqual(['taken']);
  });

  test('names the file when its folder is missing', () => {
    const path = join(fresh('missing'), 'model.safetensors');
    expect(() => saveSafetensors(path, {})).toThrow(
      new ArgumentError(
        `saveSafetensors: the file must be writable: ${path}: ENOENT: no such file or directory.`,
      ),
    );
  });
});

describe('loadSafetensors', () => {
  test('names a file that is missing, or is a folder', () => {
    const path = fresh();
    expect(() => loadSafetensors(path)).toThrow(
      new ArgumentError(
        `loadSafetensors: the file must be readable: ${path}: ENOENT: no such file or directory.`,
      ),
    );
    expect(() => loadSafetensors(folder)).toThrow(ArgumentError);
    expect(() => loadSafetensors(folder)).toThrow(
      `loadSafetensors: the file must be readable: ${folder}: EISDIR`,
    );
  });

  test.each([
    [
      'too short',
      SMALL_FILE.subarray(0, 5),
      'a file must start with 8 bytes of header length: there are 5 bytes.',
    ],
    [
      'a huge header',
      fileOf('{}', [], 10n ** 18n),
      'the header must be at most 100000000 bytes: it says it is 1000000000000000000.',
    ],
    [
      'not JSON',
      fileOf('{[', []),
      'the header is malformed: at character 1 there must be a key of the header, a string: there is "[".',
    ],
    [
      'data cut off',
      SMALL_FILE.subarray(0, -1),
      'the tensors must cover the data: they end at 12, there are 11 bytes of data.',
    ],
    [
      'a bad number',
      fileOf('{"x":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}', [9]),
      'BOOL must be 0 or 1: element 0 of "x" is 9.',
    ],
  ])('names a malformed file: %s', (_, bytes, message) => {
    const path = fresh();
    writeFileSync(path, bytes);
    expect(() => loadSafetensors(path)).toThrow(new FormatError(`loadSafetensors: ${path}: ${message}`));
  });

  test('reads each tensor from its own place', () => {
    const path = fresh();
    const header =
      '{"late":{"dtype":"F32","shape":[1],"data_offsets":[5,9]},"flag":{"dtype":"U8","shape":[],"data_offsets":[4,5]},' +
      '"early":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    writeFileSync(path, fileOf(header, [...f32(1.5), 200, ...f32(-3)]));
    const { tensors } = loadSafetensors(path);
    expect(Object.entries(tensors).map(([name, x]) => [name, x.toArray()])).toEqual([
      ['early', [1.5]],
      ['flag', 200],
      ['late', [-3]],
    ]);
  });
});

test("parseSafetensors takes a Buffer of Node's pool as well", () => {
  const { x } = parseSafetensors(Buffer.from(one('F32', [2], f32(1, -2)))).tensors;
  expect(x.toArray()).toEqual([1, -2]);
});

test('where there is no file system, both say what to do instead', () => {
  const { process } = globalThis;
  let messages: string[] = [];
  try {
    // As in a page.
    (globalThis as { process?: unknown }).process = undefined;
    messages = [() => saveSafetensors('x', {}), () => loadSafetensors('x')].map(messageOf);
  } finally {
    globalThis.process = process;
  }
  expect(messages).toEqual([
    'ArgumentError: saveSafetensors: there must be a file system: there is none here (Node 20.16 or newer has). ' +
      'Use parseSafetensors and serializeSafetensors.',
    'ArgumentError: loadSafetensors: there must be a file system: there is none here (Node 20.16 or newer has). ' +
      'Use parseSafetensors and serializeSafetensors.',
  ]);
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  return 'nothing thrown';
}
