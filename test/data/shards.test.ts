/* oxlint-disable no-await-in-loop -- one file after the other is enough */
// Tables in files as they are read in blocks: .npy, CSV, IDX; what is refused, and with which words.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { Shard, type ShardOptions } from '@gmml/data';
import { FormatError } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { idxBytes, temporaryFolder } from './idxFiles.js';
import { npyBytes, npyRows } from './npyFiles.js';

interface Table {
  columns: number;
  rows: number[][];
  labels: string[] | null;
  firsts: number[];
  digest: string;
}

async function readAll(source: Uint8Array | string, options: ShardOptions = {}): Promise<Table> {
  // In small pieces, so that they end anywhere.
  const pieces = typeof source === 'string' ? source : Readable.from(piecesOf(source, 7));
  const shard = await Shard.open(pieces, { name: 'shard', ...options });
  const table: Table = { columns: 0, rows: [], labels: null, firsts: [], digest: '' };
  for await (const { first, rows, columns, values, labels } of shard.blocks()) {
    table.firsts.push(first);
    table.columns = columns;
    for (let n = 0; n < rows; n++) {
      table.rows.push(Array.from(values.subarray(n * columns, (n + 1) * columns)));
    }
    if (labels) table.labels = [...(table.labels ?? []), ...labels];
  }
  table.digest = shard.digest();
  return table;
}

function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function text(...lines: readonly string[]): Uint8Array {
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** The bytes of elements with the other byte order. */
function swapped(elements: ArrayBufferView & { BYTES_PER_ELEMENT: number }): Uint8Array {
  const bytes = new Uint8Array(elements.buffer.slice(0));
  const size = elements.BYTES_PER_ELEMENT;
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  return bytes;
}

describe('.npy', () => {
  test.each([
    ['|u1', Uint8Array.of(1, 2, 3, 4, 5, 255)],
    ['|i1', Int8Array.of(1, -2, 3, 4, 5, -128)],
    ['|b1', Uint8Array.of(1, 0, 1, 1, 0, 0)],
    ['<u2', Uint16Array.of(1, 2, 3, 4, 5, 65_535)],
    ['<i2', Int16Array.of(1, 2, 3, 4, 5, -300)],
    ['<u4', Uint32Array.of(1, 2, 3, 4, 5, 4_000_000_000)],
    ['<i4', Int32Array.of(1, 2, 3, 4, 5, -70_000)],
    ['<f4', Float32Array.of(0.5, -0.25, 3, 4, 5, 1e30)],
    ['<f8', Float64Array.of(0.1, -0.2, 3, 4, 5, 1e99)],
  ])('%s, of either byte order', async (descr, elements) => {
    const rows = [0, 3].map((at) => Array.from(elements.subarray(at, at + 3)));
    const { columns, rows: read } = await readAll(npyBytes(`'${descr}'`, [2, 3], elements));
    expect({ columns, read }).toEqual({ columns: 3, read: rows });
    const others = npyBytes(`'${descr.replace('<', '>')}'`, [2, 3], swapped(elements));
    expect((await readAll(others)).rows).toEqual(rows);
  });

  test('64-bit integers, as long as they are exact', async () => {
    const elements = BigInt64Array.of(1n, -(2n ** 53n - 1n));
    expect((await readAll(npyBytes("'<i8'", [2], elements))).rows).toEqual([[1], [-(2 ** 53 - 1)]]);
    await expect(readAll(npyBytes("'<u8'", [1], BigUint64Array.of(2n ** 53n)))).rejects.toThrow(
      'shard: integers must be below 2⁵³ in size to stay exact: there is 9007199254740992.',
    );
  });

  test('versions 2 and 3, one dimension and more than two', async () => {
    const elements = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    for (const version of [2, 3]) {
      expect((await readAll(npyBytes("'<f8'", [4, 2], elements, { version }))).columns).toBe(2);
    }
    expect((await readAll(npyBytes("'<f8'", [8], elements))).columns).toBe(1);
    expect((await readAll(npyBytes("'<f8'", [2, 2, 2], elements))).rows).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
  });

  test('blocks of a few megabytes, ranges of rows, and gzip', async () => {
    const folder = temporaryFolder();
    const [rows, columns] = [20_000, 60];
    const values = Float64Array.from({ length: rows * columns }, (_, at) => at);
    const [plain, packed] = ['x.npy', 'x.npy.gz'].map((name) => join(folder, name));
    writeFileSync(plain, npyRows(values, columns));
    writeFileSync(packed, gzipSync(npyRows(values, columns), { level: 1 }));
    const whole = await readAll(plain);
    expect(whole.firsts).toEqual([0, 8192, 16_384]);
    expect(whole.rows.flat()).toEqual(Array.from(values));
    expect(await readAll(packed)).toEqual(whole);
    for (const path of [plain, packed]) {
      const part = await readAll(path, { from: 15_000, to: 15_002 });
      expect(part.firsts).toEqual([15_000]);
      expect(part.rows).toEqual(whole.rows.slice(15_000, 15_002));
    }
    expect((await readAll(plain, { from: 19_999 })).rows).toEqual(whole.rows.slice(-1));
    await expect(readAll(plain, { from: 20_000 })).rejects.toThrow(
      'shard: rows 20000 to the end must be there: it has 20000.',
    );
    await expect(readAll(plain, { to: 20_001 })).rejects.toThrow(
      'shard: rows 0 to 20000 must be there: it has 20000.',
    );
    await expect(readAll(plain, { from: 3, to: 3 })).rejects.toThrow(
      'shard: rows must be a range of integers: they are from 3 to 3.',
    );
  });

  const one = Float64Array.of(1, 2, 3, 4);
  test.each([
    [
      'Fortran order',
      npyBytes("'<f8'", [2, 2], one, { order: 'True' }),
      'shard: rows must follow each other (C order): the array is in Fortran order, in which a row lies all over the file. Save numpy.ascontiguousarray(x).',
    ],
    [
      'objects',
      npyBytes("'|O'", [4], one),
      "shard: the dtype must be b1, u1, i1, u2, i2, u4, i4, u8, i8, f4 or f8: it is '|O'. Convert with astype('<f4').",
    ],
    [
      'complex numbers',
      npyBytes("'<c8'", [4], one),
      "shard: the dtype must be b1, u1, i1, u2, i2, u4, i4, u8, i8, f4 or f8: it is '<c8'. Convert with astype('<f4').",
    ],
    [
      'no dimension',
      npyBytes("'<f8'", [], one),
      'shard: the array must have rows: its shape is (). Save an array [N, D].',
    ],
    [
      'rows of nothing',
      npyBytes("'<f8'", [4, 0], one),
      'shard: rows must have numbers: the shape is [4, 0].',
    ],
    [
      'too few bytes',
      npyBytes("'<f8'", [3, 2], one),
      'shard: the file is cut short: its header says 3 rows of 2 float64, it ends in row 2.',
    ],
    [
      'too many bytes',
      npyBytes("'<f8'", [1, 2], one),
      'shard: the file must end after its 1 rows of 2 float64: bytes are left over.',
    ],
    ['no rows', npyBytes("'<f8'", [0, 2], one.subarray(0, 0)), 'shard: there must be rows: there are none.'],
    [
      'NaN',
      npyBytes("'<f8'", [2, 2], Float64Array.of(1, 2, 3, NaN)),
      'shard: numbers must be finite and at most 1e100 in size: row 1, column 1 is NaN (both from 0).',
    ],
    [
      'an infinity',
      npyBytes("'<f4'", [2], Float32Array.of(1, -Infinity)),
      'shard: numbers must be finite and at most 1e100 in size: row 1, column 0 is -Infinity (both from 0).',
    ],
    [
      'another version',
      npyBytes("'<f8'", [2, 2], one, { version: 9 }),
      'shard: the version of a .npy file must be 1, 2 or 3: it is 9.',
    ],
    [
      'half a header',
      npyBytes("'<f8'", [2, 2], one).subarray(0, 40),
      'shard: the file is cut short in its header.',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(readAll(bytes)).rejects.toThrow(message);
  });
});

describe('CSV', () => {
  test('with names in the first line or without', async () => {
    const rows = [
      [1, -2.5],
      [3e-2, 0.5],
    ];
    expect(await readAll(text('a,b', '1,-2.5', '3e-2,.5'))).toMatchObject({ columns: 2, rows, labels: null });
    expect((await readAll(text('1,-2.5', '', ' 3e-2 , .5'))).rows).toEqual(rows);
    expect((await readAll(text('1;-2.5', '3e-2;.5'), { delimiter: ';' })).rows).toEqual(rows);
    expect((await readAll(text('1,-2.5', '3e-2,.5'), { header: true })).rows).toEqual(rows.slice(1));
    expect((await readAll(gzipSync(text('a,b', '1,-2.5', '3e-2,.5')))).rows).toEqual(rows);
  });

  test('a column of labels by name and by number', async () => {
    const table = {
      rows: [
        [1, 2],
        [3, 4],
      ],
      labels: ['cat', 'a, "dog"'],
    };
    const body = ['1,cat,2', '3,"a, ""dog""",4'];
    expect(await readAll(text('x,kind,y', ...body), { labelColumn: 'kind' })).toMatchObject(table);
    expect(await readAll(text(...body), { labelColumn: 1 })).toMatchObject(table);
    expect(await readAll(text('cat', '7'), { isLabels: true })).toMatchObject({
      columns: 0,
      labels: ['cat', '7'],
    });
  });

  test('blocks, and ranges of rows', async () => {
    const lines = Array.from({ length: 9000 }, (_, n) => `${n},${-n}`);
    const whole = await readAll(text(...lines));
    expect(whole.firsts).toEqual([0, 8192]);
    expect(whole.rows.length).toBe(9000);
    const part = await readAll(text(...lines), { from: 8190, to: 8194 });
    expect(part).toMatchObject({ firsts: [8190], rows: whole.rows.slice(8190, 8194) });
    await expect(readAll(text(...lines), { from: 9000 })).rejects.toThrow(
      'shard: rows 9000 to the end must be there: it has 9000.',
    );
  });

  test.each([
    [text('a,b', '1,2', '1,2,3'), {}, 'shard: every line must have 2 fields, as the first: line 3 has 3.'],
    [text('a,b', '1,2', '1,x'), {}, 'shard: fields must be numbers: line 3, column 1 (b) is "x".'],
    [text('1,2', '1,'), {}, 'shard: fields must be numbers: line 2, column 1 is "".'],
    [text('1,2', '1,0x10'), {}, 'shard: fields must be numbers: line 2, column 1 is "0x10".'],
    [text('1,2', 'nan,1'), {}, 'shard: numbers must be finite: line 2, column 0 is nan.'],
    [text('1,2', '1,-Infinity'), {}, 'shard: numbers must be finite: line 2, column 1 is -Infinity.'],
    [
      text('1,2', '1,1e101'),
      {},
      'shard: numbers must be finite and at most 1e100 in size: row 1, column 1 is 1e+101 (both from 0).',
    ],
    [
      text('a,b', '1,2'),
      { labelColumn: 'c' },
      'shard: the label column must be a name in the first line or a number from 0 to 1: it is c, there are a, b.',
    ],
    [text('a,b'), {}, 'shard: there must be rows: there are none.'],
    [
      text('cat', 'dog'),
      { labelColumn: 0 },
      'shard: lines must have numbers beside the label: they have none.',
    ],
    [new Uint8Array(0), {}, 'shard: there must be rows: the file is empty.'],
  ])('refuses what is no table of numbers (%#)', async (bytes, options, message) => {
    await expect(readAll(bytes, options)).rejects.toThrow(message);
  });

  test('shows no more than the beginning of what is no CSV, or of a dtype that is none', async () => {
    const long = 'x'.repeat(1e6);
    await expect(readAll(text('1,2', `3,${long}"4`))).rejects.toThrow(
      /^shard: the file must be CSV: .{200}…\.$/,
    );
    await expect(readAll(npyBytes(`'${'x'.repeat(1000)}'`, [1], new Float64Array(1)))).rejects.toThrow(
      /^shard: the dtype must be .*: it is 'x{79}…\. Convert/,
    );
  });

  test('refuses quotes that do not end', async () => {
    await expect(readAll(text('1,2', '3,"4'))).rejects.toThrow(
      /^shard: the file must be CSV: Quote Not Closed/,
    );
  });
});

test('IDX: every type, all dimensions after the first in a row', async () => {
  expect((await readAll(idxBytes(8, [2, 1, 2], [1, 2, 3, 255]))).rows).toEqual([
    [1, 2],
    [3, 255],
  ]);
  expect((await readAll(idxBytes(0x0b, [2], [0xff, 0xfe, 0, 1]))).rows).toEqual([[-2], [1]]);
  expect((await readAll(gzipSync(idxBytes(0x0d, [1], swapped(Float32Array.of(0.25)))))).rows).toEqual([
    [0.25],
  ]);
  await expect(readAll(idxBytes(8, [3], [1, 2]))).rejects.toThrow(
    'shard: the file is cut short: its header says 3 rows of 1 uint8, it ends in row 2.',
  );
});

test('the digest is of the content, however it is packed or comes', async () => {
  const bytes = npyRows(Float64Array.of(1, 2, 3, 4), 2);
  const { digest } = await readAll(bytes);
  expect(digest).toMatch(/^[\da-f]{64}$/);
  expect((await readAll(gzipSync(bytes))).digest).toBe(digest);
  expect((await readAll(npyRows(Float64Array.of(1, 2, 3, 5), 2))).digest).not.toBe(digest);
});

test('refuses what cannot be read, and gzip streams that are damaged', async () => {
  const folder = temporaryFolder();
  const missing = join(folder, 'missing.npy');
  await expect(Shard.open(missing)).rejects.toThrow(
    `${missing} must be a readable file: there is no such file.`,
  );
  await expect(Shard.open(folder)).rejects.toThrow(`${folder} must be a readable file: it is a folder.`);
  const packed = gzipSync(npyRows(new Float64Array(100), 2));
  await expect(readAll(packed.subarray(0, packed.length - 12))).rejects.toThrow(
    'shard: the gzip stream is damaged: unexpected end of file.',
  );
});

describe('a header that says more than there is', () => {
  test.each([
    [
      '1, 100000000000',
      'the file is cut short: its header says 1 rows of 100000000000 float64, it ends in row 0.',
    ],
    [
      '99999999999999999999, 3',
      'the header must have sizes that a file can have: it says 100000000000000000000 rows of 3 float64.',
    ],
  ])('takes no memory for it: (%s)', async (shape, problem) => {
    const bytes = Buffer.from(npyBytes("'<f8'", [1, 2], new Float64Array(2)));
    const start = bytes.indexOf("'shape'");
    bytes.fill(`'shape': (${shape}), }`.padEnd(127 - start), start, 127);
    await expect(readAll(bytes)).rejects.toThrow(new FormatError(`shard: ${problem}`));
  });

  test('a line without an end is not kept', async () => {
    const endless = function* (): Generator<Uint8Array> {
      for (let i = 0; i < 20; i++) yield Buffer.alloc(1 << 20, 'a');
    };
    const shard = await Shard.open(Readable.from(endless()), { name: 'shard' });
    await expect(shard.blocks().next()).rejects.toThrow(/^shard: the file must be CSV: Max Record Size:/);
  });
});
