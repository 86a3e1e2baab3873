import type { MatmulSizes } from '../../kernels.js';
import { outside, pieceOf } from '../arrays.js';
import type { Engine } from '../engine.js';
import type { Kernel } from '../kernel.js';
import { blockScratch, isFewVectors, multiplyBlock, type Lanes } from './matmulBlock.js';
import { tileColumns, TILE_ROWS, tileKernel } from './matmulTiles.js';
import { FLOAT32, FLOAT64, formatOf, type NumberFormat } from './numberFormat.js';
import { WORTH_A_THREAD, WORTH_COPYING } from './worth.js';

/** Compiles the kernel of whole tiles. */
export function prepareMatmul(engine: Engine): void {
  tileKernel(engine, FLOAT32, TILE_ROWS, tileColumns(FLOAT32));
}

/**
 * out [batch, m, n] = op(A) op(B) by packed panels (Goto and van de Geijn, "Anatomy of high-performance
 * matrix multiplication", 2008), in the number format of A and B. Each sum of 256 terms has it, and so has the sum of these.
 * False, and nothing written, for what does not fit into kernel memory and in float64 for few numbers or vectors.
 */
export const matmul: Kernel<'matmul'> = (engine, a, b, sizes, out) => {
  const format = formatOf(a, b, out);
  if (format === null) return false;
  const { bytes } = format;
  const product = simplified(sizes);
  const { batch, m, k, n } = product;
  if (k === 0) out.fill(0);
  if (batch * m * k * n === 0) return true;
  const lanesOfA = lanesFrom(bytes, product.transposeA, m, k);
  const lanesOfB = lanesFrom(bytes, !product.transposeB, n, k);
  const few = isFewVectors({ a: lanesOfA(0, 0), b: lanesOfB(0, 0), m, format });
  if (format === FLOAT64 && (few || batch * m * k * n < WORTH_COPYING)) return false;
  const cut = cutOf(engine, format, product);
  const scratchFloats = blockScratch({ ...product, format });
  if (!engine.hasRoom(outside(engine, a, b, out) + cut.parts * scratchFloats)) return false;
  engine.scratch((allocate) => {
    const target = engine.output(out, allocate);
    const left = engine.input(product.swapped ? b : a, allocate);
    const right = engine.input(product.swapped ? a : b, allocate);
    const scratch = allocate(cut.parts * scratchFloats);
    engine.parallel(cut.parts, (call, part) => {
      const matrices = ownPiece(cut, 'batch', batch, part);
      const rows = ownPiece(cut, 'rows', m, part);
      const columns = ownPiece(cut, 'columns', n, part);
      for (let t = matrices.from; t < matrices.to; t++) {
        multiplyBlock(engine, call, {
          format,
          a: lanesOfA(left + bytes * t * product.strideA, rows.from),
          b: lanesOfB(right + bytes * t * product.strideB, columns.from),
          c: target.address + bytes * ((t * m + rows.from) * n + columns.from),
          rowBytes: bytes * n,
          m: rows.to - rows.from,
          k,
          n: columns.to - columns.from,
          diagonal: product.lower ? rows.from - columns.from : null,
          scratch: 4 * (scratch + part * scratchFloats),
        });
      }
    });
    target.copyBack();
  });
  return true;
};

/** A product and whether A and B have changed places in it. */
interface Product extends MatmulSizes {
  readonly swapped: boolean;
}

/**
 * The same numbers with as few matrices and rows as can be: matrices that lie one below the other times one matrix are one
 * product, and a product of one column is one of one row, (AB)ᵀ = BᵀAᵀ.
 */
function simplified(sizes: MatmulSizes): Product {
  const { batch, m, k, n, transposeA, transposeB, strideA, strideB, lower } = sizes;
  if (!lower && batch > 1 && strideB === 0 && !transposeA && strideA === m * k) {
    return simplified({ batch: 1, m: batch * m, k, n, transposeA, transposeB, strideA, strideB });
  }
  if (n === 1 && m > 1) {
    const turned = { transposeA: !transposeB, transposeB: !transposeA, strideA: strideB, strideB: strideA };
    return { batch, m: 1, k, n: m, ...turned, swapped: true };
  }
  return { ...sizes, swapped: false };
}

/** The rows of op(A) or the columns of op(B) from number `from` on: `count` lanes of k numbers, side by side or not. */
function lanesFrom(
  bytes: number,
  neighbours: boolean,
  count: number,
  k: number,
): (start: number, from: number) => Lanes {
  const [lane, step] = neighbours ? [bytes, bytes * count] : [bytes * k, bytes];
  return (start, from) => ({ address: start + from * lane, lane, step });
}

/**
 * How a product is shared: into `parts` pieces of matrices, or where these are too few of rows or columns in units
 * of a tile, whichever there are more of.
 */
interface Cut {
  readonly along: 'batch' | 'rows' | 'columns';
  readonly parts: number;
  readonly unit: number;
}

function cutOf(engine: Engine, format: NumberFormat, { batch, m, k, n }: MatmulSizes): Cut {
  const wanted = Math.min(engine.threads, Math.ceil((batch * m * k * n) / WORTH_A_THREAD));
  if (batch >= wanted) return { along: 'batch', parts: wanted, unit: 1 };
  const [along, count, unit] =
    m > n ? (['rows', m, TILE_ROWS] as const) : (['columns', n, tileColumns(format)] as const);
  return { along, parts: Math.min(wanted, Math.ceil(count / unit)), unit };
}

/** What a part has of matrices, rows or columns: all `count` where the cut is along another of them. */
function ownPiece(cut: Cut, along: Cut['along'], count: number, part: number): { from: number; to: number } {
  if (cut.along !== along) return { from: 0, to: count };
  const { from, to } = pieceOf(Math.ceil(count / cut.unit), part, cut.parts);
  return { from: from * cut.unit, to: Math.min(count, to * cut.unit) };
}
