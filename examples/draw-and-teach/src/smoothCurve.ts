import type { Point, Stroke } from './strokes.js';

/** Points of the curve from each given one to the next. */
const STEPS = 12;

/** A smooth curve through the points (Catmull and Rom, "A class of local interpolating splines", 1974). */
export function smoothCurve(points: readonly Point[]): Stroke {
  const out: Point[] = [];
  const at = (i: number): Point => points[Math.min(points.length - 1, Math.max(0, i))];
  for (let i = 0; i + 1 < points.length; i++) {
    const [p0, p1, p2, p3] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    for (let step = 0; step < STEPS; step++) {
      const t = step / STEPS;
      const along = (axis: 0 | 1): number =>
        0.5 *
        (2 * p1[axis] +
          (p2[axis] - p0[axis]) * t +
          (2 * p0[axis] - 5 * p1[axis] + 4 * p2[axis] - p3[axis]) * t ** 2 +
          (3 * p1[axis] - p0[axis] - 3 * p2[axis] + p3[axis]) * t ** 3);
      out.push([along(0), along(1)]);
    }
  }
  return [...out, points[points.length - 1]];
}
