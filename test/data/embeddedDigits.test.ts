import { FormatError } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';
import { parseDigits } from '../../packages/data/src/embeddedDigits.js';

/** The byte k as the package writes it. */
function written(k: number): string {
  return String(Math.round((k / 255) * 1000) / 1000);
}

/** A file of one image whose numbers start with the given ones, the rest 0. */
function fileOf(...numbers: readonly string[]): string {
  return `{ "data": [${Array.from({ length: 784 }, (_, i) => numbers[i] ?? '0').join(',')}]}`;
}

function parse(text: string): Uint8Array {
  return parseDigits(Buffer.from(text), 'f');
}

describe('parseDigits', () => {
  test('gives every byte back', () => {
    const bytes = Array.from({ length: 256 }, (_, k) => k);
    expect([...parse(fileOf(...bytes.map(written))).subarray(0, 256)]).toEqual(bytes);
  });

  test('takes trailing zeros, and white space around the array', () => {
    expect([...parse(fileOf('0.4', '0.0', '0.400', '1.0', '1.000')).subarray(0, 6)]).toEqual(
      [...JSON.parse('[0.4, 0, 0.4, 1, 1, 0]')].map((value) => Math.round(255 * value)),
    );
    const spaced = fileOf('1').replace('{ "data": [', ' {\n"data" : [').replace(']}', '] \n}\n');
    expect(parse(spaced)[0]).toBe(255);
    expect(parse(fileOf('1').replaceAll(/\s/g, '')).length).toBe(784);
  });

  test('reads from the middle of a larger buffer', () => {
    const file = Buffer.from(`]]]${fileOf('1')}]]]`);
    expect(parseDigits(file.subarray(3, -3), 'f')[0]).toBe(255);
  });

  test.each([
    '0.001', // Not k / 255 for any k.
    '0.5000',
    '0.',
    '.5',
    '00',
    '01',
    '2',
    '1.004',
    '1.999',
    '-0',
    '-1',
    '+1',
    '1e0',
    '0.5e0',
    '0x1',
    ' 1',
    '1 ',
    '0.5.5',
    '',
    'null',
    'NaN',
    '"1"',
    '[1]',
  ])('refuses a pixel %j', (number) => {
    const text = fileOf('1', number, '1');
    expect(() => parse(text)).toThrow(
      new FormatError(
        `f: pixels must be k / 255 rounded to three decimals: at byte 13 stands ${JSON.stringify(text.slice(13, 25))}.`,
      ),
    );
  });

  test('refuses every cut of a file', () => {
    const text = fileOf('0.4', '1');
    for (let length = 0; length < text.length; length++) {
      expect(() => parse(text.slice(0, length)), `${length} bytes`).toThrow(FormatError);
    }
  });

  test.each([
    ['', 'f: must be { "data": […] }: it starts with the end.'],
    ['[0,0]', 'f: must be { "data": […] }: it starts with "[0,0]".'],
    ['{"label":[0]}', 'f: must be { "data": […] }: it starts with "{\\"label\\":[0]".'],
    ['{"data":[', 'f: pixels must be k / 255 rounded to three decimals: at byte 9 stands the end.'],
    ['{"data":[]}', 'f: pixels must be k / 255 rounded to three decimals: at byte 9 stands "]}".'],
    ['{"data":[0,0]}', 'f: must hold images of 784 pixels: it holds 2 numbers.'],
    ['{"data":[0,0]', 'f: nothing but a brace must follow the pixels: at byte 12 stands "]".'],
    ['{"data":[0]}}', 'f: nothing but a brace must follow the pixels: at byte 10 stands "]}}".'],
    [
      '{"data":[0],"b":1}',
      'f: nothing but a brace must follow the pixels: at byte 10 stands "],\\"b\\":1}".',
    ],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(new FormatError(message));
  });
});
