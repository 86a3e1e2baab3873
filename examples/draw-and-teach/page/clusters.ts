import type { Generator } from '@gmml/tensor';
import type { Point } from '../src/strokes.js';
import { HEIGHT, WIDTH } from './emPlane.js';

const COUNT = 40;

/** Places that a cluster might have, of which it takes the one furthest from all points. */
const PLACES = 12;

/** No point of a cluster is nearer to the edge. */
const EDGE = 12;

/** Points of a normal distribution somewhere in the plane, away from those that are there. */
export function cluster(points: readonly Point[], generator: Generator): Point[] {
  const places = Array.from({ length: PLACES }, (): Point => [
    WIDTH * (0.15 + 0.7 * generator.uniform()),
    HEIGHT * (0.18 + 0.64 * generator.uniform()),
  ]);
  const room = places.map(([x, y]) => Math.min(...points.map(([px, py]) => Math.hypot(x - px, y - py))));
  const [x, y] = places[room.indexOf(Math.max(...room))];
  const [along, across] = [20 + 60 * generator.uniform(), 10 + 25 * generator.uniform()];
  const angle = Math.PI * generator.uniform();
  const one = (): Point => {
    const [a, b] = [along * generator.normal(), across * generator.normal()];
    return [x + a * Math.cos(angle) - b * Math.sin(angle), y + a * Math.sin(angle) + b * Math.cos(angle)];
  };
  return Array.from({ length: COUNT }, () => {
    let point = one();
    while (!isInside(point)) point = one();
    return point;
  });
}

function isInside([x, y]: Point): boolean {
  return x > EDGE && x < WIDTH - EDGE && y > EDGE && y < HEIGHT - EDGE;
}
