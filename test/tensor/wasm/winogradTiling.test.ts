// Which tiles minimal filtering takes, and how their rows are shared out.
import { describe, expect, test } from 'vitest';
import type { ConvSizes } from '../../../packages/tensor/src/kernels/kernels.js';
import {
  forEachBlock,
  staysFinite,
  tilingOf,
  type Run,
} from '../../../packages/tensor/src/kernels/wasm/conv/winogradTiling.js';

function sizesOf(n: number, kernel: number, outH: number, outW = outH): ConvSizes {
  const one = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 };
  const padded = { padH: kernel >> 1, padW: kernel >> 1 };
  const window = { kernelH: kernel, kernelW: kernel, ...one, ...padded };
  return { n, c: 16, o: 32, h: outH, w: outW, outH, outW, ...window };
}

test.each([
  { what: 'the usual layer', sizes: sizesOf(64, 5, 14), tile: 8 },
  { what: 'images that leave parts of tiles unused', sizes: sizesOf(64, 5, 5), tile: 8 },
  { what: 'images of one small tile', sizes: sizesOf(99, 5, 2), tile: 6 },
  { what: 'strips that small tiles cover without a rest', sizes: sizesOf(64, 5, 2, 9), tile: 6 },
  { what: 'too few large tiles', sizes: sizesOf(1, 5, 12), tile: 6 },
  { what: 'a kernel of 3 × 3', sizes: sizesOf(64, 3, 14), tile: 6 },
])('takes tiles of $tile for $what', ({ sizes, tile }) => {
  expect(tilingOf(sizes, () => 24)).toMatchObject({
    tile,
    points: tile * tile,
    step: tile + 1 - sizes.kernelH,
  });
});

test.each([
  { what: 'other kernels', sizes: sizesOf(64, 7, 14) },
  { what: 'few products', sizes: sizesOf(1, 5, 8) },
  { what: 'rows of more tiles than can be added up', sizes: sizesOf(1, 3, 4, 1025) },
])('has none for $what', ({ sizes }) => {
  expect(tilingOf(sizes, () => 24)).toBeNull();
});

describe.each([1, 2, 3])('%d parts', (parts) => {
  test.each([sizesOf(64, 5, 14), sizesOf(7, 5, 13, 30), sizesOf(9, 3, 15)])(
    'have each row once: %j',
    (sizes) => {
      const t = tilingOf(sizes, (channels) => channels + 8)!;
      const rows = Array.from({ length: sizes.n }, () => Array.from({ length: t.tilesDown }, () => 0));
      const shares = Array.from({ length: parts }, (_, part) => {
        let share = 0;
        forEachBlock(sizes, t, part, parts, (runs: readonly Run[], tiles) => {
          share += tiles;
          expect(tiles).toBeLessThanOrEqual(t.capacity);
          for (const run of runs) for (let i = 0; i < run.rows; i++) rows[run.image][run.row + i]++;
        });
        return share;
      });
      expect(new Set(rows.flat())).toEqual(new Set([1]));
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(t.tilesAcross);
    },
  );
});

test('numbers stay finite as long as no transform nor sum can reach the largest', () => {
  const [twice, thrice, half] = [
    [[2]],
    [
      [-3, 1],
      [0, 1],
    ],
    [[1 / 2]],
  ];
  const finite = (left: number, right: number, output = thrice): boolean =>
    staysFinite({ peak: left, transform: twice }, { peak: right, transform: twice }, output, 5);
  // Halves of the largest number: those of a transform are 4 times as large, those of the sums 4·4·5·4².
  expect([finite(2 ** 124, 2 ** -20), finite(2 ** 125, 2 ** -20)]).toEqual([true, false]);
  expect([finite(2 ** -20, 2 ** 124), finite(2 ** -20, 2 ** 125)]).toEqual([true, false]);
  expect([finite(2 ** 58, 2 ** 58), finite(2 ** 59, 2 ** 58)]).toEqual([true, false]);
  // An output that makes less of the sums does not help them.
  expect([finite(2 ** 60, 2 ** 60, half), finite(2 ** 61, 2 ** 60, half)]).toEqual([true, false]);
  expect([finite(NaN, 1), finite(1, NaN), finite(Infinity, 0)]).toEqual([false, false, false]);
});
