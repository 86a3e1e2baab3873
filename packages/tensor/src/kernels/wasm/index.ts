import type { Kernels } from '../kernels.js';
import { reference } from '../reference/index.js';
import * as avgPool from './pool/avgPool.js';
import * as blocks from './movement/blocks.js';
import { cholesky } from './linalg/cholesky.js';
import * as conv from './conv/conv.js';
import * as elementwise from './elementwise/elementwise.js';
import { Engine } from './engine.js';
import type { Kernel, Routine } from './kernel.js';
import { matmul, prepareMatmul } from './linalg/matmul.js';
import * as optimizer from './optimizer.js';
import { maxPool2dBackward } from './pool/maxPoolBackward.js';
import { maxPool2d } from './pool/maxPool.js';
import { bestFlavour } from './probe.js';
import * as reduce from './reduce/reduce.js';
import * as softmax from './reduce/softmax.js';
import * as strided from './movement/strided.js';
import { triangle } from './movement/triangle.js';
import { triangularSolve } from './linalg/triangularSolve.js';

/** Shorter arrays are faster on the reference than a call and its copies. */
const SHORTEST = 256;

/**
 * Kernels emitted as WebAssembly with SIMD, for float32, products and triangular solves also for float64; everything else, and what does not fit into
 * kernel memory, runs on the reference.
 * @throws where WebAssembly or its SIMD is missing or forbidden
 */
export function createWasmKernels(engine = new Engine({ flavour: bestFlavour() })): Kernels {
  // A policy that forbids compiling shows here, not in the first product.
  prepareMatmul(engine);

  /** The kernel where it can, and where argument `at`, by whose length the work goes, is long; else the reference. */
  const either = <K extends Exclude<Routine, 'cholesky'>>(
    name: K,
    kernel: Kernel<K>,
    at?: number,
  ): Kernels[K] => {
    const fallback = reference[name] as (...args: Parameters<Kernels[K]>) => void;
    const run = (...args: Parameters<Kernels[K]>): void => {
      const short = at !== undefined && (args[at] as ArrayLike<number>).length < SHORTEST;
      if (short || !kernel(engine, ...args)) fallback(...args);
    };
    return run as Kernels[K];
  };

  return {
    name: 'wasm',
    memory: engine.memory,
    functionsOnReference: ['sin', 'cos', 'pow'],
    get threads() {
      return engine.threads;
    },
    map: either('map', elementwise.map, 2),
    mapBackward: either('mapBackward', elementwise.mapBackward, 3),
    zip: either('zip', elementwise.zip, 5),
    zipBackward: either('zipBackward', elementwise.zipBackward, 7),
    select: either('select', elementwise.select, 3),
    readStrided: either('readStrided', strided.readStrided, 2),
    writeStrided: either('writeStrided', strided.writeStrided, 0),
    addStrided: either('addStrided', strided.addStrided, 0),
    takeBlocks: either('takeBlocks', blocks.takeBlocks, 3),
    addBlocks: either('addBlocks', blocks.addBlocks, 0),
    triangle: either('triangle', triangle, 5),
    extremum: either('extremum', reduce.extremum, 1),
    extremumBackward: either('extremumBackward', reduce.extremumBackward, 0),
    argExtremum: either('argExtremum', reduce.argExtremum, 1),
    variance: either('variance', reduce.variance, 0),
    varianceBackward: either('varianceBackward', reduce.varianceBackward, 0),
    logSumExp: either('logSumExp', softmax.logSumExp, 0),
    logSumExpBackward: either('logSumExpBackward', softmax.logSumExpBackward, 0),
    softmax: either('softmax', softmax.softmax, 0),
    softmaxBackward: either('softmaxBackward', softmax.softmaxBackward, 0),
    logSoftmax: either('logSoftmax', softmax.logSoftmax, 0),
    logSoftmaxBackward: either('logSoftmaxBackward', softmax.logSoftmaxBackward, 0),
    matmul: either('matmul', matmul),
    conv2d: either('conv2d', conv.conv2d),
    conv2dInputGradient: either('conv2dInputGradient', conv.conv2dInputGradient),
    conv2dWeightGradient: either('conv2dWeightGradient', conv.conv2dWeightGradient),
    maxPool2d: either('maxPool2d', maxPool2d, 0),
    maxPool2dBackward: either('maxPool2dBackward', maxPool2dBackward, 3),
    avgPool2d: either('avgPool2d', avgPool.avgPool2d, 0),
    avgPool2dBackward: either('avgPool2dBackward', avgPool.avgPool2dBackward, 2),
    cholesky(...args) {
      const found = cholesky(engine, ...args);
      return found === false ? reference.cholesky(...args) : found;
    },
    triangularSolve: either('triangularSolve', triangularSolve),
    sgd: either('sgd', optimizer.sgd, 0),
    adadelta: either('adadelta', optimizer.adadelta, 0),
    adam: either('adam', optimizer.adam, 0),
  };
}
