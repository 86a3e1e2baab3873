import type { Kernels } from '../kernels.js';
import type { FloatArray } from '../../storage.js';
import { reference } from '../reference/index.js';
import * as conv from './conv.js';
import type { Flavour } from './assembler.js';
import * as elementwise from './elementwise.js';
import { Engine } from './engine.js';
import { matmul, matmulRoom, prepareMatmul } from './matmul.js';
import * as optimizer from './optimizer.js';
import { maxPool2d } from './pool.js';
import { bestFlavour } from './probe.js';
import { triangularSolve, triangularSolveRoom } from './triangularSolve.js';

/** Shorter arrays are faster on the reference than a call and its copies; the bits are the same. */
const SHORTEST = 256;

/**
 * Kernels emitted as WebAssembly with SIMD, for float32; everything else, and what does not fit into
 * kernel memory, runs on the reference.
 * @throws where WebAssembly or its SIMD is missing or forbidden
 */
export function createWasmKernels(flavour: Flavour = bestFlavour()): Kernels {
  const engine = new Engine(flavour);
  // A policy that forbids compiling shows here, not in the first product.
  prepareMatmul(engine);
  return {
    ...reference,
    name: 'wasm',
    map(fn, x, out) {
      if (out.length < SHORTEST || !elementwise.map(engine, fn, x, out)) reference.map(fn, x, out);
    },
    mapBackward(fn, saved, g, out) {
      if (out.length < SHORTEST || !elementwise.mapBackward(engine, fn, saved, g, out))
        reference.mapBackward(fn, saved, g, out);
    },
    zip(fn, a, stridesA, b, stridesB, out, shape) {
      const short = out.length < SHORTEST;
      if (short || !elementwise.zip(engine, fn, a, stridesA, b, stridesB, out, shape)) {
        reference.zip(fn, a, stridesA, b, stridesB, out, shape);
      }
    },
    zipBackward(fn, wrt, a, stridesA, b, stridesB, g, out, shape) {
      const short = out.length < SHORTEST;
      if (short || !elementwise.zipBackward(engine, fn, wrt, a, stridesA, b, stridesB, g, out, shape)) {
        reference.zipBackward(fn, wrt, a, stridesA, b, stridesB, g, out, shape);
      }
    },
    select(...args) {
      if (!elementwise.select(engine, ...args)) reference.select(...args);
    },
    sgd(...args) {
      if (args[0].length < SHORTEST || !optimizer.sgd(engine, ...args)) reference.sgd(...args);
    },
    adadelta(...args) {
      if (args[0].length < SHORTEST || !optimizer.adadelta(engine, ...args)) reference.adadelta(...args);
    },
    adam(...args) {
      if (args[0].length < SHORTEST || !optimizer.adam(engine, ...args)) reference.adam(...args);
    },
    matmul(a, b, sizes, out) {
      if (isFloat32(a) && isFloat32(b) && engine.hasRoom(matmulRoom(sizes))) matmul(engine, a, b, sizes, out);
      else reference.matmul(a, b, sizes, out);
    },
    conv2d(x, weight, bias, sizes, out) {
      const fits = conv.hasConv(sizes) && engine.hasRoom(conv.convRoom(sizes));
      if (isFloat32(x) && isFloat32(weight) && (bias === null || isFloat32(bias)) && fits) {
        conv.conv2d(engine, x, weight, bias, sizes, out);
      } else {
        reference.conv2d(x, weight, bias, sizes, out);
      }
    },
    conv2dInputGradient(g, weight, sizes, out) {
      const turned = conv.turnedSizes(sizes);
      const fits = turned !== null && conv.hasConv(turned) && engine.hasRoom(conv.convRoom(turned));
      if (isFloat32(g) && isFloat32(weight) && fits) {
        conv.conv2dInputGradient(engine, g, weight, turned, out);
      } else {
        reference.conv2dInputGradient(g, weight, sizes, out);
      }
    },
    conv2dWeightGradient(g, x, sizes, out) {
      const fits = conv.hasConv(sizes) && engine.hasRoom(conv.convRoom(sizes));
      if (isFloat32(g) && isFloat32(x) && fits) conv.conv2dWeightGradient(engine, g, x, sizes, out);
      else reference.conv2dWeightGradient(g, x, sizes, out);
    },
    maxPool2d(x, sizes, out, positions) {
      const done = isFloat32(x) && isFloat32(out) && maxPool2d(engine, x, sizes, out, positions);
      if (!done) reference.maxPool2d(x, sizes, out, positions);
    },
    triangularSolve(a, b, sizes, out) {
      const fits = engine.hasRoom(triangularSolveRoom(sizes));
      if (isFloat32(a) && isFloat32(b) && fits) triangularSolve(engine, a, b, sizes, out);
      else reference.triangularSolve(a, b, sizes, out);
    },
  };
}

function isFloat32(x: FloatArray): x is Float32Array {
  return x instanceof Float32Array;
}
