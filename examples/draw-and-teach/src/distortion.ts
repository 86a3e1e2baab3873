import type { Generator } from '@gmml/tensor';
import type { Drawing, Point } from './strokes.js';

/** How much a drawing is changed: standard deviations of what is drawn at random. */
export interface Distortion {
  /** Of the turn, in radians. */
  readonly turn: number;
  /** Of the slant: how far x moves for each unit of y. */
  readonly slant: number;
  /** Of the logarithm of width over height. */
  readonly aspect: number;
  /** Of each point of a coarse grid over the drawing, between which it is bent, as a share of its size. */
  readonly bend: number;
}

/** As much as one hand differs from another. */
export const HANDS: Distortion = { turn: 0.09, slant: 0.09, aspect: 0.12, bend: 0.02 };

/** Cells of the grid in either direction. */
const GRID = 3;

/** The drawing as another hand might have drawn it: turned, slanted, stretched and bent a little. */
export function distorted(drawing: Drawing, distortion: Distortion, generator: Generator): Drawing {
  const { turn, slant, aspect, bend } = distortion;
  const points = drawing.flat();
  if (points.length === 0) return drawing;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [least(xs), least(ys)];
  const size = Math.max(-least(xs.map((x) => -x)) - left, -least(ys.map((y) => -y)) - top) || 1;
  const angle = turn * generator.normal();
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const across = slant * generator.normal();
  const stretch = Math.exp((aspect / 2) * generator.normal());
  const knots = Array.from({ length: 2 * (GRID + 1) ** 2 }, () => bend * generator.normal());
  const bent = (u: number, v: number, axis: number): number => {
    const [i, j] = [u, v].map((t) => Math.min(GRID - 1, Math.floor(t * GRID)));
    const [right, down] = [u * GRID - i, v * GRID - j];
    const knot = (di: number, dj: number): number => knots[2 * ((j + dj) * (GRID + 1) + i + di) + axis];
    return (
      (1 - down) * ((1 - right) * knot(0, 0) + right * knot(1, 0)) +
      down * ((1 - right) * knot(0, 1) + right * knot(1, 1))
    );
  };
  return drawing.map((stroke) =>
    stroke.map(([x, y]): Point => {
      const [u, v] = [(x - left) / size, (y - top) / size];
      const wide = stretch * (u + bent(u, v, 0) + across * v);
      const high = (v + bent(u, v, 1)) / stretch;
      return [cos * wide - sin * high, sin * wide + cos * high];
    }),
  );
}

function least(values: readonly number[]): number {
  let result = Infinity;
  for (const value of values) result = Math.min(result, value);
  return result;
}
