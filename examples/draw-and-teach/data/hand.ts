// How a person writes a shape: never the same twice.
import type { Generator } from '@gmml/tensor';
import { smoothCurve } from '../src/smoothCurve.js';
import type { Drawing, Point, Stroke } from '../src/strokes.js';

/** A stroke as it is meant: through points of the unit square, straight from each to the next or as one curve. */
export interface Line {
  readonly points: readonly Point[];
  readonly curved: boolean;
}

/** The form of a letter or symbol, as it is meant. */
export type Shape = readonly Line[];

/** A person's habits. */
export interface Hand {
  /** How far x moves for each unit up; about 0.2 for sloping writing. */
  readonly slant: number;
  /** Width over height, as a factor on the shape's own. */
  readonly aspect: number;
  /** In radians. */
  readonly turn: number;
  /** Height in pixels. */
  readonly size: number;
  /** Standard deviation of the points from where they are meant, as a share of the size. */
  readonly carelessness: number;
  /** Standard deviation of the trembling of the pen, as a share of the size. */
  readonly tremor: number;
}

/** Pixels between two points that the pointer gives. */
const SPACING = 5;

/** A person drawn at random. */
export function anyHand(generator: Generator): Hand {
  const between = (low: number, high: number): number => low + (high - low) * generator.uniform();
  return {
    slant: 0.1 + 0.13 * generator.normal(),
    aspect: between(0.65, 1.1),
    turn: 0.07 * generator.normal(),
    size: between(90, 210),
    carelessness: between(0.015, 0.045),
    tremor: between(0.003, 0.012),
  };
}

/** The shape as the hand draws it on a canvas of 280 × 280, in whole pixels. */
export function drawn(shape: Shape, hand: Hand, generator: Generator): Drawing {
  const { slant, aspect, turn, size, carelessness } = hand;
  const at: Point = [140 + 12 * generator.normal(), 140 + 12 * generator.normal()];
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const placed = ([x, y]: Point): Point => {
    const across = size * (aspect * (x - 0.5) - slant * (y - 0.5) + carelessness * generator.normal());
    const down = size * (y - 0.5 + carelessness * generator.normal());
    return [at[0] + cos * across - sin * down, at[1] + sin * across + cos * down];
  };
  return shape.map(({ points, curved }) => {
    const meant = points.map(placed);
    return trembling(evenlySpaced(curved ? smoothCurve(meant) : meant), hand.tremor * size, generator);
  });
}

/** Points along the polyline, as often as a pointer gives them. */
function evenlySpaced(points: readonly Point[]): Stroke {
  const out: Point[] = [points[0]];
  let walked = 0;
  for (let i = 1; i < points.length; i++) {
    const [from, to] = [points[i - 1], points[i]];
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    for (let next = SPACING - walked; next <= length; next += SPACING) {
      const share = next / length;
      out.push([from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]);
    }
    walked = (walked + length) % SPACING;
  }
  return [...out, points[points.length - 1]];
}

/** Adds a slow random motion of this standard deviation, and rounds to pixels. */
function trembling(points: Stroke, deviation: number, generator: Generator): Stroke {
  const keep = 0.85;
  const away = [0, 0].map(() => deviation * generator.normal());
  return points.map(([x, y]) => {
    for (const axis of [0, 1]) {
      away[axis] = keep * away[axis] + Math.sqrt(1 - keep ** 2) * deviation * generator.normal();
    }
    return [Math.round(x + away[0]), Math.round(y + away[1])];
  });
}
