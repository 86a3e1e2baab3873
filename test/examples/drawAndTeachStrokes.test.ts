// examples/draw-and-teach: pictures of drawings, and drawings of pictures.
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import { drawUnknown } from '../../examples/draw-and-teach/data/drawUnknown.js';
import { unknownDrawings } from '../../examples/draw-and-teach/data/unknownDrawings.js';
import { pictureOf } from '../../examples/draw-and-teach/src/digits.js';
import { distorted, HANDS } from '../../examples/draw-and-teach/src/distortion.js';
import { drawInvented, inventedCharacter } from '../../examples/draw-and-teach/src/inventedCharacters.js';
import { impressionOf, likeness } from '../../examples/draw-and-teach/src/likeness.js';
import {
  centreOfMass,
  rasterize,
  type Drawing,
  type Point,
} from '../../examples/draw-and-teach/src/strokes.js';
import { thinned } from '../../examples/draw-and-teach/src/thinning.js';
import { traced } from '../../examples/draw-and-teach/src/tracing.js';
import { Whitening } from '../../examples/draw-and-teach/src/whitening.js';
import { someDigits } from './drawAndTeachDigits.js';

const { test: digits } = someDigits(1, 12);
const count = digits.labels.length;

const point = fc.tuple(fc.integer({ min: 0, max: 280 }), fc.integer({ min: 0, max: 280 }));
const drawings: fc.Arbitrary<Drawing> = fc.array(fc.array(point, { minLength: 1, maxLength: 8 }), {
  minLength: 1,
  maxLength: 4,
});

describe('rasterize', () => {
  it('gives the same picture wherever and however large a drawing is', () => {
    fc.assert(
      fc.property(drawings, fc.integer({ min: -8, max: 8 }), point, (drawing, power, [dx, dy]) => {
        const moved = drawing.map((stroke) =>
          stroke.map(([x, y]): Point => [2 ** power * (x + dx), 2 ** power * (y + dy)]),
        );
        expect(rasterize(moved)).toBeAllClose(rasterize(drawing)!, { rtol: 0, atol: 1e-6 });
      }),
    );
  });

  it('does not depend on the order of the strokes', () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        expect(rasterize(drawing.toReversed())).toBeAllClose(rasterize(drawing)!, { rtol: 0, atol: 1e-6 });
      }),
    );
  });

  it('stays from 0 to 1, and puts the centre of mass in the middle, to a tenth of a pixel, as far as the ink stays inside', () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const picture = rasterize(drawing)!;
        expect(picture.every((value) => value >= 0 && value <= 1)).toBe(true);
        const { x, y } = centreOfMass(picture);
        const inked = [...picture.keys()].filter((at) => picture[at] > 0);
        const isAtEdge = (places: number[]): boolean => Math.min(...places) <= 1 || Math.max(...places) >= 26;
        expect(Math.abs(x - 14) < 0.1 || isAtEdge(inked.map((at) => at % 28))).toBe(true);
        expect(Math.abs(y - 14) < 0.1 || isAtEdge(inked.map((at) => Math.floor(at / 28)))).toBe(true);
      }),
    );
  });

  it('makes the longer side of the ink 20 pixels', () => {
    const side = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (length) => {
        const horizontal = rasterize([
          [
            [5, 5],
            [5 + length, 5],
          ],
        ])!;
        const ink = side(horizontal);
        // A bar with half a disc at either end, 2.5 wide; its edges are soft.
        expect(ink).toBeAllClose(17.5 * 2.5 + Math.PI * 1.25 ** 2, { rtol: 0.02, atol: 0 });
      }),
    );
  });

  it('draws a vertical line as wide as the pen', () => {
    const stroke: Drawing = [
      [
        [5, 5],
        [5, 100],
      ],
    ];
    for (const penWidth of [1, 2.5, 4]) {
      const row = rasterize(stroke, { penWidth })!.subarray(14 * 28, 15 * 28);
      expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(penWidth, 5);
    }
  });

  it('makes a dot of one point, of equal points and of what is smaller than dotSize', () => {
    const dot = rasterize([[[7, 7]]])!;
    expect(dot.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(4);
    const again = [
      [[[3, 4]], [[3, 4]]],
      [
        [
          [3, 4],
          [3, 4],
        ],
      ],
    ] satisfies Drawing[];
    for (const drawing of again) expect(rasterize(drawing)).toEqual(dot);
    const tap: Drawing = [
      [
        [3, 4],
        [4, 6],
      ],
    ];
    expect(rasterize(tap, { dotSize: 3 })).toEqual(dot);
    expect(rasterize(tap)).not.toEqual(dot);
  });

  test.each([
    ['no strokes', []],
    ['a stroke without points', [[]]],
  ])('is null of %s', (_, drawing) => {
    expect(rasterize(drawing)).toBe(null);
  });

  it('refuses what cannot be drawn', () => {
    expect(() => rasterize([[[0, 0]], [[1, Number.NaN]]])).toThrow(
      'rasterize: coordinates must be finite and at most 1e100 in size: point 0 of stroke 1 is (1, NaN).',
    );
    expect(() => rasterize([[[0, 1e200]]])).toThrow(
      'rasterize: coordinates must be finite and at most 1e100 in size: point 0 of stroke 0 is (0, 1e+200).',
    );
    expect(() => rasterize([], { penWidth: 0 })).toThrow(
      'rasterize: penWidth must be above 0 and at most 10: it is 0.',
    );
  });
});

describe('thinned', () => {
  it('leaves a bar its middle line and a ring its hole', () => {
    const side = 15;
    const inside = (ink: (x: number, y: number) => boolean): Uint8Array =>
      Uint8Array.from({ length: side ** 2 }, (_, at) => Number(ink(at % side, Math.floor(at / side))));
    const bar = thinned(
      inside((x, y) => y >= 6 && y <= 8 && x >= 2 && x <= 12),
      side,
    );
    expect([...bar.keys()].filter((at) => bar[at] === 1 && Math.floor(at / side) !== 7)).toEqual([]);
    expect(bar.reduce((sum, value) => sum + value, 0)).toBeGreaterThanOrEqual(8);
    const ring = thinned(
      inside((x, y) => {
        const radius = Math.hypot(x - 7, y - 7);
        return radius >= 3 && radius <= 5.5;
      }),
      side,
    );
    const size = ring.reduce((sum, value) => sum + value, 0);
    expect(size).toBeGreaterThan(16);
    expect(size).toBeLessThan(36);
    expect(ring[7 * side + 7]).toBe(0);
    expect(thinned(ring, side)).toEqual(ring);
  });
});

describe('traced', () => {
  it('gives few strokes that draw the digit again', () => {
    let [sum, strokes] = [0, 0];
    for (let i = 0; i < count; i++) {
      const picture = pictureOf(digits, i);
      const drawing = traced(picture);
      strokes += drawing.length;
      sum += correlation(rasterize(drawing)!, picture);
    }
    expect(sum / count).toBeGreaterThan(0.83);
    expect(strokes / count).toBeLessThan(2.2);
  });

  it('gives each stroke from its upper end, within the picture', () => {
    for (let i = 0; i < count; i++) {
      for (const stroke of traced(pictureOf(digits, i))) {
        expect(stroke[0][1]).toBeLessThanOrEqual(stroke[stroke.length - 1][1]);
        expect(stroke.flat().every((value) => value >= 0 && value <= 27)).toBe(true);
      }
    }
  });

  it('gives back one stroke for a line, two for a cross, a ring for a ring', () => {
    const line: Drawing = [
      [
        [0, 0],
        [4, 10],
      ],
    ];
    expect(traced(rasterize(line)!).length).toBe(1);
    const cross: Drawing = [
      [
        [0, 0],
        [10, 10],
      ],
      [
        [10, 0],
        [0, 10],
      ],
    ];
    expect(correlation(rasterize(traced(rasterize(cross)!))!, rasterize(cross)!)).toBeGreaterThan(0.9);
    const ring = [
      Array.from({ length: 40 }, (_, i): Point => [
        Math.cos((i * Math.PI) / 19),
        Math.sin((i * Math.PI) / 19),
      ]),
    ];
    const [again, ...others] = traced(rasterize(ring)!);
    expect(others).toEqual([]);
    expect(again[0]).toEqual(again[again.length - 1]);
  });

  it('gives nothing for an empty picture, and refuses one of another size', () => {
    expect(traced(new Float32Array(784))).toEqual([]);
    expect(() => traced(new Float32Array(10))).toThrow('traced: there must be 784 pixels: there are 10.');
  });
});

describe('the drawings that are no digits', () => {
  it('are what their seeded script draws, the same number of each kind with even and odd index', () => {
    const unknown = unknownDrawings();
    const again = drawUnknown().map(({ strokes }) => strokes.join(';'));
    expect(unknown.map(({ strokes }) => strokes.map((stroke) => stroke.join(' ')).join(';'))).toEqual(again);
    expect(unknown.map(({ index }) => index)).toEqual([...unknown.keys()]);
    const kinds = (parity: number): string[] =>
      unknown.filter(({ index }) => index % 2 === parity).map(({ kind }) => kind);
    expect(kinds(1)).toEqual(kinds(0));
    expect(kinds(1).length).toBeGreaterThanOrEqual(60);
  });
});

describe('training material', () => {
  it('is the same of the same seed, another of another', () => {
    const drawing = traced(pictureOf(digits, 0));
    const bent = (seed: number): Drawing => distorted(drawing, HANDS, new Generator(seed));
    const invented = (seed: number): Drawing => {
      const generator = new Generator(seed);
      return drawInvented(inventedCharacter(generator), generator);
    };
    for (const made of [bent, invented]) {
      expect(made(1)).toEqual(made(1));
      expect(made(2)).not.toEqual(made(1));
      expect(made(1).flat(2).every(Number.isFinite)).toBe(true);
    }
    expect(bent(1).map(({ length }) => length)).toEqual(drawing.map(({ length }) => length));
    expect(distorted([], HANDS, new Generator(1))).toEqual([]);
  });

  it('compares pictures by what they look like from afar', () => {
    const [one, other] = [0, count - 1].map((i) => impressionOf(pictureOf(digits, i)));
    expect(likeness(one, one)).toBeCloseTo(1, 12);
    expect(likeness(one, other)).toBeLessThan(0.8);
    expect(likeness(impressionOf(new Float32Array(784)), one)).toBe(0);
  });
});

test('Whitening: distances are those of the covariance', () => {
  // Σ = L Lᵀ with L = [[2, 0], [1, 3]].
  const whitening = new Whitening(Float64Array.of(2, 1, 3), [Float64Array.of(0, 0), Float64Array.of(2, 4)]);
  expect(whitening.distances([2, 4])).toBeAllClose([Math.SQRT2, 0], { rtol: 1e-15, atol: 0 });
});

function correlation(a: Float32Array, b: Float32Array): number {
  const centred = [a, b].map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Float64Array.from(values, (value) => value - mean);
  });
  const product = (x: Float64Array, y: Float64Array): number =>
    x.reduce((sum, value, i) => sum + value * y[i], 0);
  const [x, y] = centred;
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}
