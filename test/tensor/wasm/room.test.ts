// Kernels take no more memory than they ask for: what lies beyond are the blocks of parameters.
import { describe, expect, test } from 'vitest';
import type { ConvSizes, WindowSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import * as conv from '../../../packages/tensor/src/kernels/wasm/conv/conv.js';
import type { Allocate, Engine } from '../../../packages/tensor/src/kernels/wasm/engine.js';
import { cholesky } from '../../../packages/tensor/src/kernels/wasm/linalg/cholesky.js';
import { matmul } from '../../../packages/tensor/src/kernels/wasm/linalg/matmul.js';
import { triangularSolve } from '../../../packages/tensor/src/kernels/wasm/linalg/triangularSolve.js';
import { addBlocks } from '../../../packages/tensor/src/kernels/wasm/movement/blocks.js';
import { addStrided } from '../../../packages/tensor/src/kernels/wasm/movement/strided.js';
import * as avgPool from '../../../packages/tensor/src/kernels/wasm/pool/avgPool.js';
import { maxPool2d } from '../../../packages/tensor/src/kernels/wasm/pool/maxPool.js';
import { softmax } from '../../../packages/tensor/src/kernels/wasm/reduce/softmax.js';
import { ThreeThreads } from './engines.js';

/** Sees how far memory is taken, by more threads than are usual. */
class ManyThreads extends ThreeThreads {
  /** The end of what was taken, at the most. */
  highest = 0;

  override get threads(): number {
    return 48;
  }

  override scratch<T>(use: (allocate: Allocate) => T): T {
    return super.scratch((allocate) =>
      use((floats) => {
        const start = allocate(floats);
        this.highest = Math.max(this.highest, this.memory.mark());
        return start;
      }),
    );
  }
}

const zeros = (length: number): Float32Array => new Float32Array(length);

const threes = { kernelH: 3, kernelW: 3, strideH: 3, strideW: 3, dilationH: 1, dilationW: 1 };

/** As many planes as threads, whose lengths with padding are one number more than a multiple of a cache line. */
const pooled: WindowSizes = { n: 7, c: 7, h: 255, w: 255, ...threes, padH: 1, padW: 1, outH: 85, outW: 85 };

function convSizes(n: number, c: number, o: number, kernel: number, side: number): ConvSizes {
  const window = { kernelH: kernel, kernelW: kernel, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 };
  const out = side - kernel + 1;
  return { n, c, o, h: side, w: side, padH: 0, padW: 0, ...window, outH: out, outW: out };
}

interface ConvArrays {
  readonly x: Float32Array;
  readonly weight: Float32Array;
  readonly y: Float32Array;
}

function convArrays({ n, c, o, h, w, kernelH, kernelW, outH, outW }: ConvSizes): ConvArrays {
  return { x: zeros(n * c * h * w), weight: zeros(o * c * kernelH * kernelW), y: zeros(n * o * outH * outW) };
}

function identities(batch: number, n: number): Float32Array {
  return Float32Array.from({ length: batch * n * n }, (_, i) => ((i % (n * n)) % (n + 1) === 0 ? 1 : 0));
}

const factors = identities(1111, 65);
const plane = pooled.n * pooled.c * pooled.h * pooled.w;
const windows = pooled.n * pooled.c * pooled.outH * pooled.outW;

const convolutions = Object.entries({
  direct: convSizes(3500, 7, 8, 1, 17),
  'minimal filtering, 3 × 3': convSizes(130, 9, 9, 3, 17),
  'minimal filtering, 5 × 5': convSizes(130, 9, 9, 5, 17),
}).flatMap(([name, sizes]): [string, (engine: Engine) => boolean][] => {
  const { x, weight, y } = convArrays(sizes);
  return [
    [`conv2d, ${name}`, (e) => conv.conv2d(e, x, weight, null, sizes, y)],
    [`conv2dInputGradient, ${name}`, (e) => conv.conv2dInputGradient(e, y, weight, sizes, x)],
    [`conv2dWeightGradient, ${name}`, (e) => conv.conv2dWeightGradient(e, y, x, sizes, weight)],
  ];
});

const product = {
  m: 33,
  k: 65,
  n: 37,
  transposeA: false,
  transposeB: false,
  strideA: 33 * 65,
  strideB: 65 * 37,
};
const system = { n: 65, m: 33, upper: false, transpose: false, unitDiagonal: false };
const square = { shape: [1000, 1001], strides: [1, 0], offset: 0 };

const kernels: [string, (engine: Engine) => boolean][] = [
  ['maxPool2d', (e) => maxPool2d(e, zeros(plane), pooled, zeros(windows), new Int32Array(windows))],
  ['avgPool2d', (e) => avgPool.avgPool2d(e, zeros(plane), pooled, zeros(windows))],
  ['avgPool2dBackward', (e) => avgPool.avgPool2dBackward(e, zeros(windows), pooled, zeros(plane))],
  ...convolutions,
  [
    'matmul',
    (e) =>
      matmul(e, zeros(999 * 33 * 65), zeros(999 * 65 * 37), { ...product, batch: 999 }, zeros(999 * 33 * 37)),
  ],
  ['cholesky', (e) => cholesky(e, factors, 1111, 65, zeros(1111 * 65 * 65)) === null],
  [
    'triangularSolve',
    (e) =>
      triangularSolve(e, factors, zeros(1111 * 65 * 33), { ...system, batch: 1111 }, zeros(1111 * 65 * 33)),
  ],
  [
    'softmax',
    (e) => softmax(e, zeros(48 * 32768), { outer: 4096, length: 384, inner: 1 }, zeros(48 * 32768)),
  ],
  ['addStrided', (e) => addStrided(e, zeros(1000 * 1001), square, zeros(1000))],
  ['addBlocks', (e) => addBlocks(e, zeros(333 * 3), new Int32Array(333), 3, zeros(33))],
];

describe('with as little memory as it runs in', () => {
  test.each(kernels)('%s takes none beyond the end', (_, run) => {
    const engine = new ManyThreads({ flavour: { relaxed: false }, capacity: 2 ** 27 });
    const runsBeside = (lines: number): boolean =>
      engine.scratch((allocate) => (allocate(16 * lines), run(engine)));
    let [fits, fails] = [0, engine.floats.length / 16];
    expect([runsBeside(fits), runsBeside(fails)]).toEqual([true, false]);
    while (fails - fits > 1) {
      engine.highest = 0;
      const middle = Math.floor((fits + fails) / 2);
      if (runsBeside(middle)) fits = middle;
      else fails = middle;
    }
    engine.highest = 0;
    expect(runsBeside(fits)).toBe(true);
    expect(engine.highest).toBeLessThanOrEqual(engine.floats.length);
  });
});
