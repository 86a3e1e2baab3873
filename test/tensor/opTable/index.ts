import { arithmeticRows } from './arithmetic.js';
import { choleskyRows } from './cholesky.js';
import { convRows } from './conv.js';
import { diagonalRows } from './diagonals.js';
import { elementwiseRows } from './elementwise.js';
import { indexingRows } from './indexing.js';
import { matmulRow } from './matmul.js';
import { partRows } from './parts.js';
import { reduceRows } from './reduce.js';
import type { Row } from './row.js';
import { shapeRows } from './shapes.js';
import { triangularSolveRows } from './triangularSolve.js';

/** Every public operation on tensors: samples, an independent reference, and what is refused. */
export const opTable: readonly Row[] = [
  ...elementwiseRows,
  ...arithmeticRows,
  ...reduceRows,
  ...shapeRows,
  ...partRows,
  ...diagonalRows,
  ...indexingRows,
  matmulRow,
  ...choleskyRows,
  ...triangularSolveRows,
  ...convRows,
];
