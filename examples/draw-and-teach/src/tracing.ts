// From a picture to strokes that would draw it.
import { ArgumentError } from '@gmml/tensor';
import { thinned } from './thinning.js';
import { PIXELS, SIDE, type Drawing, type Point, type Stroke } from './strokes.js';

/** Skeleton pixels for each pixel of the picture, in either direction. */
const FINENESS = 3;

/** What is at least this dark between the pixels is ink. */
const THRESHOLD = 0.5;

/** Side branches that are shorter, in pixels of the picture, come from the edge of the ink and not from the pen. */
const SHORTEST_BRANCH = 2.5;

/** Branches that meet at a greater angle than this (its cosine) go on in each other. */
const STRAIGHT_ON = -0.3;

/** How much of what distinguishes a pixel from those around it is added to it. */
const SHARPNESS = 1.5;

const FINE_SIDE = SIDE * FINENESS;
const FRAMED_SIDE = SIDE + 2;

/**
 * Strokes that draw the picture: the ink's skeleton, cut where its branches meet, branches that go on in each other
 * joined, and smoothed.
 *
 * @param pixels [784] in rows, from 0 (paper) to 1 (ink)
 * @returns strokes in pixels of the picture, each from its upper end; none where there is no ink
 * @throws ArgumentError for another number of pixels
 */
export function traced(pixels: ArrayLike<number>): Drawing {
  if (pixels.length !== PIXELS) {
    throw new ArgumentError(`traced: there must be ${PIXELS} pixels: there are ${pixels.length}.`);
  }
  const skeleton = thinned(fineInk(pixels), FINE_SIDE);
  const branches = withoutSpurs(branchesOf(skeleton));
  return joined(branches).map((path) => fromTop(smoothed(path.map(placeOf))));
}

/** Pixels of the fine picture on a walk along the skeleton; a closed walk ends where it starts. */
type Path = readonly number[];

/** Where there is ink, between the pixels by bilinear interpolation; a margin of paper stays around it. */
function fineInk(pixels: ArrayLike<number>): Uint8Array {
  const sharp = sharpened(pixels);
  const ink = new Uint8Array(FINE_SIDE ** 2);
  for (let v = 0; v < FINE_SIDE; v++) {
    // In a frame of paper around the picture, one pixel wide.
    const y = (v + 0.5) / FINENESS + 0.5;
    const down = y - Math.floor(y);
    for (let u = 0; u < FINE_SIDE; u++) {
      const x = (u + 0.5) / FINENESS + 0.5;
      const right = x - Math.floor(x);
      const at = Math.floor(y) * FRAMED_SIDE + Math.floor(x);
      const above = (1 - right) * sharp[at] + right * sharp[at + 1];
      const below = (1 - right) * sharp[at + FRAMED_SIDE] + right * sharp[at + FRAMED_SIDE + 1];
      if ((1 - down) * above + down * below >= THRESHOLD) ink[v * FINE_SIDE + u] = 1;
    }
  }
  clearMargin(ink);
  return ink;
}

/**
 * The pixels, framed, and on top what each has more than the mean of the nine around it: small holes that the pen has closed
 * open again.
 */
function sharpened(pixels: ArrayLike<number>): Float32Array {
  const framed = new Float32Array(FRAMED_SIDE ** 2);
  for (let at = 0; at < PIXELS; at++) {
    framed[(Math.floor(at / SIDE) + 1) * FRAMED_SIDE + (at % SIDE) + 1] = pixels[at];
  }
  const sharp = framed.slice();
  for (let y = 1; y <= SIDE; y++) {
    for (let x = 1; x <= SIDE; x++) {
      const at = y * FRAMED_SIDE + x;
      let sum = 0;
      for (const row of [at - FRAMED_SIDE, at, at + FRAMED_SIDE]) {
        sum += framed[row - 1] + framed[row] + framed[row + 1];
      }
      sharp[at] += SHARPNESS * (framed[at] - sum / 9);
    }
  }
  return sharp;
}

function clearMargin(ink: Uint8Array): void {
  for (let i = 0; i < FINE_SIDE; i++) {
    for (const at of [i, i * FINE_SIDE, FINE_SIDE * (FINE_SIDE - 1) + i, i * FINE_SIDE + FINE_SIDE - 1]) {
      ink[at] = 0;
    }
  }
}

/** The place of a fine pixel in the picture. */
function placeOf(at: number): Point {
  return [((at % FINE_SIDE) + 0.5) / FINENESS - 0.5, (Math.floor(at / FINE_SIDE) + 0.5) / FINENESS - 0.5];
}

/** Skeleton pixels next to one: beside it, or across a corner that no pixel beside it shares. */
function neighboursOf(skeleton: Uint8Array, at: number): number[] {
  const out: number[] = [];
  for (const dy of [-FINE_SIDE, 0, FINE_SIDE]) {
    for (const dx of [-1, 0, 1]) {
      if ((dx === 0 && dy === 0) || skeleton[at + dx + dy] === 0) continue;
      const isCorner = dx !== 0 && dy !== 0;
      if (isCorner && (skeleton[at + dx] === 1 || skeleton[at + dy] === 1)) continue;
      out.push(at + dx + dy);
    }
  }
  return out;
}

/** The walks between ends and meeting points of the skeleton, and its rings. */
function branchesOf(skeleton: Uint8Array): Path[] {
  const near = new Map<number, number[]>();
  for (let at = 0; at < skeleton.length; at++) {
    if (skeleton[at] === 1) near.set(at, neighboursOf(skeleton, at));
  }
  const branches: Path[] = [];
  const seen = new Set<number>();
  const walk = (from: number, next: number): number[] => {
    const path = [from, next];
    while (path[path.length - 1] !== from) {
      const [before, at] = path.slice(-2);
      const ahead = near.get(at)!;
      if (ahead.length !== 2) break;
      seen.add(at);
      path.push(ahead[0] === before ? ahead[1] : ahead[0]);
    }
    return path;
  };
  for (const [at, ahead] of near) {
    if (ahead.length === 2) continue;
    seen.add(at);
    if (ahead.length === 0) branches.push([at]);
    for (const next of ahead) {
      const path = walk(at, next);
      // Each is walked from both of its ends, and a ring through a meeting point in both directions.
      const [end, beforeEnd] = [path[path.length - 1], path[path.length - 2]];
      if (at < end || (at === end && next <= beforeEnd)) branches.push(path);
    }
  }
  for (const [at, ahead] of near) if (!seen.has(at)) branches.push(walk(at, ahead[0]));
  return branches;
}

/** Leaves out short branches with a free end, as long as something else is at the other. */
function withoutSpurs(branches: readonly Path[]): Path[] {
  const meeting = countEnds(branches);
  return branches.filter((path) => {
    const ends = [path[0], path[path.length - 1]].map((end) => meeting.get(end)!);
    const isSpur = Math.min(...ends) === 1 && Math.max(...ends) > 2;
    return !isSpur || path.length > SHORTEST_BRANCH * FINENESS;
  });
}

function countEnds(branches: readonly Path[]): Map<number, number> {
  const count = new Map<number, number>();
  for (const path of branches) {
    for (const end of [path[0], path[path.length - 1]]) count.set(end, (count.get(end) ?? 0) + 1);
  }
  return count;
}

/**
 * Where branches meet, joins the two that make the straightest line, then the next two. Branch b has the ends 2b, its
 * first pixel, and 2b + 1.
 */
function joined(branches: readonly Path[]): Path[] {
  const pathFrom = (end: number): Path =>
    end % 2 === 0 ? branches[end >> 1] : branches[end >> 1].toReversed();
  const pixelOf = (end: number): number => branches[end >> 1].at(end % 2 === 0 ? 0 : -1)!;
  const ends = branches.flatMap(({ length }, b) => (length < 2 ? [] : [2 * b, 2 * b + 1]));
  const pairs = ends
    .flatMap((one, i) => ends.slice(i + 1).map((other) => ({ one, other })))
    .filter(({ one, other }) => one >> 1 !== other >> 1 && pixelOf(one) === pixelOf(other))
    .map(({ one, other }) => ({ one, other, cosine: cosineBetween(pathFrom(one), pathFrom(other)) }))
    .filter(({ cosine }) => cosine < STRAIGHT_ON)
    .toSorted((a, b) => a.cosine - b.cosine);
  const partner = new Map<number, number>();
  for (const { one, other } of pairs) {
    if (partner.has(one) || partner.has(other)) continue;
    partner.set(one, other).set(other, one);
  }
  const left = new Set(branches.keys());
  const chainFrom = (start: number): number[] => {
    const chain: number[] = [];
    for (let end: number | undefined = start; end !== undefined && left.delete(end >> 1);) {
      chain.push(...pathFrom(end).slice(chain.length === 0 ? 0 : 1));
      end = partner.get(end ^ 1);
    }
    return chain;
  };
  // From the free ends first; what is left then are rings of branches.
  const starts = [...ends.filter((end) => !partner.has(end)), ...branches.map((_, b) => 2 * b)];
  return starts.map(chainFrom).filter(({ length }) => length > 0);
}

/** Between the directions in which two paths leave the pixel where they meet. */
function cosineBetween(one: Path, other: Path): number {
  const [[x0, y0], [x1, y1]] = [one, other].map((path) => {
    const [from, to] = [path[0], path[Math.min(path.length - 1, 2 * FINENESS)]].map(placeOf);
    return [to[0] - from[0], to[1] - from[1]];
  });
  return (x0 * x1 + y0 * y1) / Math.hypot(x0, y0) / Math.hypot(x1, y1);
}

/** The mean of each point with those before and after it, the ends left where they are. */
function smoothed(points: readonly Point[]): Stroke {
  const reach = FINENESS;
  const last = points.length - 1;
  return points.map((_, i) => {
    const around = Math.min(reach, i, last - i);
    const [x, y] = [0, 1].map((axis) => {
      let sum = 0;
      for (let j = i - around; j <= i + around; j++) sum += points[j][axis];
      return sum / (2 * around + 1);
    });
    return [x, y];
  });
}

/** As most people draw: from the top. */
function fromTop(stroke: Stroke): Stroke {
  return stroke[stroke.length - 1][1] < stroke[0][1] ? stroke.toReversed() : stroke;
}
