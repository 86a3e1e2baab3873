import { ArgumentError, avgPool2d, conv2d, maxPool2d, ShapeError } from '@gmml/tensor';
import { build, type Grid, range, spread } from './grid.js';
import type { Row, Sample } from './row.js';

type Pair = number | [number, number];

interface ConvCase {
  x: number[];
  weight: number[];
  bias?: boolean;
  stride?: Pair;
  padding?: Pair;
  dilation?: Pair;
}

interface PoolCase {
  x: number[];
  kernelSize: Pair;
  stride?: Pair;
  padding?: Pair;
}

/** Convolution and pooling of images [N, C, H, W]. */
export const convRows: Row[] = [
  {
    name: 'conv2d',
    ops: ['conv2d'],
    differentiable: true,
    samples: [
      convolved({ x: [2, 3, 5, 6], weight: [4, 3, 3, 3] }),
      convolved({ x: [2, 2, 5, 6], weight: [3, 2, 3, 2], bias: true }),
      convolved({ x: [1, 2, 5, 5], weight: [2, 2, 3, 3], bias: true, padding: 1 }),
      convolved({ x: [1, 1, 6, 7], weight: [2, 1, 5, 5], padding: 2 }),
      convolved({ x: [2, 2, 6, 7], weight: [2, 2, 3, 3], stride: 2 }),
      convolved({ x: [1, 2, 7, 6], weight: [2, 2, 2, 3], bias: true, stride: [2, 3], padding: [1, 2] }),
      convolved({ x: [1, 2, 7, 8], weight: [2, 2, 3, 3], dilation: 2 }),
      convolved({ x: [1, 1, 7, 9], weight: [2, 1, 2, 3], stride: [1, 2], padding: [2, 1], dilation: [3, 2] }),
      convolved({ x: [1, 1, 2, 2], weight: [1, 1, 1, 1], padding: 3 }),
      convolved({ x: [1, 1, 1, 1], weight: [1, 1, 1, 1], bias: true }),
      convolved({ x: [1, 2, 3, 4], weight: [2, 2, 3, 4] }),
      convolved({ x: [0, 2, 4, 4], weight: [3, 2, 3, 3], bias: true }),
      convolved({ x: [2, 2, 4, 4], weight: [0, 2, 3, 3] }),
      convolved({ x: [1, 0, 4, 4], weight: [2, 0, 3, 3], bias: true }),
    ],
    bad: [
      {
        label: 'channels that differ',
        call: () => conv2d(spread([1, 3, 5, 5]).tensor(), spread([2, 4, 3, 3]).tensor()),
        error: ShapeError,
        message: 'conv2d: channels differ: x is [1, 3, 5, 5], weight is [2, 4, 3, 3] (3 ≠ 4).',
      },
      {
        label: 'an image without a batch',
        call: () => conv2d(spread([3, 5, 5]).tensor(), spread([2, 3, 3, 3]).tensor()),
        error: ShapeError,
        message:
          'conv2d: x must be [N, C, H, W] and weight [O, C, KH, KW]: x is [3, 5, 5], weight is [2, 3, 3, 3].',
      },
      {
        label: 'a bias of another size',
        call: () =>
          conv2d(spread([1, 1, 5, 5]).tensor(), spread([2, 1, 3, 3]).tensor(), {
            bias: spread([3]).tensor(),
          }),
        error: ShapeError,
        message: 'conv2d: the bias must be [2], one per output channel: it is [3].',
      },
      {
        label: 'a kernel larger than the image',
        call: () => conv2d(spread([1, 1, 3, 5]).tensor(), spread([1, 1, 3, 3]).tensor(), { dilation: 2 }),
        error: ShapeError,
        message:
          'conv2d: the kernel must fit into the padded image: it spans [5, 5], the image is [3, 5] with padding.',
      },
      {
        label: 'a stride of 0',
        call: () => conv2d(spread([1, 1, 5, 5]).tensor(), spread([1, 1, 3, 3]).tensor(), { stride: 0 }),
        error: ArgumentError,
        message:
          'conv2d: stride must be an integer of at least 1 or a pair [height, width] of them: it is 0.',
      },
      {
        label: 'a negative padding',
        call: () =>
          conv2d(spread([1, 1, 5, 5]).tensor(), spread([1, 1, 3, 3]).tensor(), { padding: [1, -1] }),
        error: ArgumentError,
        message:
          'conv2d: padding must be an integer of at least 0 or a pair [height, width] of them: it is [1, -1].',
      },
      {
        label: 'a dilation of a half',
        call: () => conv2d(spread([1, 1, 5, 5]).tensor(), spread([1, 1, 3, 3]).tensor(), { dilation: 0.5 }),
        error: ArgumentError,
        message:
          'conv2d: dilation must be an integer of at least 1 or a pair [height, width] of them: it is 0.5.',
      },
    ],
  },
  pooling('maxPool2d', maxPool2d, (values) => Math.max(...values.filter((value) => value !== null))),
  pooling(
    'avgPool2d',
    avgPool2d,
    (values) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length,
  ),
];

/** out[n, o, i, j] = bias[o] + Σ w[o, c, k, l] · x[n, c, i·s + k·d − p, j·s + l·d − p], x being 0 outside. */
function convolved({
  x: shape,
  weight,
  bias = false,
  stride = 1,
  padding = 0,
  dilation = 1,
}: ConvCase): Sample {
  const [s, p, d] = [both(stride), both(padding), both(dilation)];
  const [n, , h, w] = shape;
  const [o, channels, kh, kw] = weight;
  const outH = Math.floor((h + 2 * p[0] - d[0] * (kh - 1) - 1) / s[0]) + 1;
  const outW = Math.floor((w + 2 * p[1] - d[1] * (kw - 1) - 1) / s[1]) + 1;
  const reference = (image: Grid, kernel: Grid, b?: Grid): Grid =>
    build([n, o, outH, outW], ([sample, out, i, j]) => {
      let sum = b ? b.at(out) : 0;
      for (let c = 0; c < channels; c++) {
        for (let k = 0; k < kh; k++) {
          for (let l = 0; l < kw; l++) {
            const [row, column] = [i * s[0] + k * d[0] - p[0], j * s[1] + l * d[1] - p[1]];
            if (row < 0 || row >= h || column < 0 || column >= w) continue;
            sum += kernel.at(out, c, k, l) * image.at(sample, c, row, column);
          }
        }
      }
      return sum;
    });
  return {
    label: `[${shape}] with [${weight}]${bias ? ' and bias' : ''}, stride ${stride}, padding ${padding}, dilation ${dilation}`,
    inputs: [spread(shape, -2, 2, 1), spread(weight, -1, 1, 2), ...(bias ? [spread([o], -1, 1, 3)] : [])],
    call: (image, kernel, b) => conv2d(image, kernel, { bias: b, stride, padding, dilation }),
    reference,
  };
}

/** `of` brings a window to one number; null stands for padding. */
function pooling(
  name: 'maxPool2d' | 'avgPool2d',
  pool: typeof maxPool2d,
  of: (values: (number | null)[]) => number,
): Row {
  const cases: PoolCase[] = [
    { x: [2, 3, 4, 6], kernelSize: 2 },
    { x: [1, 2, 5, 7], kernelSize: [2, 3] },
    { x: [1, 2, 5, 6], kernelSize: 3, stride: 1 },
    { x: [1, 1, 7, 8], kernelSize: [3, 2], stride: [2, 3], padding: [1, 1] },
    { x: [2, 1, 4, 4], kernelSize: 2, stride: 2, padding: 1 },
    { x: [1, 1, 6, 6], kernelSize: 2, stride: 3 },
    { x: [1, 1, 1, 1], kernelSize: 1 },
    { x: [0, 2, 4, 4], kernelSize: 2 },
    { x: [2, 0, 4, 4], kernelSize: 2 },
  ];
  return {
    name,
    ops: [name],
    differentiable: true,
    samples: cases.map(({ x: shape, ...geometry }): Sample => {
      const [kh, kw] = both(geometry.kernelSize);
      const s = both(geometry.stride ?? geometry.kernelSize);
      const p = both(geometry.padding ?? 0);
      const [n, c, h, w] = shape;
      const outH = Math.floor((h + 2 * p[0] - kh) / s[0]) + 1;
      const outW = Math.floor((w + 2 * p[1] - kw) / s[1]) + 1;
      const inside = ([row, column]: number[]): boolean => row >= 0 && row < h && column >= 0 && column < w;
      return {
        label: `[${shape}], kernel ${geometry.kernelSize}, stride ${geometry.stride}, padding ${p}`,
        inputs: [spread(shape)],
        call: (x) => pool(x, geometry),
        reference: (x) =>
          build([n, c, outH, outW], ([sample, channel, i, j]) => {
            const window = range(kh).flatMap((k) =>
              range(kw).map((l) => [i * s[0] + k - p[0], j * s[1] + l - p[1]]),
            );
            return of(window.map((at) => (inside(at) ? x.at(sample, channel, at[0], at[1]) : null)));
          }),
      };
    }),
    bad: [
      {
        label: 'an image without a batch',
        call: () => pool(spread([3, 5, 5]).tensor(), { kernelSize: 2 }),
        error: ShapeError,
        message: `${name}: x must be [N, C, H, W]: it is [3, 5, 5].`,
      },
      {
        label: 'a window larger than the image',
        call: () => pool(spread([1, 1, 3, 3]).tensor(), { kernelSize: [2, 4] }),
        error: ShapeError,
        message: `${name}: the kernel must fit into the padded image: it spans [2, 4], the image is [3, 3] with padding.`,
      },
      {
        label: 'an image without pixels',
        call: () => pool(spread([1, 1, 0, 4]).tensor(), { kernelSize: 2, padding: 1 }),
        error: ShapeError,
        message: `${name}: the image must have pixels: x is [1, 1, 0, 4].`,
      },
      {
        label: 'more padding than half a window',
        call: () => pool(spread([1, 1, 4, 4]).tensor(), { kernelSize: 2, padding: 2 }),
        error: ArgumentError,
        message: `${name}: padding must be at most half the kernel size: padding is [2, 2], the kernel [2, 2].`,
      },
      {
        label: 'a window of nothing',
        call: () => pool(spread([1, 1, 4, 4]).tensor(), { kernelSize: 0 }),
        error: ArgumentError,
        message: `${name}: kernelSize must be an integer of at least 1 or a pair [height, width] of them: it is 0.`,
      },
    ],
  };
}

function both(value: Pair): [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}
