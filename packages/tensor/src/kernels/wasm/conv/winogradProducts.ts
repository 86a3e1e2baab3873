import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';

/** Terms that are added in float32 before the sum is added to another. */
export const MOST_TERMS = 256;

/** Tiles, or input channels, and output channels whose products are held in registers together. */
const ROWS = 4;
export const PANEL = 8;

/** How the operands of products lie in memory; strides in numbers from one point to the next. */
export interface ProductLayout {
  /** Points of a tile. */
  readonly points: number;
  /** Input channels and how many places they take, a multiple of 4. */
  readonly c: number;
  readonly channels: number;
  readonly leftPoint: number;
  readonly rightPoint: number;
  readonly productPoint: number;
}

/**
 * multiply(left, right, product, fours, ones), 4·fours + ones tiles: for each point p
 * product[p] [tiles, 8] = left[p] [tiles, C] · right[p] [C, 8].
 * For each 4 (at the end 1) tiles, for each channel: a number of each tile, spread over a vector, times the
 * two vectors of the right.
 */
export function emitProducts(module: ModuleBuilder, layout: ProductLayout): void {
  const { points, c, channels, leftPoint, rightPoint, productPoint } = layout;
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;
  module.func('multiply', parameters, null, (f, left, right, product, fours, ones) => {
    const [point, tile, from, factor, to] = f.localArray('i32', 5);
    const addTerms = termsEmitter(f, from, factor, { left: 4, right: 4 * PANEL, row: 4 * channels });
    const multiplyTiles = (count: number): void => {
      f.get(right).set(factor);
      for (let first = 0; first < c; first += MOST_TERMS) {
        const sums = addTerms(count, Math.min(MOST_TERMS, c - first));
        sums.forEach((sum, i) => {
          f.get(to);
          if (first > 0)
            f.load('v128.load', to, 16 * i)
              .get(sum)
              .op('f32x4.add');
          else f.get(sum);
          f.store('v128.store', 16 * i);
        });
      }
      f.increase(from, 4 * (count * channels - c)).increase(to, 4 * count * PANEL);
    };
    f.times(point, points, () => {
      f.get(left).set(from).get(product).set(to);
      f.times(tile, fours, () => multiplyTiles(ROWS));
      f.times(tile, ones, () => multiplyTiles(1));
      f.increase(left, 4 * leftPoint);
      f.increase(right, 4 * rightPoint).increase(product, 4 * productPoint);
    });
  });
}

/**
 * addProducts(left, right, sums, tiles), at most 256 tiles: for each point p, each panel of 8 output channels and
 * each 4 input channels, sums[p] [channels, 8] += left[p] [tiles, channels]ᵀ · right[p] [tiles, 8], a tile at a time.
 * Panels of `right` are `rightPanel` numbers apart; rows of `sums` have a place for each of `panels`.
 */
export function emitAddProducts(
  module: ModuleBuilder,
  layout: ProductLayout,
  panels: number,
  rightPanel: number,
): void {
  const { points, channels, leftPoint, rightPoint, productPoint } = layout;
  const sumRow = panels * PANEL;
  module.func('addProducts', ['i32', 'i32', 'i32', 'i32'], null, (f, left, right, sums, tiles) => {
    const [point, panel, four, from, factor, columns, rows, to] = f.localArray('i32', 8);
    const addTerms = termsEmitter(f, from, factor, { left: 4 * channels, right: 4 * PANEL, row: 4 });
    f.times(point, points, () => {
      f.get(right).set(columns);
      f.times(panel, panels, () => {
        f.get(left).set(rows);
        f.get(sums).set(to);
        f.times(four, channels / ROWS, () => {
          f.get(rows).set(from).get(columns).set(factor);
          addTerms(ROWS, tiles).forEach((sum, i) => {
            const offset = 4 * (i >> 1) * sumRow + 16 * (i % 2);
            f.get(to).load('v128.load', to, offset).get(sum).op('f32x4.add');
            f.store('v128.store', offset);
          });
          f.increase(rows, 4 * ROWS).increase(to, 4 * ROWS * sumRow);
        });
        f.increase(columns, 4 * rightPanel).increase(sums, 4 * PANEL);
      });
      f.increase(sums, 4 * (productPoint - sumRow));
      f.increase(left, 4 * leftPoint).increase(right, 4 * rightPoint);
    });
  });
}

/**
 * The code that adds up `terms` products of `rows` numbers, `row` bytes apart from `left` on, by the 8 numbers from
 * `right` on; both pointers advance by a step a term. Gives the locals of the sums: two vectors for each row.
 */
function termsEmitter(
  f: FunctionBuilder,
  left: Local,
  right: Local,
  steps: { readonly left: number; readonly right: number; readonly row: number },
): (rows: number, terms: number | Local) => Local[] {
  const sums = f.localArray('v128', 2 * ROWS);
  const [low, high, value] = f.localArray('v128', 3);
  const zero = f.local('v128');
  const term = f.local('i32');
  return (rows, terms) => {
    const used = sums.slice(0, 2 * rows);
    for (const sum of used) f.get(zero).set(sum);
    f.times(term, terms, () => {
      f.load('v128.load', right, 0).set(low).load('v128.load', right, 16).set(high);
      for (let i = 0; i < rows; i++) {
        f.load('v128.load32_splat', left, i * steps.row).set(value);
        f.multiplyAdd(sums[2 * i], value, low).multiplyAdd(sums[2 * i + 1], value, high);
      }
      f.increase(left, steps.left).increase(right, steps.right);
    });
    return used;
  };
}
