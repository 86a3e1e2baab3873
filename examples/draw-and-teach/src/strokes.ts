// Drawings and their pictures, which are made as MNIST's are: scaled to 20 × 20, antialiased, and set into 28 × 28 by
// the centre of mass. (LeCun, Cortes and Burges, "The MNIST database of handwritten digits".)
import { ArgumentError } from '@gmml/tensor';

/** A place on the canvas, x to the right and y downward, in any unit. */
export type Point = readonly [x: number, y: number];

/** What the pen draws from touching down to lifting off. */
export type Stroke = readonly Point[];

/** Strokes in the order in which they were drawn. */
export type Drawing = readonly Stroke[];

/** Options of `rasterize`. */
export interface RasterizeOptions {
  /** Width of the pen in pixels of the picture, above 0 and at most 10. Default 2.5: as much ink as MNIST's digits have on average. */
  readonly penWidth?: number;
  /**
   * A drawing that is smaller than this in both directions, in its own unit, is a dot: without it the trembling of a tap
   * would be blown up to a drawing. Default 0.
   */
  readonly dotSize?: number;
}

/** Width and height of a picture in pixels. */
export const SIDE = 28;

/** Pixels of a picture. */
export const PIXELS = SIDE * SIDE;

/** The side of the square that the ink is scaled to. */
const INK_SIDE = 20;

/** The middle of a picture of pixels 0 to 27, as MNIST has it: its centre of mass lies on pixel 14. */
const CENTRE = 14;

/** Pixels over which the edge of a line goes from ink to paper. */
const SOFTNESS = 1;

/** A shift by the centre of mass changes which pixels an edge falls on, and so the centre, a little. */
const CENTRINGS = 3;

/** Of two points, in pixels. */
const LEAST_APART = 0.4;

/**
 * The picture of a drawing: a line of constant width around its strokes, scaled so that the longer side of the ink is
 * 20 pixels, its centre of mass in the middle (as far as the ink stays inside).
 *
 * @returns pixels [784] in rows, from 0 (paper) to 1 (ink); null for a drawing without a point
 * @throws ArgumentError for a coordinate that is not finite, or a pen width out of its range
 * @example
 * rasterize([[[10, 10], [10, 90]]]); // a vertical line, as of a 1
 */
export function rasterize(
  drawing: Drawing,
  { penWidth = 2.5, dotSize = 0 }: RasterizeOptions = {},
): Float32Array | null {
  if (!(penWidth > 0 && penWidth <= 10)) {
    throw new ArgumentError(`rasterize: penWidth must be above 0 and at most 10: it is ${penWidth}.`);
  }
  const box = boxOf(drawing);
  if (box === null) return null;
  const size = Math.max(box.width, box.height);
  const room = INK_SIDE - penWidth;
  const scale = size > 0 && size >= dotSize ? room / size : 0;
  const strokes = drawing.map((stroke) => scaled(stroke, box, scale));
  const most = { x: slack(scale * box.width + penWidth), y: slack(scale * box.height + penWidth) };
  let shift = { x: 0, y: 0 };
  let pixels = inked(strokes, penWidth, shift);
  for (let centring = 0; centring < CENTRINGS; centring++) {
    const mass = centreOfMass(pixels);
    shift = {
      x: clamped(shift.x + CENTRE - mass.x, most.x),
      y: clamped(shift.y + CENTRE - mass.y, most.y),
    };
    pixels = inked(strokes, penWidth, shift);
  }
  return pixels;
}

/** The mean place of the ink in pixels [784], which must not be all 0; (14, 14) in a picture of MNIST. */
export function centreOfMass(pixels: ArrayLike<number>): { x: number; y: number } {
  let [sum, x, y] = [0, 0, 0];
  for (let at = 0; at < PIXELS; at++) {
    sum += pixels[at];
    x += pixels[at] * (at % SIDE);
    y += pixels[at] * Math.floor(at / SIDE);
  }
  return { x: x / sum, y: y / sum };
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** @throws ArgumentError for a coordinate that is not finite */
function boxOf(drawing: Drawing): Box | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [i, stroke] of drawing.entries()) {
    for (const [j, [x, y]] of stroke.entries()) {
      // Of larger numbers the width might overflow.
      if (!(Math.abs(x) <= 1e100 && Math.abs(y) <= 1e100)) {
        throw new ArgumentError(
          `rasterize: coordinates must be finite and at most 1e100 in size: point ${j} of stroke ${i} is (${x}, ${y}).`,
        );
      }
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return left > right ? null : { left, top, width: right - left, height: bottom - top };
}

/** The stroke in pixels, the middle of the drawing's box at the centre; points that are hardly apart as one. */
function scaled(stroke: Stroke, { left, top, width, height }: Box, scale: number): Stroke {
  const kept: Point[] = [];
  let [lastX, lastY] = [Infinity, Infinity];
  for (let i = 0; i < stroke.length; i++) {
    const x = CENTRE + scale * (stroke[i][0] - left - width / 2);
    const y = CENTRE + scale * (stroke[i][1] - top - height / 2);
    const apart = (x - lastX) ** 2 + (y - lastY) ** 2;
    if (apart < LEAST_APART ** 2 && i < stroke.length - 1) continue;
    kept.push([x, y]);
    [lastX, lastY] = [x, y];
  }
  return kept;
}

/** How far ink of this width may be shifted within the picture. */
function slack(width: number): number {
  return (SIDE - 1 - width) / 2;
}

function clamped(value: number, most: number): number {
  return Math.min(most, Math.max(-most, value));
}

/** Pixels by their distance from the nearest stroke. */
function inked(strokes: readonly Stroke[], penWidth: number, shift: { x: number; y: number }): Float32Array {
  const pixels = new Float32Array(PIXELS);
  const reach = (penWidth + SOFTNESS) / 2;
  for (const stroke of strokes) {
    // A stroke of one point is a segment from it to itself.
    for (let i = Math.min(1, stroke.length - 1); i >= 0 && i < stroke.length; i++) {
      const [x0, y0] = stroke[Math.max(0, i - 1)];
      const [x1, y1] = stroke[i];
      inkSegment(pixels, reach, x0 + shift.x, y0 + shift.y, x1 + shift.x, y1 + shift.y);
    }
  }
  return pixels;
}

function inkSegment(
  pixels: Float32Array,
  reach: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const square = dx * dx + dy * dy;
  const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach));
  const right = Math.min(SIDE - 1, Math.floor(Math.max(x0, x1) + reach));
  const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach));
  const bottom = Math.min(SIDE - 1, Math.floor(Math.max(y0, y1) + reach));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = square === 0 ? 0 : ((x - x0) * dx + (y - y0) * dy) / square;
      const t = Math.min(1, Math.max(0, along));
      // Math.hypot takes several times as long.
      const distance = Math.sqrt((x - x0 - t * dx) ** 2 + (y - y0 - t * dy) ** 2);
      const ink = Math.min(1, (reach - distance) / SOFTNESS);
      const at = y * SIDE + x;
      if (ink > pixels[at]) pixels[at] = ink;
    }
  }
}
