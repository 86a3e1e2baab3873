import type { Kernels } from '../kernels.js';
import * as conv from './conv.js';
import * as elementwise from './elementwise.js';
import * as linalg from './linalg.js';
import { matmul } from './matmul.js';
import * as optimizer from './optimizer.js';
import * as pool from './pool.js';
import * as reduce from './reduce.js';
import * as strided from './strided.js';

/** Readable loops in TypeScript, float32 and float64, sums in float64: the definition of correct. */
export const reference: Kernels = {
  name: 'reference',
  threads: 1,
  memory: null,
  functionsOnReference: [],
  map: elementwise.map,
  mapBackward: elementwise.mapBackward,
  zip: elementwise.zip,
  zipBackward: elementwise.zipBackward,
  select: elementwise.select,
  readStrided: strided.readStrided,
  writeStrided: strided.writeStrided,
  addStrided: strided.addStrided,
  takeBlocks: strided.takeBlocks,
  addBlocks: strided.addBlocks,
  triangle: strided.triangle,
  extremum: reduce.extremum,
  extremumBackward: reduce.extremumBackward,
  argExtremum: reduce.argExtremum,
  variance: reduce.variance,
  varianceBackward: reduce.varianceBackward,
  logSumExp: reduce.logSumExp,
  logSumExpBackward: reduce.logSumExpBackward,
  softmax: reduce.softmax,
  softmaxBackward: reduce.softmaxBackward,
  logSoftmax: reduce.logSoftmax,
  logSoftmaxBackward: reduce.logSoftmaxBackward,
  matmul,
  conv2d: conv.conv2d,
  conv2dInputGradient: conv.conv2dInputGradient,
  conv2dWeightGradient: conv.conv2dWeightGradient,
  maxPool2d: pool.maxPool2d,
  maxPool2dBackward: pool.maxPool2dBackward,
  avgPool2d: pool.avgPool2d,
  avgPool2dBackward: pool.avgPool2dBackward,
  cholesky: linalg.cholesky,
  triangularSolve: linalg.triangularSolve,
  sgd: optimizer.sgd,
  adadelta: optimizer.adadelta,
  adam: optimizer.adam,
};
