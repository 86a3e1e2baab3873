import type { FunctionBuilder, Local } from '../assembler/assembler.js';
import type { Instruction } from '../assembler/instructions.js';
import { LOGISTIC, LOGISTIC_OF_MINUS, TRANSCENDENTALS } from './transcendental.js';

/** How a result is made of operands and constants: `write` pushes it. */
export interface Formula {
  /** Whether lanes are float64; the halves of a vector are then computed in turn. */
  readonly double: boolean;
  /** Numbers that `write` gets in vectors, rounded to the lanes' format. */
  readonly constants: readonly number[];
  /** Tells formulas of one name apart. */
  readonly variant?: string;
  readonly write: Write;
}

type Write = (f: FunctionBuilder, operands: readonly Local[], constants: readonly Local[]) => void;

/** f(x) of the functions that have one. */
export function mapFormula(name: string, parameters: readonly number[] = []): Formula | undefined {
  return name === 'clamp' ? clamp(parameters) : MAPS.get(name);
}

/** g·df(saved), from the operands g and saved. */
export function mapDerivative(name: string, parameters: readonly number[] = []): Formula | undefined {
  return name === 'clamp' ? clampDerivative(parameters) : MAP_DERIVATIVES.get(name);
}

/** f(a, b) of the functions that have one. */
export function zipFormula(name: string): Formula | undefined {
  return ZIPS.get(name);
}

/** g·∂f, from the operands g, a and b. */
export function zipDerivative(name: string, wrt: 'da' | 'db'): Formula | undefined {
  return ZIP_DERIVATIVES.get(`${name} ${wrt}`);
}

/** condition ≠ 0 ? a : b. */
export const SELECT: Formula = single(
  (f, [condition, a, b], [zero]) => {
    f.get(a).get(b).get(condition).get(zero).op('f32x4.ne').op('v128.bitselect');
  },
  [0],
);

const MAPS: ReadonlyMap<string, Formula> = new Map([
  ...Object.entries(TRANSCENDENTALS).map(([name, { constants, write }]): [string, Formula] => [
    name,
    { double: true, constants, write },
  ]),
  ['neg', single(apply('f32x4.neg'))],
  ['abs', single(apply('f32x4.abs'))],
  ['sqrt', single(apply('f32x4.sqrt'))],
  ['square', single((f, [x]) => f.get(x).get(x).op('f32x4.mul'))],
  ['reciprocal', single((f, [x], [one]) => f.get(one).get(x).op('f32x4.div'), [1])],
  ['relu', single((f, [x], [zero]) => f.get(x).get(x).get(zero).op('f32x4.le').op('v128.andnot'), [0])],
  ['isNaN', single((f, [x], [one]) => f.get(x).get(x).op('f32x4.ne').get(one).op('v128.and'), [1])],
  [
    'isFinite',
    single(
      (f, [x], [one, top]) => f.get(x).op('f32x4.abs').get(top).op('f32x4.lt').get(one).op('v128.and'),
      [1, Infinity],
    ),
  ],
]);

const MAP_DERIVATIVES: ReadonlyMap<string, Formula> = new Map([
  ['neg', stopped('f32x4', (f, _, [minusOne]) => f.get(minusOne), [-1])],
  ['exp', stopped('f32x4', (f, [y]) => f.get(y))],
  ['expm1', stopped('f64x2', (f, [y], [one]) => f.get(y).get(one).op('f64x2.add'), [1])],
  ['log', stopped('f64x2', (f, [x], [one]) => f.get(one).get(x).op('f64x2.div'), [1])],
  [
    'log1p',
    stopped('f64x2', (f, [x], [one]) => f.get(one).get(one).get(x).op('f64x2.add').op('f64x2.div'), [1]),
  ],
  ['sqrt', stopped('f64x2', (f, [y], [half]) => f.get(half).get(y).op('f64x2.div'), [0.5])],
  // In float32, 2x could overflow where g·2x does not.
  ['square', stopped('f64x2', (f, [x]) => f.get(x).get(x).op('f64x2.add'))],
  ['reciprocal', stopped('f64x2', (f, [y]) => f.get(y).op('f64x2.neg').get(y).op('f64x2.mul'))],
  [
    'tanh',
    stopped('f64x2', (f, [y], [one]) => f.get(one).get(y).get(y).op('f64x2.mul').op('f64x2.sub'), [1]),
  ],
  [
    'sigmoid',
    stopped('f64x2', (f, [y], [one]) => f.get(y).get(one).get(y).op('f64x2.sub').op('f64x2.mul'), [1]),
  ],
  ['softplus', stopped('f64x2', LOGISTIC.write, LOGISTIC.constants)],
  ['logSigmoid', stopped('f64x2', LOGISTIC_OF_MINUS.write, LOGISTIC_OF_MINUS.constants)],
  [
    'relu',
    stopped(
      'f32x4',
      (f, [y], [one, zero]) => f.get(y).get(zero).op('f32x4.gt').get(one).op('v128.and'),
      [1, 0],
    ),
  ],
  // 1 with the sign of x; x itself, ±0 or NaN, where it is neither positive nor negative.
  [
    'abs',
    stopped(
      'f32x4',
      (f, [x], [one, sign, zero]) => {
        f.get(x).get(one).get(sign).op('v128.bitselect').get(x);
        f.get(x).get(zero).op('f32x4.lt').get(x).get(zero).op('f32x4.gt').op('v128.or');
        f.op('v128.bitselect');
      },
      [1, -0, 0],
    ),
  ],
]);

const ZIPS: ReadonlyMap<string, Formula> = new Map([
  ['add', single(apply('f32x4.add'))],
  ['sub', single(apply('f32x4.sub'))],
  ['mul', single(apply('f32x4.mul'))],
  ['div', single(apply('f32x4.div'))],
  // As Math.max and Math.min: NaN wins, and −0 lies below 0.
  ['maximum', single(apply('f32x4.max'))],
  ['minimum', single(apply('f32x4.min'))],
  // In float32 the sum could overflow.
  [
    'average',
    {
      double: true,
      constants: [0.5],
      write: (f, [a, b], [half]) => {
        f.get(a).get(b).op('f64x2.add').get(half).op('f64x2.mul');
      },
    },
  ],
  ['equal', holds('f32x4.eq')],
  ['notEqual', holds('f32x4.ne')],
  ['greater', holds('f32x4.gt')],
  ['greaterEqual', holds('f32x4.ge')],
  ['less', holds('f32x4.lt')],
  ['lessEqual', holds('f32x4.le')],
]);

const ZIP_DERIVATIVES: ReadonlyMap<string, Formula> = new Map([
  ['mul da', stopped('f32x4', (f, [, b]) => f.get(b))],
  ['mul db', stopped('f32x4', (f, [a]) => f.get(a))],
  ['div da', stopped('f64x2', (f, [, b], [one]) => f.get(one).get(b).op('f64x2.div'), [1])],
  [
    'div db',
    stopped('f64x2', (f, [a, b]) => f.get(a).op('f64x2.neg').get(b).op('f64x2.div').get(b).op('f64x2.div')),
  ],
  ['maximum da', share('f32x4.gt')],
  ['maximum db', share('f32x4.lt')],
  ['minimum da', share('f32x4.lt')],
  ['minimum db', share('f32x4.gt')],
]);

/** A bound is rounded to the number that the reference stores in its place. */
function clamp(bounds: readonly number[]): Formula {
  return single((f, [x], [min, max]) => f.get(x).get(min).op('f32x4.max').get(max).op('f32x4.min'), bounds);
}

/** 1 between the bounds, which belong to the inside unless rounding moves them out of it. */
function clampDerivative([min, max]: readonly number[]): Formula {
  const above = Math.fround(min) < min ? 'f32x4.gt' : 'f32x4.ge';
  const below = Math.fround(max) > max ? 'f32x4.lt' : 'f32x4.le';
  const derivative: Write = (f, [x], [low, high, one]) => {
    f.get(x).get(low).op(above).get(x).get(high).op(below).op('v128.and').get(one).op('v128.and');
  };
  return { ...stopped('f32x4', derivative, [min, max, 1]), variant: `${above} ${below}` };
}

/** 1 where a wins the comparison with b, ½ in a tie. */
function share(wins: Instruction): Formula {
  const derivative: Write = (f, [a, b], [one, half]) => {
    f.get(a).get(b).op(wins).get(one).op('v128.and');
    f.get(a).get(b).op('f32x4.eq').get(half).op('v128.and').op('v128.or');
  };
  return stopped('f32x4', derivative, [1, 0.5]);
}

/** g·d, and 0 where the derivative d, which `derivative` pushes, is 0; g is the first operand. */
function stopped(lanes: 'f32x4' | 'f64x2', derivative: Write, constants: readonly number[] = []): Formula {
  const write: Write = (f, [g, ...operands], values) => {
    const [d, zero] = f.localArray('v128', 2);
    derivative(f, operands, values);
    f.tee(d).get(g).op(`${lanes}.mul`).get(d).get(zero).op(`${lanes}.eq`).op('v128.andnot');
  };
  return { double: lanes === 'f64x2', constants, write };
}

/** 1 where the comparison holds, else 0. */
function holds(name: Instruction): Formula {
  return single((f, [a, b], [one]) => f.get(a).get(b).op(name).get(one).op('v128.and'), [1]);
}

/** One instruction on all operands. */
function apply(name: Instruction): Write {
  return (f, operands) => {
    for (const operand of operands) f.get(operand);
    f.op(name);
  };
}

function single(write: Write, constants: readonly number[] = []): Formula {
  return { double: false, constants, write };
}
