// What people draw that is neither letter nor digit.
import type { Generator } from '@gmml/tensor';
import type { Point } from '../src/strokes.js';
import type { Line, Shape } from './hand.js';
import { shape } from './letters.js';

/** Each gives another shape every time. */
export const SCRIBBLES: Readonly<Record<string, (generator: Generator) => Shape>> = {
  zigzag: (generator) => {
    const turns = 5 + generator.integer(5);
    return [straight(turns, (i) => [i / (turns - 1), i % 2 === 0 ? 0.2 : 0.8])];
  },
  'steep zigzag': (generator) => {
    const turns = 7 + generator.integer(5);
    return [straight(turns, (i) => [i % 2 === 0 ? 0.15 : 0.85, i / (turns - 1)])];
  },
  loops: (generator) => {
    const turns = 3 + generator.integer(3);
    return [
      curve(8 * turns, (t) => [
        0.12 + 0.76 * t + 0.12 * Math.cos(2 * Math.PI * turns * t),
        0.5 + 0.28 * Math.sin(2 * Math.PI * turns * t),
      ]),
    ];
  },
  spiral: (generator) => {
    const turns = 2.5 + 1.5 * generator.uniform();
    const start = 2 * Math.PI * generator.uniform();
    return [curve(Math.round(9 * turns), (t) => around(0.5 * t, start + 2 * Math.PI * turns * t))];
  },
  hatching: (generator) => {
    const lines = 4 + generator.integer(3);
    return Array.from({ length: lines }, (_, i) => {
      const x = i / lines;
      return straight(2, (end) => [x + 0.2 * end, 1 - end]);
    });
  },
  'cross-hatching': (generator) => {
    const lines = 2 + generator.integer(2);
    const each = Array.from({ length: lines }, (_, i) => (i + 0.5) / lines);
    return [
      ...each.map((x) => straight(2, (end) => [x, end])),
      ...each.map((y) => straight(2, (end) => [end, y])),
    ];
  },
  'random walk': (generator) => {
    const at = [0.5, 0.5];
    return [
      curve(24 + generator.integer(12), () => {
        for (const axis of [0, 1]) {
          at[axis] += 0.28 * generator.normal();
          at[axis] = Math.min(1, Math.max(0, at[axis]));
        }
        return [at[0], at[1]];
      }),
    ];
  },
  star: (generator) => {
    const turn = 0.1 * generator.normal();
    return [straight(6, (i) => around(0.5, turn + (4 * Math.PI * i) / 5 - Math.PI / 2))];
  },
  arrow: (generator) => {
    const pointed = shape('0 .5, 1 .5', '.68 .2, 1 .5, .68 .8');
    return turned(pointed, (generator.integer(4) * Math.PI) / 2);
  },
  heart: () =>
    shape('~.5 .3, .35 .05, .1 .08, .02 .35, .2 .65, .5 .98, .8 .65, .98 .35, .9 .08, .65 .05, .5 .3'),
  checkmark: () => shape('.02 .6, .3 1, 1 0'),
  dots: (generator) => {
    const count = 4 + generator.integer(5);
    return Array.from({ length: count }, () => {
      const [x, y] = [generator.uniform(), generator.uniform()];
      return straight(2, (end) => [x + 0.02 * end, y]);
    });
  },
  cloud: (generator) => {
    const bumps = 5 + generator.integer(3);
    return [
      curve(6 * bumps, (t) => {
        const angle = 2 * Math.PI * t;
        const [x, y] = around(0.36 + 0.13 * Math.abs(Math.sin((bumps * angle) / 2)), angle);
        return [x, 0.5 + 0.7 * (y - 0.5)];
      }),
    ];
  },
  house: () => shape('.1 1, .1 .4, .9 .4, .9 1, .1 1', '.02 .45, .5 0, .98 .45'),
  smiley: () =>
    shape(
      '~.5 0, .15 .15, 0 .5, .15 .85, .5 1, .85 .85, 1 .5, .85 .15, .5 0',
      '.33 .32, .34 .42',
      '.66 .32, .67 .42',
      '~.25 .62, .5 .8, .75 .62',
    ),
  'hash sign': () => shape('.35 0, .28 1', '.72 0, .65 1', '.02 .34, .98 .32', '0 .68, .97 .66'),
};

function straight(count: number, at: (i: number) => Point): Line {
  return { curved: false, points: Array.from({ length: count }, (_, i) => at(i)) };
}

/** @param at the point at t, which goes from 0 to 1 */
function curve(count: number, at: (t: number) => Point): Line {
  return { curved: true, points: Array.from({ length: count }, (_, i) => at(i / (count - 1))) };
}

function around(radius: number, angle: number): Point {
  return [0.5 + radius * Math.cos(angle), 0.5 + radius * Math.sin(angle)];
}

function turned(lines: Shape, angle: number): Shape {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return lines.map(({ curved, points }) => ({
    curved,
    points: points.map(([x, y]): Point => [
      0.5 + cos * (x - 0.5) - sin * (y - 0.5),
      0.5 + sin * (x - 0.5) + cos * (y - 0.5),
    ]),
  }));
}
