import { parseSafetensors } from '@gmml/nn';
import { FormatError } from '@gmml/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { f32, fileOf, one, SMALL_FILE } from './safetensorsBytes.js';

describe('a malformed file is refused:', () => {
  const entry = (
    name: string,
    begin: number,
    end: number,
    rest = `"dtype":"F32","shape":[${(end - begin) / 4}]`,
  ): string => `"${name}":{${rest},"data_offsets":[${begin},${end}]}`;

  test.each<[string, Uint8Array, string]>([
    ['too short', new Uint8Array(7), 'a file must start with 8 bytes of header length: there are 7 bytes.'],
    ['empty', new Uint8Array(0), 'a file must start with 8 bytes of header length: there are 0 bytes.'],
    [
      'the header beyond the limit',
      fileOf('{}', [], 100_000_001n),
      'the header must be at most 100000000 bytes: it says it is 100000001.',
    ],
    [
      'the header of 2⁶⁴ − 1 bytes',
      fileOf('{}', [], 2n ** 64n - 1n),
      'the header must be at most 100000000 bytes: it says it is 18446744073709551615.',
    ],
    [
      'the header beyond the file',
      fileOf('{}', [], 3n),
      'the header must fit into the file: it says it is 3 bytes, 2 are left. The file is cut off, or is not a safetensors file.',
    ],
    ['no header', fileOf('', []), "the header must start with '{': it does not."],
    ['white space first', fileOf(' {}', []), "the header must start with '{': it does not."],
    ['not UTF-8', fileOf('{"\xff":', []).with(10, 0xff), 'the header must be UTF-8: it is not.'],
    [
      'not JSON',
      fileOf('{', []),
      'the header is malformed: at character 1 there must be a key of the header, a string: there is its end.',
    ],
    [
      'a trailing comma',
      fileOf('{"__metadata__":{},}', []),
      'the header is malformed: at character 19 there must be a key of the header, a string: there is "}".',
    ],
    [
      'something after the header',
      fileOf('{}{', []),
      'the header is malformed: at character 2 there must be only spaces after the last }: there is "{".',
    ],
    [
      'a tensor that is no object',
      fileOf('{"a":[]}', []),
      `the header is malformed: at character 5 there must be '{' to begin "a": there is "[]}".`,
    ],
    [
      'nesting',
      fileOf(`{"a":${'{'.repeat(100_000)}`, []),
      'the header is malformed: at character 6 there must be a key of "a", a string: there is "{{{{{{{{{{{{".',
    ],
    [
      'a name twice',
      fileOf(`{${entry('a', 0, 4)},${entry('a', 0, 4)}}`, f32(1)),
      'the header is malformed: keys must differ: the header has "a" twice.',
    ],
    [
      'a name twice, once escaped',
      fileOf(`{${entry('a', 0, 4)},${entry('\\u0061', 4, 8)}}`, f32(1, 2)),
      'the header is malformed: keys must differ: the header has "a" twice.',
    ],
    [
      'a field twice',
      fileOf('{"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}', f32(1)),
      'the header is malformed: keys must differ: "a" has "dtype" twice.',
    ],
    [
      'metadata twice',
      fileOf('{"__metadata__":{},"__metadata__":{}}', []),
      'the header is malformed: keys must differ: the header has "__metadata__" twice.',
    ],
    [
      'metadata that is no string',
      fileOf('{"__metadata__":{"a":1}}', []),
      'the header is malformed: at character 21 there must be a value of __metadata__, a string: there is "1}}".',
    ],
    [
      'a field missing',
      fileOf('{"a":{"dtype":"F32","shape":[]}}', []),
      'the header is malformed: "a" must have dtype, shape and data_offsets: one is missing.',
    ],
    [
      'an unknown field',
      fileOf(`{${entry('a', 0, 4, '"dtype":"F32","shape":[1],"order":"C"')}}`, f32(1)),
      `the header is malformed: "a" must have dtype, shape and data_offsets only: it has "order".`,
    ],
    [
      'three offsets',
      fileOf('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,4]}}', f32(1)),
      'the header is malformed: data_offsets must be two integers: "a" has [0, 4, 4].',
    ],
    ...['-1', '1.0', '1e0', '01', '9007199254740992', '"1"', 'null'].map(
      (size): [string, Uint8Array, string] => [
        `a size ${size}`,
        fileOf(`{${entry('a', 0, 4, `"dtype":"F32","shape":[${size}]`)}}`, f32(1)),
        'the header is malformed: at character 29 there must be an integer from 0 to 2⁵³ - 1: there is ' +
          `${JSON.stringify(`${size}],"data_offsets"`.slice(0, 12))}.`,
      ],
    ),
    [
      'half a surrogate pair',
      fileOf(`{"\\ud800":{}}`, []),
      'the header is malformed: strings must be valid JSON and Unicode: there is "\\"\\\\ud800\\"".',
    ],
    [
      'a control character in a string',
      fileOf('{"a\n":{}}', []),
      'the header is malformed: strings must be valid JSON and Unicode: there is "\\"a\\n\\"".',
    ],
    [
      'an unknown dtype',
      fileOf(`{${entry('a', 0, 1, '"dtype":"F8_E4M3","shape":[1]')}}`, [0]),
      'the dtype must be one of BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64: that of "a" is "F8_E4M3".',
    ],
    [
      'offsets that do not span the shape',
      fileOf(`{${entry('a', 0, 4, '"dtype":"F32","shape":[2,3]')}}`, f32(1)),
      'offsets must span the tensor: "a", F32 [2, 3], takes 24 bytes, its offsets are [0, 4].',
    ],
    [
      'offsets that run backwards',
      fileOf(`{${entry('a', 4, 0, '"dtype":"F32","shape":[1]')}}`, f32(1)),
      'offsets must span the tensor: "a", F32 [1], takes 4 bytes, its offsets are [4, 0].',
    ],
    [
      'a shape whose size overflows',
      fileOf(`{${entry('a', 0, 4, '"dtype":"F32","shape":[9007199254740991,9007199254740991,0]')}}`, f32(1)),
      'offsets must span the tensor: "a", F32 [9007199254740991, 9007199254740991, 0], takes more than 2⁵³ bytes, ' +
        'its offsets are [0, 4].',
    ],
    [
      'a hole at the start',
      fileOf(`{${entry('a', 4, 8)}}`, f32(1, 2)),
      'tensors must follow each other without holes or overlaps: "a" begins at 4, the tensor before it ends at 0.',
    ],
    [
      'a hole between tensors',
      fileOf(`{${entry('a', 0, 4)},${entry('b', 8, 12)}}`, f32(1, 2, 3)),
      'tensors must follow each other without holes or overlaps: "b" begins at 8, the tensor before it ends at 4.',
    ],
    [
      'an overlap',
      fileOf(`{${entry('a', 0, 8)},${entry('b', 4, 8)}}`, f32(1, 2)),
      'tensors must follow each other without holes or overlaps: "b" begins at 4, the tensor before it ends at 8.',
    ],
    [
      'many tensors over the same bytes',
      fileOf(`{${entry('a', 0, 4)},${entry('b', 0, 4)}}`, f32(1)),
      'tensors must follow each other without holes or overlaps: "b" begins at 0, the tensor before it ends at 4.',
    ],
    [
      'data that belong to no tensor',
      fileOf(`{${entry('a', 0, 4)}}`, f32(1, 2)),
      'the tensors must cover the data: they end at 4, there are 8 bytes of data.',
    ],
    [
      'data cut off',
      fileOf(`{${entry('a', 0, 8)}}`, f32(1)),
      'the tensors must cover the data: they end at 8, there are 4 bytes of data.',
    ],
    ['a BOOL of 2', one('BOOL', [2], [1, 2]), 'BOOL must be 0 or 1: element 1 of "x" is 2.'],
    [
      'an I64 of −2⁵³',
      one('I64', [1], [0, 0, 0, 0, 0, 0, 0xe0, 0xff]),
      'I64 must be below 2⁵³ in size to stay exact: element 0 of "x" is -9007199254740992.',
    ],
    [
      'a U64 of 2⁵³ + 1',
      one('U64', [1], [1, 0, 0, 0, 0, 0, 0x20, 0]),
      'U64 must be below 2⁵³ in size to stay exact: element 0 of "x" is 9007199254740992.',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => parseSafetensors(bytes)).toThrow(new FormatError(`parseSafetensors: ${message}`));
  });

  test('with short messages, whatever the names in it', () => {
    const long = 'x'.repeat(5_000_000);
    const header = `{"${long}":{"dtype":"${long}","shape":[${'1,'.repeat(1000)}1],"data_offsets":[0,4]}}`;
    const refused = (): unknown => parseSafetensors(fileOf(header, f32(1)));
    expect(refused).toThrow(FormatError);
    expect(refused).toThrow(/^[^]{1,400}$/);
  });

  test('cut off anywhere', () => {
    for (let length = 0; length < SMALL_FILE.length; length++) {
      expect(() => parseSafetensors(SMALL_FILE.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
    }
  });

  test('with bytes behind the last tensor', () => {
    expect(() => parseSafetensors(Uint8Array.from([...SMALL_FILE, 0]))).toThrow(FormatError);
  });

  test('or gives tensors: each byte changed to each other value', () => {
    const dataStart = SMALL_FILE.length - 12;
    const outcomes = [...SMALL_FILE].map((byte, i) =>
      Array.from({ length: 255 }, (_, change) => outcome(SMALL_FILE.with(i, byte ^ (change + 1)))),
    );
    // Any bytes are float32 numbers; a header with a changed letter in a name still has all three.
    expect(new Set(outcomes.slice(dataStart).flat())).toEqual(new Set(['3 numbers']));
    expect(new Set(outcomes.slice(0, dataStart).flat())).toEqual(new Set(['FormatError', '3 numbers']));
    const refused = outcomes.flat().filter((each) => each === 'FormatError').length;
    expect(refused).toBeGreaterThan(0.8 * 255 * dataStart);
  });

  test('or gives tensors: any header around any data', () => {
    const piece = fc.constantFrom(
      ...'{ } [ ] , : " "a" "dtype" "F32" "shape" "data_offsets" 0 4 [0,4] 1e5'.split(' '),
    );
    const header = fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 });
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 8 }), (pieces, data) => {
        expect(outcome(fileOf(`{${pieces.join('')}`, [...data]))).toMatch(/^(FormatError|\d numbers)$/);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  /** 'FormatError', or how many numbers the tensors hold; any other error goes on to the test. */
  function outcome(bytes: Uint8Array): string {
    try {
      const { tensors } = parseSafetensors(bytes);
      return `${Object.values(tensors).reduce((sum, { size }) => sum + size, 0)} numbers`;
    } catch (error) {
      if (error instanceof FormatError) return 'FormatError';
      throw error;
    }
  }
});
