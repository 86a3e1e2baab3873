import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { ArgumentError, Generator, ones, randn, type Tensor, tensor, zeros } from '@gmml/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { f32, fileOf, one, SMALL_FILE } from './safetensorsBytes.js';

/** Tensors as plain objects, NaN and −0 told apart from other numbers. */
const plain = (tensors: Record<string, Tensor>) =>
  Object.entries(tensors).map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, data: [...data] }));

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The UTF-8 bytes. */
const hex = (name: string): string =>
  Array.from(new TextEncoder().encode(name), (byte) => byte.toString(16).padStart(2, '0')).join('');

describe('files built by hand', () => {
  test('give their tensors in the order of the bytes, and their metadata', () => {
    const { tensors, metadata } = parseSafetensors(SMALL_FILE);
    expect(plain(tensors)).toEqual([
      { name: 'b', dtype: 'float32', shape: [], data: [1] },
      { name: 'a', dtype: 'float32', shape: [2, 1], data: [-2, 0.5] },
    ]);
    expect(metadata).toEqual({ format: 'pt' });
  });

  test('may have no tensors, no padding, or white space for it', () => {
    expect(parseSafetensors(fileOf('{}', []))).toEqual({ tensors: {}, metadata: {} });
    expect(parseSafetensors(fileOf('{}\r \t\n', []))).toEqual({ tensors: {}, metadata: {} });
    expect(parseSafetensors(fileOf('{ "__metadata__" : { } }', []))).toEqual({ tensors: {}, metadata: {} });
  });

  test('may have tensors without elements, before, between and after others', () => {
    const header =
      '{"e":{"dtype":"F64","shape":[0],"data_offsets":[0,0]},"f":{"dtype":"F32","shape":[3,0],"data_offsets":[4,4]},' +
      '"x":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}';
    expect(plain(parseSafetensors(fileOf(header, f32(7))).tensors)).toEqual([
      { name: 'e', dtype: 'float64', shape: [0], data: [] },
      { name: 'x', dtype: 'float32', shape: [1], data: [7] },
      { name: 'f', dtype: 'float32', shape: [3, 0], data: [] },
    ]);
  });

  test('may lie anywhere in memory: an ArrayBuffer, a view, unaligned', () => {
    const shifted = new Uint8Array(SMALL_FILE.length + 3);
    shifted.set(SMALL_FILE, 3);
    const expected = plain(parseSafetensors(SMALL_FILE).tensors);
    expect(plain(parseSafetensors(shifted.subarray(3)).tensors)).toEqual(expected);
    expect(plain(parseSafetensors(SMALL_FILE.slice().buffer).tensors)).toEqual(expected);
  });

  test('give tensors of their own, not views', () => {
    const bytes = SMALL_FILE.slice();
    const { tensors } = parseSafetensors(bytes);
    bytes.fill(0xff);
    expect(tensors.b.item()).toBe(1);
  });

  test.each([
    ['F64', 'float64', [0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x80], [1.5, -0]],
    ['F32', 'float32', [0, 0, 0x80, 0x7f, 1, 0, 0, 0], [Infinity, 2 ** -149]],
    [
      'F16',
      'float32',
      [0, 0x3c, 1, 0, 0xff, 0x7b, 0, 0xfc, 0, 0x7e, 0, 0x80],
      [1, 2 ** -24, 65504, -Infinity, NaN, -0],
    ],
    ['BF16', 'float32', [0x80, 0x3f, 0xc0, 0xc0, 1, 0, 0x80, 0x7f], [1, -6, 2 ** -133, Infinity]],
    ['BOOL', 'float32', [0, 1], [0, 1]],
    ['U8', 'float32', [0, 255], [0, 255]],
    ['I8', 'float32', [127, 128], [127, -128]],
    ['U16', 'float32', [0xff, 0xff], [65535]],
    ['I16', 'float32', [0xff, 0x7f, 0, 0x80], [32767, -32768]],
    ['U32', 'float64', [0xff, 0xff, 0xff, 0xff], [4294967295]],
    ['I32', 'float64', [0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0x80], [2147483647, -2147483648]],
    ['U64', 'float64', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0], [2 ** 53 - 1]],
    ['I64', 'float64', [3, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [3, -2]],
  ])('may hold %s, read exactly as %s', (dtype, as, bytes, values) => {
    const { tensors } = parseSafetensors(one(dtype, [values.length], bytes));
    expect(plain(tensors)).toEqual([{ name: 'x', dtype: as, shape: [values.length], data: values }]);
  });

  test('every float16 is what its definition says', () => {
    const bits = Array.from({ length: 65536 }, (_, i) => i);
    const { x } = parseSafetensors(
      one(
        'F16',
        [65536],
        bits.flatMap((b) => [b & 255, b >> 8]),
      ),
    ).tensors;
    const values = bits.map((b) => {
      const [sign, exponent, fraction] = [b >> 15 ? -1 : 1, (b >> 10) & 31, b & 1023];
      if (exponent === 31) return fraction ? NaN : sign * Infinity;
      return sign * (exponent ? 1024 + fraction : fraction) * 2 ** (Math.max(exponent, 1) - 25);
    });
    expect([...x.data]).toEqual(values);
  });

  test("may use the names of JavaScript's own properties", () => {
    const header =
      '{"__proto__":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"__metadata__":{"__proto__":"x"}}';
    const { tensors, metadata } = parseSafetensors(fileOf(header, f32(1)));
    expect(Object.keys(tensors)).toEqual(['__proto__']);
    expect(Object.entries(metadata)).toEqual([['__proto__', 'x']]);
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype);
  });

  test('may escape characters in strings', () => {
    const header = '{"__metadata__":{"\\u0061\\n\\"":"\\ud83d\\ude00/\\/\\\\"}}';
    expect(parseSafetensors(fileOf(header, [])).metadata).toEqual({ 'a\n"': '😀//\\' });
  });
});

describe('serializeSafetensors', () => {
  test("writes the reference implementation's bytes", () => {
    const six = tensor([0, 1, 2, 3, 4, 5], { shape: [1, 2, 3] });
    const header = '{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}';
    expect(header).toHaveLength(64);
    expect(serializeSafetensors({ 'attn.0': six })).toEqual(fileOf(header, f32(0, 1, 2, 3, 4, 5)));

    // 65 characters: padded to 72.
    const padded = '{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       ';
    expect(serializeSafetensors({ attn0: six.reshape([1, 1, 2, 3]) })).toEqual(
      fileOf(padded, f32(0, 1, 2, 3, 4, 5)),
    );

    expect(serializeSafetensors({})).toEqual(fileOf('{}      ', []));
    expect(serializeSafetensors({}, { framework: 'pt' })).toEqual(
      fileOf('{"__metadata__":{"framework":"pt"}}     ', []),
    );
  });

  test('sorts by number format, float64 first, then by name', () => {
    const names = ['b', '10', '9', 'a', 'a.b', 'a/b', 'B', '\u{1f600}', '\uffee', 'é', ''];
    const narrow = names.map((name) => [name, zeros([])] as const);
    const wide = ['z', 'y'].map((name) => [name, zeros([], { dtype: 'float64' })] as const);
    const bytes = serializeSafetensors(Object.fromEntries([...narrow, ...wide]));
    const written = Array.from(text(bytes).matchAll(/"([^"]*)":\{/g), ([, name]) => name);
    // By UTF-8 bytes, as Rust compares: U+1F600 after U+FFEE, which JavaScript's < has the other way round.
    const byBytes = names.toSorted((a, b) => (hex(a) < hex(b) ? -1 : 1));
    expect(written).toEqual(['y', 'z', ...byBytes]);
    expect(byBytes.slice(-2)).toEqual(['\uffee', '\u{1f600}']);
  });

  test('aligns the data to 8 bytes', () => {
    for (let length = 1; length <= 16; length++) {
      const bytes = serializeSafetensors({ ['n'.repeat(length)]: ones([1], { dtype: 'float64' }) });
      expect((bytes.length - 8) % 8).toBe(0);
      expect([...bytes.subarray(-8)]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    }
  });

  test('round trips numbers bit for bit', () => {
    const edge = [0, -0, 1, -1, Infinity, -Infinity, NaN, 5e-324, Number.MAX_VALUE, Math.PI];
    const before = {
      wide: tensor(edge, { dtype: 'float64' }),
      narrow: tensor(edge),
      scalar: tensor(3),
      empty: zeros([2, 0, 3]),
      image: randn([2, 3, 4, 5], { generator: new Generator(1) }),
    };
    const { tensors, metadata } = parseSafetensors(serializeSafetensors(before));
    const byName = (list: ReturnType<typeof plain>) => list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(byName(plain(tensors))).toEqual(byName(plain(before)));
    expect(metadata).toEqual({});
  });

  test('round trips any names, shapes and metadata', () => {
    // Strings of whole code points: half a surrogate pair is refused, see below.
    const name = fc.string({ unit: 'binary' });
    const shape = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
    const dtype = fc.constantFrom('float32', 'float64');
    const entries = fc.uniqueArray(fc.tuple(name, shape, dtype), { selector: ([key]) => key, maxLength: 6 });
    const metadata = fc
      .array(fc.tuple(name, name), { maxLength: 4 })
      .map((pairs) => Object.fromEntries(pairs));
    fc.assert(
      fc.property(entries, metadata, (list, strings) => {
        fc.pre(list.every(([key]) => key !== '__metadata__'));
        const generator = new Generator(1);
        const before = Object.fromEntries(
          list.map(([key, s, d]) => [key, randn(s, { dtype: d, generator })] as const),
        );
        const bytes = serializeSafetensors(before, strings);
        const after = parseSafetensors(bytes);
        expect(new Map(plain(after.tensors).map((entry) => [entry.name, entry]))).toEqual(
          new Map(plain(before).map((entry) => [entry.name, entry])),
        );
        expect(Object.entries(after.metadata)).toEqual(Object.entries(strings));
        expect(serializeSafetensors(after.tensors, after.metadata)).toEqual(bytes);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('refuses what the format cannot hold', () => {
    expect(() => serializeSafetensors({ __metadata__: ones([1]) })).toThrow(
      new ArgumentError("serializeSafetensors: the name '__metadata__' must not be a tensor's: it is one's."),
    );
    expect(() => serializeSafetensors({}, { epoch: 3 as unknown as string })).toThrow(
      new ArgumentError("serializeSafetensors: metadata must be strings: 'epoch' is 3."),
    );
    expect(() => serializeSafetensors({ '\ud800': ones([1]) })).toThrow(
      new ArgumentError(
        'serializeSafetensors: strings must be Unicode: there is half a surrogate pair in "\\ud800".',
      ),
    );
    expect(() => serializeSafetensors({}, { key: '\udc00' })).toThrow(ArgumentError);
  });
});
