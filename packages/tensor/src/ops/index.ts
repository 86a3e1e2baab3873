import * as arithmetic from './arithmetic.js';
import * as conv from './conv.js';
import * as elementwise from './elementwise.js';
import * as indexing from './indexing.js';
import * as linalg from './linalg.js';
import { matmul } from './matmul.js';
import * as movement from './movement.js';
import type { AnyOp } from './op.js';
import * as reduce from './reduce.js';

/** Every op by its name: what the table of tests must cover. */
export const allOps: Readonly<Record<string, AnyOp>> = Object.fromEntries(
  [elementwise, arithmetic, reduce, movement, indexing, { matmul }, conv, linalg]
    .flatMap((family) => Object.values(family) as unknown[])
    .filter((value): value is AnyOp => typeof value === 'object' && value !== null && 'forward' in value)
    .map((op) => [op.name, op]),
);
