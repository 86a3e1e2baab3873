import { roundUp } from '../arrays.js';
import type { Call, Engine } from '../engine.js';
import { packKernel } from './matmulPacking.js';
import { tileColumns, TILE_ROWS, tileKernel } from './matmulTiles.js';
import { DOT_DEPTH, DOT_ROWS, dotKernel } from './matmulVector.js';
import type { NumberFormat } from './numberFormat.js';

/** Terms of a sum that are added in registers before the sum goes to memory; also what keeps panels in cache. */
const DEPTH = 256;

/** Numbers of A that are packed at a time: they fit the second-level cache. */
const PACKED_A = 96 * DEPTH;

/** Columns of B that are packed at a time, so that scratch is bounded. */
const PACKED_COLUMNS = 2048;

/** Rows of A at most that are multiplied with the rows of a matrix one by one. */
const DOT_VECTORS = 3;

/** How many tiles must read a panel for packing it to pay, where its lines lie apart in the cache and where they collide. */
const WORTH_PACKING = { apart: 24, colliding: 3 };

/** Panels of B that meet the same panels of A beside a diagonal: one call each. */
const FEW = 2;

/** Lines this many bytes apart share the sets of a first-level cache with too many others. */
const COLLISION = 1024;

/** The rows of op(A) or the columns of op(B), each a sequence of k numbers. */
export interface Lanes {
  readonly address: number;
  /** Bytes from a lane to the next: those of a number where they are neighbours. */
  readonly lane: number;
  /** Bytes from a number of a lane to its next. */
  readonly step: number;
}

/** c [m, n] = A B, where the rows of c are `rowBytes` apart. */
export interface Block {
  readonly format: NumberFormat;
  readonly a: Lanes;
  readonly b: Lanes;
  readonly c: number;
  readonly rowBytes: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** Column minus row of the diagonal above which tiles need not be computed; null where all are. */
  readonly diagonal: number | null;
  /** The address of `blockScratch` floats. */
  readonly scratch: number;
}

/** How many floats of scratch a block of at most these sizes takes. */
export function blockScratch({ k, n, format }: Pick<Block, 'k' | 'n' | 'format'>): number {
  const columns = roundUp(Math.min(n, PACKED_COLUMNS), tileColumns(format));
  return (format.bytes / 4) * (PACKED_A + Math.min(k, DEPTH) * columns);
}

/** Whether a block is a few vectors times the rows of a matrix, which are best read where they lie. */
export function isFewVectors({
  a,
  b,
  m,
  format: { bytes },
}: Pick<Block, 'a' | 'b' | 'm' | 'format'>): boolean {
  return m <= DOT_VECTORS && a.step === bytes && b.lane !== bytes;
}

/**
 * For each block of columns, for each 256 along k, for each block of rows: panels of B and of A are laid out in the
 * order in which tiles read them, then multiplied. The first 256 write c, the others add to it. Lanes that are neighbours
 * already, and are not read often enough for packing to pay, are read where they lie. Where there is a diagonal, each panel
 * of B meets the panels of A that reach down to it only.
 */
export function multiplyBlock(engine: Engine, call: Call, block: Block): void {
  const { format, a, b, c, rowBytes, m, k, n, diagonal } = block;
  const { bytes, lanes } = format;
  if (isFewVectors(block)) return multiplyByDots(engine, call, block);
  const rowsPerTile = Math.min(m, TILE_ROWS);
  // One or two rows of two vectors would wait for each other: what is read in place can be read in wider panels.
  const columnsPerTile = m > 2 || b.lane !== bytes ? tileColumns(format) : (8 * lanes) / m;
  const packedB = block.scratch + bytes * PACKED_A;
  const depths = Math.min(k, DEPTH);
  const rowsTogether = Math.max(1, Math.floor(PACKED_A / depths / rowsPerTile)) * rowsPerTile;
  for (let column = 0; column < n; column += PACKED_COLUMNS) {
    for (let from = 0; from < k; from += DEPTH) {
      const depth = Math.min(DEPTH, k - from);
      const panelsB = panelsOf(engine, call, {
        format,
        lanes: b,
        start: column,
        count: Math.min(PACKED_COLUMNS, n - column),
        from,
        depth,
        widest: columnsPerTile,
        multiple: lanes,
        uses: Math.ceil(m / rowsPerTile),
        target: packedB,
      });
      for (let row = 0; row < m; row += rowsTogether) {
        const panelsA = panelsOf(engine, call, {
          format,
          lanes: a,
          start: row,
          count: Math.min(rowsTogether, m - row),
          from,
          depth,
          widest: rowsPerTile,
          multiple: 1,
          uses: Math.ceil(n / columnsPerTile),
          target: block.scratch,
        });
        const tiles = (left: Panels, right: Panels): void =>
          call(
            tileKernel(engine, format, left.lanes, right.lanes),
            left.address,
            right.address,
            c + (row + left.first) * rowBytes + bytes * (column + right.first),
            depth,
            left.count,
            right.count,
            left.step,
            left.bytes,
            right.step,
            right.bytes,
            rowBytes,
            from === 0 ? 0 : 1,
          );
        for (const right of panelsB.flatMap((panels) => (diagonal === null ? panels : inFews(panels)))) {
          const needed = diagonal === null ? 0 : column + right.first - diagonal - row;
          for (const left of panelsA) tiles(reaching(left, needed), right);
        }
      }
    }
  }
}

/** Equal panels side by side: `count` of `lanes` lanes each, from lane number `first` on. */
interface Panels {
  readonly first: number;
  readonly lanes: number;
  readonly count: number;
  /** Where they lie, bytes from a number to the next along k, and bytes from a panel to the next. */
  readonly address: number;
  readonly step: number;
  readonly bytes: number;
}

/** The panels in groups, each of which meets the diagonal by itself. */
function inFews(panels: Panels): Panels[] {
  return Array.from({ length: Math.ceil(panels.count / FEW) }, (_, i) => {
    const rest = skipped(panels, i * FEW);
    return { ...rest, count: Math.min(FEW, rest.count) };
  });
}

/** The panels without those that end before lane number `lane`. */
function reaching(panels: Panels, lane: number): Panels {
  const before = Math.floor((lane - panels.first) / panels.lanes);
  return skipped(panels, Math.max(0, Math.min(panels.count, before)));
}

/** The panels without the first `skip`. */
function skipped(panels: Panels, skip: number): Panels {
  const { first, lanes, count, address, bytes } = panels;
  return { ...panels, first: first + skip * lanes, count: count - skip, address: address + skip * bytes };
}

/** The numbers `from` to `from` + `depth` of `count` lanes from number `start` on, and what becomes of them. */
interface Slab {
  readonly format: NumberFormat;
  readonly lanes: Lanes;
  readonly start: number;
  readonly count: number;
  readonly from: number;
  readonly depth: number;
  /** The most lanes of a panel. */
  readonly widest: number;
  /** Lanes that are read at once: a panel in place has a multiple, a packed one is filled up with zeros. */
  readonly multiple: number;
  /** Tiles that read a panel. */
  readonly uses: number;
  /** Where panels are packed. */
  readonly target: number;
}

/** A slab in panels: wide ones as far as they go, then those of a tile's columns, then one of what remains. */
function panelsOf(engine: Engine, call: Call, slab: Slab): Panels[] {
  const { format, lanes, start, count, from, depth, widest, multiple, uses, target } = slab;
  const { bytes } = format;
  const neighbours = lanes.lane === bytes;
  const worth = lanes.step % COLLISION === 0 ? WORTH_PACKING.colliding : WORTH_PACKING.apart;
  const inPlace = count === 1 || (neighbours && uses < worth);
  const panels: Panels[] = [];
  let packed = target;
  let first = 0;
  while (first < count) {
    const rest = count - first;
    const width = rest >= widest ? widest : Math.min(rest, tileColumns(format));
    const together = Math.floor(rest / width);
    const source = lanes.address + (start + first) * lanes.lane + from * lanes.step;
    if (inPlace && width % multiple === 0) {
      const own = { address: source, step: lanes.step, bytes: width * lanes.lane };
      panels.push({ first, lanes: width, count: together, ...own });
    } else {
      const padded = roundUp(width, multiple);
      const own = { address: packed, step: bytes * padded, bytes: bytes * padded * depth };
      const stride = neighbours ? lanes.step : lanes.lane;
      call(packKernel(engine, format, width, padded, neighbours), source, packed, depth, together, stride);
      panels.push({ first, lanes: width, count: together, ...own });
      packed += together * own.bytes;
    }
    first += together * width;
  }
  return panels;
}

/** A few vectors times the rows of a matrix: all are read where they lie. */
function multiplyByDots(engine: Engine, call: Call, { a, b, c, rowBytes, m, k, n }: Block): void {
  const rest = n % DOT_ROWS;
  const whole = n - rest;
  for (let from = 0; from < k; from += DOT_DEPTH) {
    const depth = Math.min(DOT_DEPTH, k - from);
    const add = from === 0 ? 0 : 1;
    for (let i = 0; i < m; i++) {
      const x = a.address + i * a.lane + 4 * from;
      const matrix = b.address + 4 * from;
      const target = c + i * rowBytes;
      call(dotKernel(engine, false), x, matrix, target, depth, whole / DOT_ROWS, b.lane, add);
      if (rest === 0) continue;
      const last = matrix + whole * b.lane;
      call(dotKernel(engine, true), x, last, target + 4 * whole, depth, rest, b.lane, add);
    }
  }
}
