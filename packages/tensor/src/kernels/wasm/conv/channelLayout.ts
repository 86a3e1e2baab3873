import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js';

/** Numbers at `peak`, one in each lane. */
export const PEAK = 4;

/** Where planes lie that are to be interleaved by four, in numbers; columns of the source are adjacent. */
export interface Interleaving {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly channelStep: number;
  readonly rowStep: number;
  readonly targetColumn: number;
  readonly targetRow: number;
  /** From one group of four channels to the next. */
  readonly targetGroup: number;
}

/**
 * name(source, target, peak): lays planes out with four channels beside each other, as vectors. Lanes that have no
 * channel are not all written: the target is zeros before. Raises the integers at `peak` to the largest bits of a
 * magnitude, which is NaN if there is one, otherwise the largest magnitude.
 * For each four channels, for each row, for each four columns: a 4 × 4 transpose.
 */
export function emitInterleave(module: ModuleBuilder, name: string, i: Interleaving): void {
  module.func(name, ['i32', 'i32', 'i32'], null, (f, source, target, peak) => {
    const [group, row, column] = f.localArray('i32', 3);
    const [largest, magnitudeBits, zero] = f.localArray('v128', 3);
    const vectors = f.localArray('v128', 4);
    const halves = f.localArray('v128', 4);
    const columns = f.localArray('v128', 4);
    const whole = Math.floor(i.columns / 4);
    f.i32(0x7fffffff).op('i32x4.splat').set(magnitudeBits);
    f.load('v128.load', peak).set(largest);
    const raise = (vector: Local): FunctionBuilder =>
      f.get(vector).get(magnitudeBits).op('v128.and').get(largest).op('i32x4.max_s').set(largest);

    const interleave = (channels: number): void => {
      f.times(row, i.rows, () => {
        f.times(column, whole, () => {
          for (let k = 0; k < channels; k++) {
            f.load('v128.load', source, 4 * k * i.channelStep).set(vectors[k]);
            raise(vectors[k]);
          }
          const given = [0, 1, 2, 3].map((k) => (k < channels ? vectors[k] : zero));
          transpose(f, given, halves, columns);
          for (const [k, vector] of columns.entries()) {
            f.get(target).get(vector);
            f.store('v128.store', 4 * k * i.targetColumn);
          }
          f.increase(source, 16).increase(target, 16 * i.targetColumn);
        });
        for (let rest = 0; rest < i.columns % 4; rest++) {
          for (let k = 0; k < channels; k++) {
            f.load('v128.load32_splat', source, 4 * (k * i.channelStep + rest)).set(halves[0]);
            raise(halves[0]);
            f.get(target)
              .get(halves[0])
              .storeLane(0, 4 * (rest * i.targetColumn + k));
          }
        }
        f.increase(source, 4 * (i.rowStep - 4 * whole));
        f.increase(target, 4 * (i.targetRow - 4 * whole * i.targetColumn));
      });
      f.increase(source, 4 * (4 * i.channelStep - i.rows * i.rowStep));
      f.increase(target, 4 * (i.targetGroup - i.rows * i.targetRow));
    };
    f.times(group, Math.floor(i.channels / 4), () => interleave(4));
    if (i.channels % 4 > 0) interleave(i.channels % 4);
    f.get(peak).get(largest).store('v128.store');
  });
}

/** results = the transpose of four vectors as a 4 × 4 matrix, by way of `halves`. */
function transpose(
  f: FunctionBuilder,
  [a, b, c, d]: readonly Local[],
  [low, high, lowNext, highNext]: readonly Local[],
  results: readonly Local[],
): void {
  f.get(a).get(b).shuffle(0, 4, 1, 5).set(low);
  f.get(a).get(b).shuffle(2, 6, 3, 7).set(high);
  f.get(c).get(d).shuffle(0, 4, 1, 5).set(lowNext);
  f.get(c).get(d).shuffle(2, 6, 3, 7).set(highNext);
  f.get(low).get(lowNext).shuffle(0, 1, 4, 5).set(results[0]);
  f.get(low).get(lowNext).shuffle(2, 3, 6, 7).set(results[1]);
  f.get(high).get(highNext).shuffle(0, 1, 4, 5).set(results[2]);
  f.get(high).get(highNext).shuffle(2, 3, 6, 7).set(results[3]);
}
