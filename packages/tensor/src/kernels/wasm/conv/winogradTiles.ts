import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';
import { pairsOf, transposed, type Matrix } from './winogradTransforms.js';

/** Two-dimensional transforms T d Tᵀ of tiles d that lie on a plane; lengths and strides in numbers. */
export interface TileTransform {
  /** T [P, taps], where tiles have P × P points. */
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

/** Two-dimensional transforms T m Tᵀ of products m at the P × P points; strides in numbers. */
export interface OutputTransform {
  /** T [outputs, P]. */
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
 * for each column T times the pixels of the rows below each other, into a buffer of P rows;
 * for each tile, for each row of the buffer T times the pixels beside each other.
 * Tiles that overlap share the first of these.
 */
export function emitTileTransform(module: ModuleBuilder, name: string, t: TileTransform): void {
  const [size, taps] = [t.matrix.length, t.matrix[0].length];
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
            for (let i = 0; i < size; i++) {
              pixels.forEach((local, k) => f.load('v128.load', between, 16 * (i * t.width + k)).set(local));
              multiply(pixels, (j, value) => {
                f.get(to).get(value);
                f.store('v128.store', 4 * (i * size + j) * t.targetPoint);
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
 * name(source, target, bias, buffer, rows, lastRows): `rows` rows of whole tiles, then if `lastRows` is 1 the lowest one
 * of the image, of up to 8 channels, which lie beside each other in the source and a plane apart in the target.
 * For each row of tiles, for each tile, for each four channels: for each column of points T times the points below each
 * other, into a buffer of a row for each output; for each of its rows T times the numbers beside each other, plus bias.
 */
export function emitOutputTransform(module: ModuleBuilder, name: string, t: OutputTransform): void {
  const [outputs, size] = [t.matrix.length, t.matrix[0].length];
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  module.func(name, parameters, null, (f, source, target, bias, buffer, rows, lastRows) => {
    const [row, tile, line, from, between, to] = f.localArray('i32', 6);
    const points = f.localArray('v128', size);
    const pixels = f.localArray('v128', outputs);
    const starts = f.localArray('v128', 2);
    const multiply = pairedMultiplierOf(f, t.matrix);
    if (t.bias) starts.forEach((start, group) => f.load('v128.load', bias, 16 * group).set(start));

    const writeTile = (height: number, width: number): void => {
      for (let group = 0; 4 * group < t.channels; group++) {
        const channels = Math.min(4, t.channels - 4 * group);
        f.get(source).set(from).get(buffer).set(between);
        f.times(line, size, () => {
          points.forEach((point, i) => {
            f.load('v128.load', from, 4 * (i * size * t.sourcePoint + 4 * group)).set(point);
          });
          multiply(points, (u, value) => {
            f.get(between).get(value);
            f.store('v128.store', 16 * u * size);
          });
          f.increase(from, 4 * t.sourcePoint).increase(between, 16);
        });
        f.get(buffer).set(between).get(target).set(to);
        f.times(line, height, () => {
          points.forEach((point, j) => f.load('v128.load', between, 16 * j).set(point));
          multiply(points, (v, value) => {
            f.get(value);
            if (t.bias) f.get(starts[group]).op('f32x4.add');
            f.set(pixels[v]);
          });
          storeRow(f, to, pixels.slice(0, width), channels, 4 * group * t.targetChannel, t);
          f.increase(between, 16 * size).increase(to, 4 * t.targetRow);
        });
      }
      f.increase(source, 4 * t.sourceTile).increase(target, 4 * t.targetTile);
    };

    const writeTiles = (height: number): void => {
      const whole = t.lastColumns === outputs ? t.tilesAcross : t.tilesAcross - 1;
      f.times(tile, whole, () => writeTile(height, outputs));
      if (whole < t.tilesAcross) writeTile(height, t.lastColumns);
    };
    f.times(row, rows, () => {
      writeTiles(outputs);
      f.increase(target, 4 * (t.targetTileRow - t.tilesAcross * t.targetTile));
    });
    if (t.lastRows < outputs) f.times(row, lastRows, () => writeTiles(t.lastRows));
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

/** The code of a product of a matrix: `take` is called with each row's number and value. */
type Multiply = (inputs: readonly Local[], take: (row: number, value: Local) => void) => void;

/**
 * The code of matrix · inputs for a matrix whose rows of opposite points differ in the sign of their odd columns
 * only: their even and odd parts are computed once.
 */
function multiplierOf(f: FunctionBuilder, matrix: Matrix): Multiply {
  const sum = combinerOf(f, matrix);
  const [even, odd, value] = f.localArray('v128', 3);
  const part = (row: number, parity: number): number[] =>
    matrix[row].map((coefficient, k) => (k % 2 === parity ? coefficient : 0));
  return (inputs, take) => {
    for (const row of [0, matrix.length - 1]) {
      sum(matrix[row], inputs).set(value);
      take(row, value);
    }
    for (const row of pairsOf(matrix.length)) {
      sum(part(row, 0), inputs).set(even);
      sum(part(row, 1), inputs).set(odd);
      f.get(even).get(odd).op('f32x4.add').set(value);
      take(row, value);
      f.get(even).get(odd).op('f32x4.sub').set(value);
      take(row + 1, value);
    }
  };
}

/**
 * The code of matrix · inputs for a matrix whose columns of opposite points differ in the sign of their odd rows only:
 * the inputs' sums and differences, which take the inputs' place, are computed once.
 */
function pairedMultiplierOf(f: FunctionBuilder, matrix: Matrix): Multiply {
  const sum = combinerOf(f, matrix);
  const value = f.local('v128');
  return (inputs, take) => {
    const pairs = pairsOf(inputs.length);
    for (const k of pairs) {
      const [a, b] = [inputs[k], inputs[k + 1]];
      f.get(a).get(b).op('f32x4.add').get(a).get(b).op('f32x4.sub').set(b).set(a);
    }
    for (const [i, row] of matrix.entries()) {
      const coefficients = [...row];
      for (const k of pairs) [coefficients[k], coefficients[k + 1]] = i % 2 === 0 ? [row[k], 0] : [0, row[k]];
      sum(coefficients, inputs).set(value);
      take(i, value);
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
