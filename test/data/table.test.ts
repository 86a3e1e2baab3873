// Tables with names, as streams.
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { Table, type TableBlock } from '@gmml/data';
import { FormatError } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { idxBytes } from './idxFiles.js';
import { npyBytes, npyRows } from './npyFiles.js';

/** A table of bytes that come in pieces of so many. */
function open(content: string | Uint8Array, pieces = 3, delimiter = ','): Promise<Table> {
  const bytes = Buffer.from(content);
  const parts = Array.from({ length: Math.ceil(bytes.length / pieces) }, (_, i) =>
    bytes.subarray(i * pieces, (i + 1) * pieces),
  );
  return Table.open(Readable.from(parts, { objectMode: false }), { name: 'table', delimiter });
}

async function blocksOf(table: Table): Promise<TableBlock[]> {
  const blocks: TableBlock[] = [];
  for await (const block of table.blocks()) blocks.push(block);
  return blocks;
}

async function cellsOf(table: Table): Promise<unknown[][]> {
  const blocks = await blocksOf(table);
  return blocks.flatMap((block) =>
    Array.from({ length: block.rows }, (_, n) => table.columns.map((_name, j) => block.cell(n, j))),
  );
}

describe('CSV', () => {
  test.each([
    ['plain', 'a,b\n1,x\n2,y\n'],
    ['without a last line break', 'a,b\n1,x\n2,y'],
    ['of Windows, with a byte order mark and empty lines', '\ufeffa,b\r\n\r\n1,x\r\n2,y\r\n'],
    ['with quotes and space', '"a" , b\n 1,"x"\n2 , y\n'],
  ])('%s', async (_, text) => {
    const table = await open(text);
    expect([table.format, table.columns]).toEqual(['csv', ['a', 'b']]);
    expect(await cellsOf(table)).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ]);
  });

  test('gzipped; with another delimiter; with text of many bytes cut anywhere', async () => {
    const text = 'größe;"π; ""τ"""\n１;"zwei\nZeilen"\n;\n';
    const tables = await Promise.all([open(text, 1, ';'), open(gzipSync(text), 5, ';')]);
    for (const table of tables) {
      expect(table.columns).toEqual(['größe', 'π; "τ"']);
      // oxlint-disable-next-line no-await-in-loop -- two of them
      const [block] = await blocksOf(table);
      expect(block.fields).toEqual([
        ['１', 'zwei\nZeilen'],
        ['', ''],
      ]);
      expect([block.where(0, 1), block.where(1, 0)]).toEqual([
        'line 3, column π; "τ"',
        'line 4, column größe',
      ]);
    }
  });

  test('in blocks', async () => {
    const rows = Array.from({ length: 2500 }, (_, n) => `${n}\n`);
    const blocks = await blocksOf(await open(`n\n${rows.join('')}`, 1000));
    expect(blocks.map((block) => block.rows)).toEqual([1024, 1024, 452]);
    expect(blocks[2].cell(451, 0)).toBe('2499');
    expect(blocks[2].where(451, 0)).toBe('line 2501, column n');
  });
});

describe('JSON lines', () => {
  test('any values, keys in any order, some missing, U+2028 in text', async () => {
    const lines = ['{"a":1,"b":"\u2028","__proto__":null}', '', '{"b":[2],"c":3}', '{"a":null,"b":true}'];
    const table = await open(lines.join('\r\n'), 7);
    expect([table.format, table.columns]).toEqual(['json', ['a', 'b', '__proto__']]);
    expect(await cellsOf(table)).toEqual([
      [1, '\u2028', null],
      [undefined, [2], undefined],
      [null, true, undefined],
    ]);
  });

  test('lines that are no objects', async () => {
    await expect(open('{"a":1').then(blocksOf)).rejects.toThrow(
      /^table: every line must be a JSON object: line 1: /,
    );
    await expect(open('{"a":1}\nnull').then(blocksOf)).rejects.toThrow(
      'table: every line must be a JSON object: line 2 is null.',
    );
    await expect(open('{"a":1}\n[1]').then(blocksOf)).rejects.toThrow(
      'table: every line must be a JSON object: line 2 is an array.',
    );
    await expect(open('{"a":1}\n"x"').then(blocksOf)).rejects.toThrow(
      'table: every line must be a JSON object: line 2 is a string.',
    );
    await expect(open(`{"a":1}\n${' '.repeat(2 ** 24 + 1)}`, 1 << 20).then(blocksOf)).rejects.toThrow(
      'table: a line must have at most 16777216 characters: there is a longer one. Write one object a line.',
    );
  });
});

describe('binary files', () => {
  test('columns are numbered; NaN is a number that is missing', async () => {
    const table = await open(npyRows(Float64Array.of(1, 2, NaN, 4), 2));
    expect([table.format, table.columns]).toEqual(['npy', ['0', '1']]);
    expect(await cellsOf(table)).toEqual([
      [1, 2],
      [NaN, 4],
    ]);
    const idx = await open(idxBytes(8, [2, 1, 2], [1, 2, 3, 4]));
    expect([idx.format, idx.columns]).toEqual(['idx', ['0', '1']]);
    const [block] = await blocksOf(idx);
    expect([block.cell(1, 0), block.where(1, 0)]).toEqual([3, 'row 1, column 0 (both from 0)']);
  });

  test('sizes are looked at before names are made', async () => {
    const header = npyBytes("'<f8'", [1, 2 ** 40], new Float64Array(0));
    await expect(open(header, 64)).rejects.toThrow(
      'table: a table must have at most 1000000 columns: it has 1099511627776.',
    );
    await expect(open(npyBytes("'<f8'", [3, 0], new Float64Array(0)))).rejects.toThrow(
      'table: rows must have numbers: the shape is [3, 0].',
    );
    await expect(open(npyRows(Float64Array.of(1, Infinity), 2)).then(blocksOf)).rejects.toThrow(
      'table: numbers must be finite and at most 1e100 in size: row 0, column 1 is Infinity (both from 0).',
    );
  });
});

test.each([
  ['a,b\n1,x"y"\n', 'Invalid Opening Quote: a quote is found on field 1 at line 2, value is "x"'],
  [
    'a\n"x"y\n',
    'Invalid Closing Quote: got "y" at line 2 instead of delimiter, record delimiter, trimable character (if activated) or comment',
  ],
])('what is no CSV: %j', async (text, reason) => {
  await expect(open(text).then(blocksOf)).rejects.toThrow(
    new FormatError(`table: the file must be CSV: ${reason}.`),
  );
});

test('what is no table', async () => {
  await expect(open('')).rejects.toThrow('table: there must be rows: the file is empty.');
  await expect(open('\n\n')).rejects.toThrow('table: there must be a line of names: the file is empty.');
  await expect(open(Uint8Array.of(1, 2, 0, 3))).rejects.toThrow(
    'table: a table must be CSV, JSON lines, .npy or IDX: the file is none of these.',
  );
  await expect(Table.open('/nowhere/x.csv')).rejects.toThrow(
    '/nowhere/x.csv must be a readable file: there is no such file.',
  );
});
