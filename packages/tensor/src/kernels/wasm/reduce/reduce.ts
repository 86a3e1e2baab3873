// Sums, extrema and variances of rows, by the reference's rules. Extrema are found in float32 and are the reference's
// numbers; where 0 and −0 tie, either may be given. Sums and variances are summed in float64, in another order than
// the reference's, and rounded once: within one unit in the last place of it.

import type { Rows } from '../../../shape.js';
import type { FunctionBuilder, Local } from '../assembler/assembler.js';
import { reduce, type Lanes, type Program } from './reduceLanes.js';
import { HALVES, rounded, setWide, sumOver, wide, type Wide } from './reduceSums.js';
import type { Kernel } from '../kernel.js';

/** The largest (sign 1) or smallest (−1) along the rows; NaN wins. False, and nothing written, where there is no kernel. */
export const extremum: Kernel<'extremum'> = (engine, sign, x, rows, out) => {
  return reduce(engine, EXTREMUM[sign], rows, { elements: [x], perRow: [out], writes: 'perRow' });
};

/** The gradient in equal shares to all elements that equal the extremum y. False, and nothing written, as in `extremum`. */
export const extremumBackward: Kernel<'extremumBackward'> = (engine, x, y, g, rows, out) => {
  return reduce(engine, EXTREMUM_BACKWARD, rows, { elements: [x, out], perRow: [y, g], writes: 'elements' });
};

/** Where the extremum first stands; the first NaN wins. False, and nothing written, as in `extremum`. */
export const argExtremum: Kernel<'argExtremum'> = (engine, sign, x, rows, out) => {
  return reduce(engine, ARG_EXTREMUM[sign], rows, { elements: [x], perRow: [out], writes: 'perRow' });
};

/** Σ (x − mean)²/(length − correction), centred first. False, and nothing written, as in `extremum`. */
export const variance: Kernel<'variance'> = (engine, x, rows, correction, out) => {
  const program = varianceProgram(rows, correction);
  return reduce(engine, program, rows, { elements: [x], perRow: [out], writes: 'perRow' });
};

/** 2g(x − mean)/(length − correction). False, and nothing written, as in `extremum`. */
export const varianceBackward: Kernel<'varianceBackward'> = (engine, x, g, rows, correction, out) => {
  const program = varianceBackwardProgram(rows, correction);
  return reduce(engine, program, rows, { elements: [x, out], perRow: [g], writes: 'elements' });
};

/** Gives the largest (sign 1) or smallest (−1) of array 0's rows, in all lanes where they belong to one row. */
export function extremumOf(lanes: Lanes, sign: 1 | -1): Local {
  const { f } = lanes;
  const [best, isNaN, value] = f.localArray('v128', 3);
  const better = sign === 1 ? 'f32x4.pmax' : 'f32x4.pmin';
  f.f32x4(-sign * Infinity).set(best);
  f.get(value).get(value).op('v128.xor').set(isNaN);
  lanes.pass(({ load }) => {
    f.get(best);
    load(0);
    f.tee(value).op(better).set(best);
    f.get(isNaN).get(value).get(value).op('f32x4.ne').op('v128.or').set(isNaN);
  });
  // All bits set are a NaN.
  f.get(best).get(isNaN).op('v128.or').set(best);
  merge(lanes, [best], ([other]) => {
    f.get(best).get(other).op(better);
    f.get(best).get(best).op('f32x4.ne').get(other).get(other).op('f32x4.ne').op('v128.or');
    f.op('v128.or').set(best);
  });
  return best;
}

const EXTREMUM = { [1]: extremumProgram(1), [-1]: extremumProgram(-1) } as const;

function extremumProgram(sign: 1 | -1): Program {
  return {
    key: `extremum ${sign}`,
    constants: [],
    write: (lanes) => lanes.storeRow(0, extremumOf(lanes, sign)),
  };
}

/** Counts the elements that equal y, NaN equal to NaN, then gives each g over their number. */
const EXTREMUM_BACKWARD: Program = {
  key: 'extremumBackward',
  constants: [],
  write(lanes) {
    const { f } = lanes;
    const [x, y, noNumber, ties, share, result] = f.localArray('v128', 6);
    const g = wide(f);
    lanes.loadRow(0);
    f.tee(y).get(y).op('f32x4.ne').set(noNumber);
    f.get(y).get(y).op('v128.xor').set(ties);
    const pushIsBest = (load: (array: number) => void): void => {
      load(0);
      f.tee(x).get(y).op('f32x4.eq');
      f.get(x).get(x).op('f32x4.ne').get(noNumber).op('v128.and').op('v128.or');
    };
    lanes.pass(({ load, fresh }) => {
      f.get(ties);
      pushIsBest(load);
      if (fresh) f.get(fresh).op('v128.and');
      f.op('i32x4.sub').set(ties);
    });
    merge(lanes, [ties], ([other]) => f.get(ties).get(other).op('i32x4.add').set(ties));
    lanes.loadRow(1);
    setWide(f, g);
    for (const half of HALVES) {
      f.get(g[half]).get(ties);
      if (half === 1) f.get(ties).shuffle(2, 3, 2, 3);
      f.op('f64x2.convert_low_i32x4_s').op('f64x2.div').set(g[half]);
    }
    rounded(f, g);
    f.set(share);
    lanes.pass(({ load, store }) => {
      pushIsBest(load);
      f.get(share).op('v128.and').set(result);
      store(1, result);
    });
  },
};

const ARG_EXTREMUM = { [1]: argExtremumProgram(1), [-1]: argExtremumProgram(-1) } as const;

function argExtremumProgram(sign: 1 | -1): Program {
  const better = sign === 1 ? 'f32x4.gt' : 'f32x4.lt';
  return {
    key: `argExtremum ${sign}`,
    constants: [],
    write(lanes) {
      const { f } = lanes;
      const [best, at, value, wins] = f.localArray('v128', 4);
      /** Pushes where `x` is better than the best, or the first NaN. */
      const pushWins = (x: Local): FunctionBuilder =>
        f
          .get(x)
          .get(best)
          .op(better)
          .get(x)
          .get(x)
          .op('f32x4.ne')
          .get(best)
          .get(best)
          .op('f32x4.eq')
          .op('v128.and')
          .op('v128.or');
      f.f32x4(-sign * Infinity).set(best);
      f.get(at).get(at).op('v128.xor').set(at);
      lanes.pass(({ load, positions }) => {
        load(0);
        f.set(value);
        pushWins(value).set(wins);
        f.get(value).get(best).get(wins).op('v128.bitselect').set(best);
        positions();
        f.get(at).get(wins).op('v128.bitselect').set(at);
      });
      merge(lanes, [best, at], ([other, otherAt]) => {
        // Of equals, or two NaN, the earlier one.
        pushWins(other);
        f.get(other).get(best).op('f32x4.eq');
        f.get(other)
          .get(other)
          .op('f32x4.ne')
          .get(best)
          .get(best)
          .op('f32x4.ne')
          .op('v128.and')
          .op('v128.or');
        f.get(otherAt).get(at).op('i32x4.lt_s').op('v128.and').op('v128.or').set(wins);
        f.get(other).get(best).get(wins).op('v128.bitselect').set(best);
        f.get(otherAt).get(at).get(wins).op('v128.bitselect').set(at);
      });
      f.get(at).op('f32x4.convert_i32x4_s').set(at);
      lanes.storeRow(0, at);
    },
  };
}

function varianceProgram({ length }: Rows, correction: number): Program {
  return {
    key: 'variance',
    constants: [],
    numbers: [length, Math.max(0, length - correction)],
    write(lanes, [count, freedom]) {
      const { f } = lanes;
      const centred = wide(f);
      const mean = meanOf(lanes, count);
      const squares = sumOver(
        lanes,
        ({ load }) => {
          load(0);
          setWide(f, centred);
        },
        (_, half) => {
          f.get(centred[half]).get(mean[half]).op('f64x2.sub').set(centred[half]);
          f.get(centred[half]).get(centred[half]).op('f64x2.mul');
        },
      );
      for (const half of HALVES) f.get(squares[half]).get(freedom).op('f64x2.div').set(squares[half]);
      storeRounded(lanes, squares);
    },
  };
}

function varianceBackwardProgram({ length }: Rows, correction: number): Program {
  return {
    key: 'varianceBackward',
    constants: [],
    numbers: [length, Math.max(0, length - correction)],
    write(lanes, [count, freedom]) {
      const { f } = lanes;
      const [g, x] = [wide(f), wide(f)];
      const result = f.local('v128');
      const mean = meanOf(lanes, count);
      lanes.loadRow(0);
      setWide(f, g);
      for (const half of HALVES) f.get(g[half]).get(g[half]).op('f64x2.add').set(g[half]);
      lanes.pass(({ load, store }) => {
        load(0);
        setWide(f, x);
        for (const half of HALVES) {
          f.get(g[half]).get(x[half]).get(mean[half]).op('f64x2.sub').op('f64x2.mul');
          f.get(freedom).op('f64x2.div').set(x[half]);
        }
        rounded(f, x);
        f.set(result);
        store(1, result);
      });
    },
  };
}

/** The mean of the rows; a second pass takes out what rounding left in the first. */
function meanOf(lanes: Lanes, count: Local): Wide {
  const { f } = lanes;
  const [mean, x, zero] = [wide(f), wide(f), f.local('v128')];
  for (const half of HALVES) f.get(zero).set(mean[half]);
  for (const _ of ['sum', 'rest']) {
    const total = sumOver(
      lanes,
      ({ load }) => {
        load(0);
        setWide(f, x);
      },
      (_step, half) => f.get(x[half]).get(mean[half]).op('f64x2.sub'),
    );
    for (const half of HALVES) {
      f.get(mean[half]).get(total[half]).get(count).op('f64x2.div').op('f64x2.add').set(mean[half]);
    }
  }
  return mean;
}

/** Calls `join` with the values of other lanes, twice, where lanes belong to one row; each then knows of all. */
function merge({ f, oneRow }: Lanes, values: readonly Local[], join: (others: Local[]) => void): void {
  if (!oneRow) return;
  const others = f.localArray('v128', values.length);
  const orders: [number, number, number, number][] = [
    [2, 3, 0, 1],
    [1, 0, 3, 2],
  ];
  for (const order of orders) {
    for (const [k, value] of values.entries()) {
      f.get(value)
        .get(value)
        .shuffle(...order)
        .set(others[k]);
    }
    join(others);
  }
}

function storeRounded(lanes: Lanes, value: Wide): void {
  const result = lanes.f.local('v128');
  rounded(lanes.f, value);
  lanes.f.set(result);
  lanes.storeRow(0, result);
}
