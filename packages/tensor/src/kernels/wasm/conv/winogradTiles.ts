import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import { PAIRS, TILE, transposed, type Matrix } from './winogradTransforms.js';

/** Two-dimensional transforms T d Tᵀ of tiles d that lie on a plane; lengths and strides in numbers. */
export interface TileTransform {
  /** T [6, taps]. */
  readonly matrix: Matrix;
  /** Rows, and columns, from one tile to the next; it is `taps` where tiles do not overlap. */
  readonly step: number;
  readonly tilesAcross: number;
  /** Columns of the plane that tiles cover. */
  readonly width: number;
  readonly sourceRow: number;
  readonly sourceGroup: number;
  /** Groups of four channels beside each other in the target, and how many such panels. */
  readonly groups: number;
  readonly panels: number;
  readonly targetPoint: number;
  readonly targetPanel: number;
  readonly targetTile: number;
}

/** Two-dimensional transforms T m Tᵀ of products m at the 6 × 6 points; strides in numbers. */
export interface OutputTransform {
  /** T [outputs, 6]. */
  readonly matrix: Matrix;
  readonly tilesAcross: number;
  readonly sourcePoint: number;
  readonly sourceTile: number;
  /** Channels that are written, at most 8. */
  readonly channels: number;
  /** Columns that are written of the last tile of a row, and rows of the last tiles of an image. */
  readonly lastColumns: number;
  readonly lastRows: number;
  readonly targetChannel: number;
  readonly targetRow: number;
  readonly targetTile: number;
  readonly targetTileRow: number;
  /** Whether there is a number per channel to be added. */
  readonly bias: boolean;
}

/**
 * name(source, target, buffer, rows): the transforms of `rows` rows of tiles. The plane has four channels in the lanes
 * of a vector, so each load is one pixel. For each row of tiles, for each four channels:
 * for each column T times the pixels of the rows below each other, into a buffer of 6 rows;
 * for each tile, for each row of the buffer T times the pixels beside each other.
 * Tiles that overlap share the first of these.
 */
export function emitTileTransform(module: ModuleBuilder, name: string, t: TileTransform): void {
  const taps = t.matrix[0].length;
  module.func(name, ['i32', 'i32', 'i32', 'i32'], null, (f, source, target, buffer, rows) => {
    const [row, panel, group, column, tile, from, pixel, to, between] = f.localArray('i32', 9);
    const pixels = f.localArray('v128', taps);
    const multiply = multiplierOf(f, t.matrix);
    f.times(row, rows, () => {
      f.get(source).set(from);
      f.times(panel, t.panels, () => {
        f.times(group, t.groups, () => {
          f.get(from).set(pixel).get(buffer).set(between);
          f.times(column, t.width, () => {
            pixels.forEach((local, k) => f.load('v128.load', pixel, 4 * k * t.sourceRow).set(local));
            multiply(pixels, (i, value) => {
              f.get(between).get(value);
              f.store('v128.store', 16 * i * t.width);
            });
            f.increase(pixel, 16).increase(between, 16);
          });
          f.get(buffer).set(between).get(target).set(to);
          f.times(tile, t.tilesAcross, () => {
            for (let i = 0; i < TILE; i++) {
              pixels.forEach((local, k) => f.load('v128.load', between, 16 * (i * t.width + k)).set(local));
              multiply(pixels, (j, value) => {
                f.get(to).get(value);
                f.store('v128.store', 4 * (i * TILE + j) * t.targetPoint);
              });
            }
            f.increase(between, 16 * t.step).increase(to, 4 * t.targetTile);
          });
          f.increase(from, 4 * t.sourceGroup).increase(target, 16);
        });
        f.increase(target, 4 * (t.targetPanel - 4 * t.groups));
      });
      f.increase(target, 4 * (t.tilesAcross * t.targetTile - t.panels * t.targetPanel));
      f.increase(source, 4 * t.step * t.sourceRow);
    });
  });
}

/**
 * name(source, target, bias, rows, lastRows): `rows` rows of whole tiles, then if `lastRows` is 1 the lowest one of the
 * image, of up to 8 channels, which lie beside each other in the source and a plane apart in the target.
 * For each row of tiles, for each tile, for each four channels: T times each row of points, and what that contributes
 * to the outputs added to them, which begin as the bias.
 */
export function emitOutputTransform(module: ModuleBuilder, name: string, t: OutputTransform): void {
  const size = t.matrix.length;
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;
  module.func(name, parameters, null, (f, source, target, bias, rows, lastRows) => {
    const [row, tile] = f.localArray('i32', 2);
    const points = f.localArray('v128', TILE);
    const [upper, lower] = [f.localArray('v128', size), f.localArray('v128', size)];
    const results = f.localArray('v128', size * size);
    const starts = f.localArray('v128', 2);
    const combine = combinerOf(f, t.matrix);
    const multiply = pairedMultiplierOf(f, t.matrix, combine);
    if (t.bias) starts.forEach((start, group) => f.load('v128.load', bias, 16 * group).set(start));

    /** halves = T times the points of row i. */
    const loadRow = (i: number, group: number, halves: readonly Local[]): void => {
      points.forEach((point, j) => {
        f.load('v128.load', source, 4 * ((i * TILE + j) * t.sourcePoint + 4 * group)).set(point);
      });
      multiply(points, (v) => f.set(halves[v]));
    };
    /** Adds to every `every`-th row of results, from `first` on, what the i-th row of points contributes. */
    const addRow = (i: number, halves: readonly Local[], first: number, every: number): void => {
      for (let u = first; u < size; u += every) {
        const coefficient = t.matrix[u][i];
        if (coefficient === 0) continue;
        for (let v = 0; v < size; v++) {
          const result = results[u * size + v];
          combine([1, coefficient], [result, halves[v]]).set(result);
        }
      }
    };

    const writeTile = (height: number, width: number): void => {
      for (let group = 0; 4 * group < t.channels; group++) {
        for (const result of results) f.get(starts[group]).set(result);
        for (const i of [0, TILE - 1]) {
          loadRow(i, group, upper);
          addRow(i, upper, 0, 1);
        }
        for (const i of PAIRS) {
          loadRow(i, group, upper);
          loadRow(i + 1, group, lower);
          for (let v = 0; v < size; v++) {
            const [a, b] = [upper[v], lower[v]];
            f.get(a).get(b).op('f32x4.add').get(a).get(b).op('f32x4.sub').set(b).set(a);
          }
          addRow(i, upper, 0, 2);
          addRow(i, lower, 1, 2);
        }
        const channels = Math.min(4, t.channels - 4 * group);
        for (let u = 0; u < height; u++) {
          const pixels = results.slice(u * size, u * size + width);
          storeRow(f, target, pixels, channels, 4 * group * t.targetChannel + u * t.targetRow, t);
        }
      }
      f.increase(source, 4 * t.sourceTile).increase(target, 4 * t.targetTile);
    };

    const writeTiles = (height: number): void => {
      const whole = t.lastColumns === size ? t.tilesAcross : t.tilesAcross - 1;
      f.times(tile, whole, () => writeTile(height, size));
      if (whole < t.tilesAcross) writeTile(height, t.lastColumns);
    };
    f.times(row, rows, () => {
      writeTiles(size);
      f.increase(target, 4 * (t.targetTileRow - t.tilesAcross * t.targetTile));
    });
    if (t.lastRows < size) f.times(row, lastRows, () => writeTiles(t.lastRows));
  });
}

/** Writes pixels of a row, a channel in each lane, to the row's place in each channel: two at a time. */
function storeRow(
  f: FunctionBuilder,
  target: Local,
  pixels: readonly Local[],
  channels: number,
  start: number,
  { targetChannel }: OutputTransform,
): void {
  const offset = (channel: number, i: number): number => 4 * (start + channel * targetChannel + i);
  const pair = f.local('v128');
  for (let i = 0; i + 1 < pixels.length; i += 2) {
    for (let channel = 0; channel < channels; channel += 2) {
      f.get(pixels[i]).get(pixels[i + 1]);
      f.shuffle(channel, 4 + channel, channel + 1, 5 + channel).set(pair);
      f.get(target).get(pair).storeHalf(0, offset(channel, i));
      if (channel + 1 < channels) {
        f.get(target)
          .get(pair)
          .storeHalf(1, offset(channel + 1, i));
      }
    }
  }
  if (pixels.length % 2 === 0) return;
  const last = pixels.length - 1;
  for (let channel = 0; channel < channels; channel++) {
    f.get(target).get(pixels[last]).storeLane(channel, offset(channel, last));
  }
}

/**
 * The code of matrix · inputs for a matrix whose rows of opposite points differ in the sign of their odd columns
 * only: their even and odd parts are computed once. `take` is called with each row's number and value.
 */
function multiplierOf(
  f: FunctionBuilder,
  matrix: Matrix,
): (inputs: readonly Local[], take: (row: number, value: Local) => void) => void {
  const sum = combinerOf(f, matrix);
  const [even, odd, value] = f.localArray('v128', 3);
  return (inputs, take) => {
    for (const row of [0, TILE - 1]) {
      sum(matrix[row], inputs).set(value);
      take(row, value);
    }
    for (const row of PAIRS) {
      sum(
        matrix[row].map((c, k) => (k % 2 === 0 ? c : 0)),
        inputs,
      ).set(even);
      sum(
        matrix[row].map((c, k) => (k % 2 === 1 ? c : 0)),
        inputs,
      ).set(odd);
      f.get(even).get(odd).op('f32x4.add').set(value);
      take(row, value);
      f.get(even).get(odd).op('f32x4.sub').set(value);
      take(row + 1, value);
    }
  };
}

/**
 * The code of matrix · inputs for a matrix whose columns of opposite points differ in the sign of their odd rows only:
 * the inputs' sums and differences are computed once. `take` is called with each row's number, its value on the stack.
 */
function pairedMultiplierOf(
  f: FunctionBuilder,
  matrix: Matrix,
  sum: Combine,
): (inputs: readonly Local[], take: (row: number) => void) => void {
  const paired = f.localArray('v128', TILE);
  return (inputs, take) => {
    for (const k of PAIRS) {
      f.get(inputs[k])
        .get(inputs[k + 1])
        .op('f32x4.add')
        .set(paired[k]);
      f.get(inputs[k])
        .get(inputs[k + 1])
        .op('f32x4.sub')
        .set(paired[k + 1]);
    }
    const terms = inputs.map((input, k) => (k === 0 || k === TILE - 1 ? input : paired[k]));
    for (const [i, row] of matrix.entries()) {
      const coefficients = [...row];
      for (const k of PAIRS) {
        coefficients[k] = i % 2 === 0 ? row[k] : 0;
        coefficients[k + 1] = i % 2 === 0 ? 0 : row[k];
      }
      sum(coefficients, terms);
      take(i);
    }
  };
}

type Combine = (coefficients: readonly number[], inputs: readonly Local[]) => FunctionBuilder;

/** The code that pushes Σ coefficient·input; the matrix's coefficients are put into locals here, before any loop. */
function combinerOf(f: FunctionBuilder, matrix: Matrix): Combine {
  const constants = new Map<number, Local>();
  for (const value of new Set(transposed(matrix).flat())) {
    if (value === 0 || Math.abs(value) === 1) continue;
    const constant = f.local('v128');
    f.f32x4(value).set(constant);
    constants.set(value, constant);
  }
  const push = (terms: readonly { input: Local; coefficient: number }[]): FunctionBuilder => {
    const rest = terms.slice(0, -1);
    const { input, coefficient } = terms[terms.length - 1];
    const constant = constants.get(coefficient);
    if (constant === undefined) {
      if (rest.length === 0) return coefficient === 1 ? f.get(input) : f.get(input).op('f32x4.neg');
      push(rest).get(input);
      return f.op(coefficient === 1 ? 'f32x4.add' : 'f32x4.sub');
    }
    if (rest.length === 0) return f.get(input).get(constant).op('f32x4.mul');
    if (f.flavour.relaxed) {
      f.get(input).get(constant);
      return push(rest).op('f32x4.relaxed_madd');
    }
    return push(rest).get(input).get(constant).op('f32x4.mul').op('f32x4.add');
  };
  return (coefficients, inputs) => {
    const terms = inputs.map((input, k) => ({ input, coefficient: coefficients[k] }));
    const used = terms.filter(({ coefficient }) => coefficient !== 0);
    // A term without a multiplication begins, so that the others can be added to it with one rounding.
    return push(used.toSorted((a, b) => Number(b.coefficient === 1) - Number(a.coefficient === 1)));
  };
}
