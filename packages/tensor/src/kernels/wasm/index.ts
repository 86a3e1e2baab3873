import type { Kernels } from '../kernels.js';
import { reference } from '../reference/index.js';
import * as avgPool from './avgPool.js';
import * as blocks from './blocks.js';
import * as conv from './conv.js';
import * as elementwise from './elementwise.js';
import { Engine } from './engine.js';
import { matmul, prepareMatmul } from './matmul.js';
import * as optimizer from './optimizer.js';
import { maxPool2d } from './pool.js';
import { bestFlavour } from './probe.js';
import * as strided from './strided.js';
import { triangle } from './triangle.js';
import * as reduce from './reduce.js';
import * as softmax from './softmax.js';
import { triangularSolve } from './triangularSolve.js';

/** Shorter arrays are faster on the reference than a call and its copies. */
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
    readStrided(x, walk, out) {
      if (out.length < SHORTEST || !strided.readStrided(engine, x, walk, out)) {
        reference.readStrided(x, walk, out);
      }
    },
    writeStrided(x, walk, out) {
      if (x.length < SHORTEST || !strided.writeStrided(engine, x, walk, out)) {
        reference.writeStrided(x, walk, out);
      }
    },
    addStrided(x, walk, out) {
      if (x.length < SHORTEST || !strided.addStrided(engine, x, walk, out)) {
        reference.addStrided(x, walk, out);
      }
    },
    takeBlocks(x, positions, block, out) {
      if (out.length < SHORTEST || !blocks.takeBlocks(engine, x, positions, block, out)) {
        reference.takeBlocks(x, positions, block, out);
      }
    },
    addBlocks(g, positions, block, out) {
      if (g.length < SHORTEST || !blocks.addBlocks(engine, g, positions, block, out)) {
        reference.addBlocks(g, positions, block, out);
      }
    },
    triangle(x, rows, columns, k, upper, out) {
      if (out.length < SHORTEST || !triangle(engine, x, rows, columns, k, upper, out)) {
        reference.triangle(x, rows, columns, k, upper, out);
      }
    },
    extremum(...args) {
      if (args[1].length < SHORTEST || !reduce.extremum(engine, ...args)) reference.extremum(...args);
    },
    extremumBackward(...args) {
      const short = args[0].length < SHORTEST;
      if (short || !reduce.extremumBackward(engine, ...args)) reference.extremumBackward(...args);
    },
    argExtremum(...args) {
      if (args[1].length < SHORTEST || !reduce.argExtremum(engine, ...args)) reference.argExtremum(...args);
    },
    variance(...args) {
      if (args[0].length < SHORTEST || !reduce.variance(engine, ...args)) reference.variance(...args);
    },
    varianceBackward(...args) {
      if (args[0].length < SHORTEST || !reduce.varianceBackward(engine, ...args))
        reference.varianceBackward(...args);
    },
    logSumExp(...args) {
      const short = args[0].length < SHORTEST;
      if (short || !softmax.logSumExp(engine, ...args)) reference.logSumExp(...args);
    },
    logSumExpBackward(...args) {
      const short = args[0].length < SHORTEST;
      if (short || !softmax.logSumExpBackward(engine, ...args)) reference.logSumExpBackward(...args);
    },
    softmax(...args) {
      const short = args[0].length < SHORTEST;
      if (short || !softmax.softmax(engine, ...args)) reference.softmax(...args);
    },
    softmaxBackward(...args) {
      const short = args[0].length < SHORTEST;
      if (short || !softmax.softmaxBackward(engine, ...args)) reference.softmaxBackward(...args);
    },
    logSoftmax(...args) {
      const short = args[0].length < SHORTEST;
      if (short || !softmax.logSoftmax(engine, ...args)) reference.logSoftmax(...args);
    },
    logSoftmaxBackward(...args) {
      const short = args[0].length < SHORTEST;
      if (short || !softmax.logSoftmaxBackward(engine, ...args)) reference.logSoftmaxBackward(...args);
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
      if (args[0].length < SHORTEST || !maxPool2d(engine, ...args)) reference.maxPool2d(...args);
    },
    avgPool2d(...args) {
      if (args[0].length < SHORTEST || !avgPool.avgPool2d(engine, ...args)) reference.avgPool2d(...args);
    },
    avgPool2dBackward(...args) {
      const [, , out] = args;
      if (out.length < SHORTEST || !avgPool.avgPool2dBackward(engine, ...args)) {
        reference.avgPool2dBackward(...args);
      }
    },
    triangularSolve(...args) {
      if (!triangularSolve(engine, ...args)) reference.triangularSolve(...args);
    },
  };
}
