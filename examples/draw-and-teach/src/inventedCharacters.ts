// Characters that nobody writes, so that the network learns to look at strokes that are no digits, and to tell one unknown
// symbol from another.
import type { Generator } from '@gmml/tensor';
import { distorted, type Distortion } from './distortion.js';
import { smoothCurve } from './smoothCurve.js';
import type { Drawing, Point, Stroke } from './strokes.js';

/** A character that was made up: what is meant, of which every drawing differs a little. */
export type InventedCharacter = readonly Line[];

interface Line {
  readonly points: readonly Point[];
  readonly curved: boolean;
}

const CARELESSNESS = 0.04;

const HAND: Distortion = { turn: 0.12, slant: 0.12, aspect: 0.25, bend: 0.02 };

/**
 * One to four strokes through two to seven points of the unit square, straight or curved; and of five characters one is a
 * tangle, a stroke through eight to fourteen.
 */
export function inventedCharacter(generator: Generator): InventedCharacter {
  if (generator.uniform() < 0.2) return [anyLine(8 + generator.integer(7), generator)];
  const strokes = 1 + generator.integer(4);
  return Array.from({ length: strokes }, () => {
    const [fewest, most] = strokes === 1 ? [3, 7] : [2, 6 - Math.ceil(strokes / 2)];
    return anyLine(fewest + generator.integer(most - fewest + 1), generator);
  });
}

/** From point to point of a coarse grid, not to the one beside it. */
function anyLine(count: number, generator: Generator): Line {
  const points: Point[] = [];
  while (points.length < count) {
    const point: Point = [generator.integer(5) / 4, generator.integer(5) / 4];
    const [x, y] = points[points.length - 1] ?? [-1, -1];
    if (Math.hypot(point[0] - x, point[1] - y) >= 0.45) points.push(point);
  }
  return { points, curved: count > 2 && generator.uniform() < 0.6 };
}

/** One drawing of it. */
export function drawInvented(character: InventedCharacter, generator: Generator): Drawing {
  const strokes = character.map(({ points, curved }) => {
    const meant = points.map(([x, y]): Point => [
      x + CARELESSNESS * generator.normal(),
      y + CARELESSNESS * generator.normal(),
    ]);
    return curved ? smoothCurve(meant) : inSteps(meant);
  });
  return distorted(strokes, HAND, generator);
}

/** Straight lines as points, so that they can be bent. */
function inSteps(points: readonly Point[]): Stroke {
  const steps = 8;
  const between = points.slice(1).flatMap(([x1, y1], i) => {
    const [x0, y0] = points[i];
    return Array.from({ length: steps }, (_, step): Point => {
      const t = step / steps;
      return [x0 + t * (x1 - x0), y0 + t * (y1 - y0)];
    });
  });
  return [...between, points[points.length - 1]];
}
