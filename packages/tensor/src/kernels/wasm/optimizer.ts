// Updates of float32 parameters, in place. Lanes are float64 and round where the reference stores, so that parameter and
// state are the reference's bit for bit; in float32, the state would drift from step to step.

import type { FloatArray } from '../../storage.js';
import type { FunctionBuilder, Local, ModuleBuilder } from './assembler/assembler.js';
import { isFloat32, partsFor, pieceOf } from './arrays.js';
import { emitVectors, PIECE, promote } from './elementwise/elementwise.js';
import type { Allocate, Call, Engine } from './engine.js';
import type { Kernel } from './kernel.js';

/** The reference's `sgd`; false, and nothing written, where an array is not float32. */
export const sgd: Kernel<'sgd'> = (
  engine,
  parameter,
  gradient,
  momentumBuffer,
  { lr, momentum, dampening, nesterov, weightDecay, firstStep },
) => {
  const decays = weightDecay !== 0;
  const write: Write = (f, [p, g, buffer], [rate, decay, kept, added]) => {
    if (decays) f.get(g).get(decay).get(p).op('f64x2.mul').op('f64x2.add').set(g);
    if (buffer !== undefined) {
      if (firstStep) f.get(g);
      else {
        f.get(kept).get(buffer).op('f64x2.mul').get(added).get(g).op('f64x2.mul').op('f64x2.add');
      }
      round(f).set(buffer);
      if (nesterov) f.get(g).get(kept).get(buffer).op('f64x2.mul').op('f64x2.add').set(g);
      else f.get(buffer).set(g);
    }
    f.get(p).get(rate).get(g).op('f64x2.mul').op('f64x2.sub').set(p);
  };
  const key = `sgd ${decays} ${momentumBuffer !== null} ${firstStep} ${nesterov}`;
  const states = momentumBuffer === null ? [] : [momentumBuffer];
  return update(engine, key, write, [lr, weightDecay, momentum, 1 - dampening], parameter, gradient, states);
};

/** The reference's `adadelta`; false, and nothing written, where an array is not float32. */
export const adadelta: Kernel<'adadelta'> = (
  engine,
  parameter,
  gradient,
  squareAverage,
  accumulatedDelta,
  { lr, rho, eps, weightDecay },
) => {
  const decays = weightDecay !== 0;
  const write: Write = (f, [p, g, squares, deltas], [rate, kept, added, floor, decay]) => {
    const delta = f.local('v128');
    if (decays) f.get(g).get(decay).get(p).op('f64x2.mul').op('f64x2.add').set(g);
    addSquare(f, squares, kept, added, g);
    round(f.get(squares)).set(squares);
    f.get(deltas).get(floor).op('f64x2.add');
    f.get(squares).get(floor).op('f64x2.add');
    f.op('f64x2.div').op('f64x2.sqrt').get(g).op('f64x2.mul').set(delta);
    addSquare(f, deltas, kept, added, delta);
    f.get(p).get(rate).get(delta).op('f64x2.mul').op('f64x2.sub').set(p);
  };
  const constants = [lr, rho, 1 - rho, eps, weightDecay];
  const states = [squareAverage, accumulatedDelta];
  return update(engine, `adadelta ${decays}`, write, constants, parameter, gradient, states);
};

/** The reference's `adam`; false, and nothing written, where an array is not float32. */
export const adam: Kernel<'adam'> = (
  engine,
  parameter,
  gradient,
  average,
  squareAverage,
  { lr, beta1, beta2, eps, weightDecay, decoupled, step },
) => {
  const l2 = decoupled ? 0 : weightDecay;
  const write: Write = (f, [p, g, means, squares], constants) => {
    const [size, correction, shrink, decay, kept1, added1, kept2, added2, floor] = constants;
    f.get(p).get(shrink).op('f64x2.mul').set(p);
    if (l2 !== 0) f.get(g).get(decay).get(p).op('f64x2.mul').op('f64x2.add').set(g);
    f.get(kept1).get(means).op('f64x2.mul').get(added1).get(g).op('f64x2.mul').op('f64x2.add');
    round(f).set(means);
    addSquare(f, squares, kept2, added2, g);
    round(f.get(squares)).set(squares);
    f.get(p).get(size).get(means).op('f64x2.mul');
    f.get(squares).op('f64x2.sqrt').get(correction).op('f64x2.div').get(floor).op('f64x2.add');
    f.op('f64x2.div').op('f64x2.sub').set(p);
  };
  const stepSize = lr / (1 - beta1 ** step);
  const rootCorrection = Math.sqrt(1 - beta2 ** step);
  const shrinkage = decoupled ? 1 - lr * weightDecay : 1;
  const averaging = [beta1, 1 - beta1, beta2, 1 - beta2];
  const constants = [stepSize, rootCorrection, shrinkage, l2, ...averaging, eps];
  const states = [average, squareAverage];
  return update(engine, `adam ${l2 !== 0}`, write, constants, parameter, gradient, states);
};

/**
 * Changes the values [parameter, gradient, states…], two lanes of float64 each, which are rounded as they are stored. A
 * state that is read again after its change is rounded before that, as the reference's is.
 */
type Write = (f: FunctionBuilder, values: readonly Local[], constants: readonly Local[]) => void;

/** The one that is not changed. */
const GRADIENT = 1;

/** Runs the update where the arrays lie, or over pieces that are copied into kernel memory and back. */
function update(
  engine: Engine,
  key: string,
  write: Write,
  constants: readonly number[],
  parameter: FloatArray,
  gradient: FloatArray,
  states: readonly FloatArray[],
): boolean {
  const arrays = [parameter, gradient, ...states];
  if (!arrays.every(isFloat32) || !engine.hasRoom(arrays.length * PIECE + 2 * constants.length)) return false;
  const { step } = engine.module(key, (m) => emitUpdate(m, write, arrays.length, constants.length));
  engine.scratch((allocate) => {
    const table = 4 * allocate(2 * constants.length);
    engine.memory.doubles.set(constants, table / 8);
    if (arrays.every((x) => engine.memory.holds(x))) {
      const parts = partsFor(engine, arrays.length * parameter.length);
      const work = (call: Call, part: number): void => {
        const { from, to } = pieceOf(parameter.length, part, parts);
        call(step, table, to - from, ...arrays.map((x) => x.byteOffset + 4 * from));
      };
      engine.parallel(parts, work, { repeatable: false });
      return;
    }
    for (let from = 0; from < parameter.length; from += PIECE) {
      const pieces = arrays.map((x) => x.subarray(from, from + PIECE));
      engine.scratch((allocatePiece) => stepOn(engine, step, table, pieces, allocatePiece));
    }
  });
  return true;
}

function stepOn(
  engine: Engine,
  step: (...args: number[]) => void,
  table: number,
  pieces: readonly Float32Array[],
  allocate: Allocate,
): void {
  const { floats } = engine;
  const { length } = pieces[0];
  const addresses = pieces.map((piece) => engine.input(piece, allocate));
  step(table, length, ...addresses);
  for (const [k, piece] of pieces.entries()) {
    const start = addresses[k] / 4;
    if (k !== GRADIENT && !engine.memory.holds(piece)) piece.set(floats.subarray(start, start + length));
  }
}

/**
 * step(constants, length, parameter, gradient, states…): for each vector and each of the numbers that remain, for
 * both halves: the update. The gradient is not written.
 */
function emitUpdate(module: ModuleBuilder, write: Write, arrays: number, count: number): void {
  const parameters = Array.from({ length: 2 + arrays }, () => 'i32' as const);
  module.func('step', parameters, null, (f, table, length, ...pointers) => {
    const constants = f.localArray('v128', count);
    constants.forEach((constant, i) => f.load('v128.load64_splat', table, 8 * i).set(constant));
    const values = f.localArray('v128', arrays);
    const wide = f.localArray('v128', arrays);
    const low = f.localArray('v128', arrays);
    const high = f.localArray('v128', arrays);
    emitVectors(f, length, pointers, (load, store) => {
      for (const [k, pointer] of pointers.entries()) {
        load(pointer);
        f.set(values[k]);
      }
      for (const [half, results] of [low, high].entries()) {
        for (const [k, value] of values.entries()) promote(f, value, half, wide[k]);
        write(f, wide, constants);
        for (const [k, result] of results.entries()) f.get(wide[k]).op('f32x4.demote_f64x2_zero').set(result);
      }
      for (const [k, pointer] of pointers.entries()) {
        if (k === GRADIENT) continue;
        f.get(low[k]).get(high[k]).shuffle(0, 1, 4, 5).set(values[k]);
        store(pointer, values[k]);
      }
    });
  });
}

/** average = kept·average + added·x·x. */
function addSquare(f: FunctionBuilder, average: Local, kept: Local, added: Local, x: Local): void {
  f.get(kept).get(average).op('f64x2.mul');
  f.get(added).get(x).op('f64x2.mul').get(x).op('f64x2.mul').op('f64x2.add').set(average);
}

/** Rounds the two lanes of float64 on the stack to float32. */
function round(f: FunctionBuilder): FunctionBuilder {
  return f.op('f32x4.demote_f64x2_zero').op('f64x2.promote_low_f32x4');
}
