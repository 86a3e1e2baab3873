import type { Kernels } from '../kernels.js';
import { reference } from '../reference/index.js';
import * as conv from './conv.js';
import * as elementwise from './elementwise.js';
import { Engine } from './engine.js';
import { matmul, prepareMatmul } from './matmul.js';
import * as optimizer from './optimizer.js';
import { maxPool2d } from './pool.js';
import { bestFlavour } from './probe.js';
import { triangularSolve } from './triangularSolve.js';

/** Shorter arrays are faster on the reference than a call and its copies; the bits are the same. */
const SHORTEST = 256;

/**
 * Kernels emitted as WebAssembly with SIMD, for float32; everything else, and what does not fit into
 * kernel memory, runs on the reference.
 * @throws where WebAssembly or its SIMD is missing or forbidden
 */
export function createWasmKernels(engine = new Engine({ flavour: bestFlavour() })): Kernels {
  // A policy that forbids compiling shows here, not in the first product.
  prepareMatmul(engine);
  return {
    ...reference,
    name: 'wasm',
    memory: engine.memory,
    get threads() {
      return engine.threads;
    },
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
    matmul(...args) {
      if (!matmul(engine, ...args)) reference.matmul(...args);
    },
    conv2d(...args) {
      if (!conv.conv2d(engine, ...args)) reference.conv2d(...args);
    },
    conv2dInputGradient(...args) {
      if (!conv.conv2dInputGradient(engine, ...args)) reference.conv2dInputGradient(...args);
    },
    conv2dWeightGradient(...args) {
      if (!conv.conv2dWeightGradient(engine, ...args)) reference.conv2dWeightGradient(...args);
    },
    maxPool2d(...args) {
      if (!maxPool2d(engine, ...args)) reference.maxPool2d(...args);
    },
    triangularSolve(...args) {
      if (!triangularSolve(engine, ...args)) reference.triangularSolve(...args);
    },
  };
}
