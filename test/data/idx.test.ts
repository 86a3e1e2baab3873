import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ArgumentError, FormatError } from '@gmml/tensor';
import { parseIdx, readIdx } from '@gmml/data';
import { describe, expect, test } from 'vitest';
import { idxBytes, temporaryFolder } from './idxFiles.js';

/** Every element type, with elements whose big-endian bytes are written out here. */
const elementTypes = [
  { name: 'uint8', type: 0x08, array: Uint8Array, values: [0, 200, 255], bytes: [0, 200, 255] },
  { name: 'int8', type: 0x09, array: Int8Array, values: [0, 127, -2], bytes: [0, 127, 254] },
  { name: 'int16', type: 0x0b, array: Int16Array, values: [258, -2, 0], bytes: [1, 2, 255, 254, 0, 0] },
  {
    name: 'int32',
    type: 0x0c,
    array: Int32Array,
    values: [16909060, -2, 7],
    bytes: [1, 2, 3, 4, 255, 255, 255, 254, 0, 0, 0, 7],
  },
  {
    name: 'float32',
    type: 0x0d,
    array: Float32Array,
    values: [1, -0.5, Infinity],
    bytes: [0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0, 0x7f, 0x80, 0, 0],
  },
  {
    name: 'float64',
    type: 0x0e,
    array: Float64Array,
    values: [1, -2, 0],
    bytes: [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  },
];

/** Writes the bytes to `name` in a temporary folder. */
function written(name: string, bytes: Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

describe('parseIdx', () => {
  test.each(elementTypes)('reads $name, big-endian', ({ type, array, values, bytes }) => {
    const { shape, data } = parseIdx(idxBytes(type, [3], bytes), 'x');
    expect(shape).toEqual([3]);
    expect(data).toEqual(array.from(values));
  });

  test('reads several dimensions, row-major', () => {
    const { shape, data } = parseIdx(idxBytes(8, [2, 1, 3], [1, 2, 3, 4, 5, 6]), 'x');
    expect(shape).toEqual([2, 1, 3]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('reads a size of zero, whatever the others', () => {
    expect(parseIdx(idxBytes(8, [0, 28, 28], []), 'x')).toEqual({
      shape: [0, 28, 28],
      data: new Uint8Array(0),
    });
    const many = parseIdx(idxBytes(8, [...Array.from({ length: 40 }, () => 0xffffffff), 0], []), 'x');
    expect(many.data.length).toBe(0);
  });

  test('reads from the middle of a larger buffer, and copies', () => {
    const file = idxBytes(0x0b, [2], [0, 1, 0, 2]);
    const larger = new Uint8Array(file.length + 7).fill(255);
    larger.set(file, 3);
    const { data } = parseIdx(larger.subarray(3, 3 + file.length), 'x');
    larger.fill(0);
    expect([...data]).toEqual([1, 2]);
  });

  test('refuses every cut of a file', () => {
    const file = idxBytes(0x0b, [2, 3], [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]);
    expect(parseIdx(file, 'whole').data.length).toBe(6);
    for (let length = 0; length < file.length; length++) {
      const cut = () => parseIdx(file.slice(0, length), 'cut-file');
      expect(cut, `${length} bytes`).toThrow(FormatError);
      expect(cut, `${length} bytes`).toThrow(/^cut-file: .*the file has \d+\.$/);
    }
  });

  test.each([
    {
      title: 'elements cut short',
      bytes: idxBytes(8, [2, 3], [1, 2, 3, 4, 5]),
      message: 'f: the file is cut short: uint8 [2, 3] takes 18 bytes with its header, the file has 17.',
    },
    {
      title: 'a byte left over',
      bytes: idxBytes(8, [2, 3], [1, 2, 3, 4, 5, 6, 7]),
      message:
        'f: bytes are left over at the end: uint8 [2, 3] takes 18 bytes with its header, the file has 19.',
    },
    {
      title: 'sizes far beyond memory',
      bytes: idxBytes(0x0e, [0xffffffff, 0xffffffff], [1]),
      message:
        'f: the file is cut short: float64 [4294967295, 4294967295] takes 147573952520956940000 bytes ' +
        'with its header, the file has 13.',
    },
    {
      title: 'a header cut short',
      bytes: Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 1]),
      message: 'f: the file is cut short: a header of 3 dimensions takes 16 bytes, the file has 8.',
    },
    {
      title: 'nothing',
      bytes: new Uint8Array(0),
      message: 'f: an IDX file starts with 4 bytes of type and dimensions: the file has 0.',
    },
    {
      title: 'another format',
      bytes: Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0]),
      message:
        'f: an IDX file starts with 00 00, a type (08, 09, 0b, 0c, 0d or 0e) and the number of dimensions ' +
        '(1 or more): this one starts with 50 4b 03 04.',
    },
    {
      title: 'an unknown type',
      bytes: idxBytes(0x0a, [1], [1]),
      message:
        'f: an IDX file starts with 00 00, a type (08, 09, 0b, 0c, 0d or 0e) and the number of dimensions ' +
        '(1 or more): this one starts with 00 00 0a 01.',
    },
    {
      title: 'no dimensions',
      bytes: idxBytes(8, [], [1]),
      message:
        'f: an IDX file starts with 00 00, a type (08, 09, 0b, 0c, 0d or 0e) and the number of dimensions ' +
        '(1 or more): this one starts with 00 00 08 00.',
    },
  ])('refuses $title', ({ bytes, message }) => {
    expect(() => parseIdx(bytes, 'f')).toThrow(new FormatError(message));
  });
});

describe('readIdx', () => {
  const file = idxBytes(8, [2, 3], [1, 2, 3, 4, 5, 6]);

  test.each([
    ['plain', 'a-idx2-ubyte', file],
    ['gzipped', 'a-idx2-ubyte.gz', gzipSync(file)],
    ['gzipped under a plain name', 'a-idx2-ubyte', gzipSync(file)],
    ['plain under a gzip name', 'a-idx2-ubyte.gz', file],
  ])('reads a %s file', (_, name, bytes) => {
    expect(readIdx(written(name, bytes))).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  test('reads a gzipped file that is much larger than its header', () => {
    const pixels = Uint8Array.from({ length: 100 * 784 }, (_, i) => (i * i) % 251);
    const { shape, data } = readIdx(written('images.gz', gzipSync(idxBytes(8, [100, 28, 28], pixels))));
    expect(shape).toEqual([100, 28, 28]);
    expect(data).toEqual(pixels);
  });

  test('refuses every cut of a gzipped file, naming it', () => {
    const packed = gzipSync(file);
    const path = join(temporaryFolder(), 'cut.gz');
    for (let length = 0; length < packed.length; length++) {
      writeFileSync(path, packed.subarray(0, length));
      const read = () => readIdx(path);
      expect(read, `${length} bytes`).toThrow(FormatError);
      expect(read, `${length} bytes`).toThrow(path);
    }
  });

  test('refuses a gzipped file with bytes after the announced elements', () => {
    const path = written('long.gz', gzipSync(idxBytes(8, [2], [1, 2, 3])));
    expect(() => readIdx(path)).toThrow(
      new FormatError(
        `${path}: the gzip stream is damaged: bytes are left over after the announced elements.`,
      ),
    );
  });

  test('refuses a gzipped header that promises more than the file can hold, before unpacking it', () => {
    const packed = gzipSync(idxBytes(8, [0xffffffff, 0xffffffff], [1]));
    const path = written('bomb.gz', packed);
    expect(() => readIdx(path)).toThrow(
      new FormatError(
        `${path}: the file is cut short: its header announces 18446744065119617000 bytes, ` +
          `more than ${packed.length} gzipped bytes can hold.`,
      ),
    );
  });

  test('refuses a missing file and a folder', () => {
    const folder = temporaryFolder();
    const missing = join(folder, 'none');
    expect(() => readIdx(missing)).toThrow(
      new ArgumentError(`readIdx: ${missing} must be a readable file: there is no such file.`),
    );
    expect(() => readIdx(folder)).toThrow(
      new ArgumentError(`readIdx: ${folder} must be a readable file: it is a folder.`),
    );
  });
});
