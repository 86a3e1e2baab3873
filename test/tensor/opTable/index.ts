import { arithmeticRows } from './arithmetic.js';
import { convRows } from './conv.js';
import { elementwiseRows } from './elementwise.js';
import { indexingRows } from './indexing.js';
import { linalgRows } from './linalg.js';
import { matmulRow } from './matmul.js';
import { partRows } from './parts.js';
import { reduceRows } from './reduce.js';
import type { Row } from './row.js';
import { shapeRows } from './shapes.js';

/** Every public operation on tensors: samples, an independent reference, and what is refused. */
export const opTable: readonly Row[] = [
  ...elementwiseRows,
  ...arithmeticRows,
  ...reduceRows,
  ...shapeRows,
  ...partRows,
  ...indexingRows,
  matmulRow,
  ...linalgRows,
  ...convRows,
];
