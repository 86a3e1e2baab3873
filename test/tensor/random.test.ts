import { ArgumentError, defaultGenerator, Generator, manualSeed, rand, randn } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

function draw<T>(n: number, next: () => T): T[] {
  return Array.from({ length: n }, next);
}

describe('Generator', () => {
  test('is xoshiro128**', () => {
    // By a transcription of the authors' C program (version 1.1) into Python, from the words 1, 2, 3, 4.
    const generator = new Generator(0);
    generator.setState({ words: [1, 2, 3, 4], spare: null });
    expect(draw(10, () => generator.bits())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  test('repeats itself from the same seed, and only from that', () => {
    const sequence = (seed: number): number[] => {
      const generator = new Generator(seed);
      return draw(20, () => generator.normal());
    };
    expect(sequence(5)).toEqual(sequence(5));
    const others = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1].map((seed) => sequence(seed).join());
    expect(new Set(others).size).toBe(6);
  });

  test.each([-1, 0.5, NaN, 2 ** 53])('refuses the seed %d', (seed) => {
    expect(() => new Generator(seed)).toThrow(
      new ArgumentError(`Generator: the seed must be an integer from 0 to 2⁵³ - 1: it is ${seed}.`),
    );
    expect(() => manualSeed(seed)).toThrow(
      new ArgumentError(`manualSeed: the seed must be an integer from 0 to 2⁵³ - 1: it is ${seed}.`),
    );
  });

  test('goes on from a saved state, through JSON, with a normal waiting', () => {
    const generator = new Generator(3);
    draw(7, () => generator.normal());
    const state = JSON.parse(JSON.stringify(generator.getState()));
    const expected = draw(10, () => [generator.normal(), generator.uniform()]);
    const restored = new Generator(99);
    restored.normal();
    restored.setState(state);
    expect(draw(10, () => [restored.normal(), restored.uniform()])).toEqual(expected);
  });

  test.each([
    { words: [1, 2, 3], spare: null },
    { words: [1, 2, 3, 4.5], spare: null },
    { words: [0, 0, 0, 0], spare: null },
    { words: [1, 2, 3, 2 ** 32], spare: null },
    { words: [1, 2, 3, 4], spare: NaN },
    {},
    null,
  ])('refuses the state %j', (state) => {
    const generator = new Generator(3);
    const before = generator.getState();
    expect(() => generator.setState(state as never)).toThrow(
      new ArgumentError(`Generator.setState: not a state of a Generator: ${JSON.stringify(state)}.`),
    );
    expect(generator.getState()).toEqual(before);
  });

  test('uniform numbers fill [0, 1) evenly, with all 53 bits', () => {
    const generator = new Generator(1);
    const values = draw(100_000, () => generator.uniform());
    expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(0);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(
      chiSquare(
        values.map((value) => Math.floor(value * 100)),
        100,
      ),
    ).toBeLessThan(150);
    expect(values.some((value) => (value * 2 ** 53) % 2 === 1)).toBe(true);
  });

  test('normal numbers have the moments of N(0, 1)', () => {
    const generator = new Generator(2);
    const n = 200_000;
    const values = draw(n, () => generator.normal());
    const moment = (k: number): number => values.reduce((sum, value) => sum + value ** k, 0) / n;
    // Five standard errors of each: Var(xᵏ) = E x²ᵏ − (E xᵏ)² is 1, 2, 15, 96.
    [0, 1, 0, 3].forEach((expected, i) => {
      const error = Math.sqrt([1, 2, 15, 96][i] / n);
      expect(Math.abs(moment(i + 1) - expected)).toBeLessThan(5 * error);
    });
    // Neighbours come from one pair of uniforms and must not be correlated.
    const neighbours = values.slice(1).reduce((sum, value, i) => sum + value * values[i], 0) / n;
    expect(Math.abs(neighbours)).toBeLessThan(5 / Math.sqrt(n));
    const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / n;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(5 * Math.sqrt((0.0455 * 0.9545) / n));
  });

  test('integers are even over 0 to n − 1', () => {
    const generator = new Generator(4);
    expect(
      chiSquare(
        draw(70_000, () => generator.integer(7)),
        7,
      ),
    ).toBeLessThan(25);
    expect(draw(5, () => generator.integer(1))).toEqual([0, 0, 0, 0, 0]);
    expect(draw(100, () => generator.integer(2 ** 50)).some((value) => value > 2 ** 49)).toBe(true);
  });

  test.each([0, -1, 1.5, NaN])('refuses integers below %d', (n) => {
    expect(() => new Generator(0).integer(n)).toThrow(
      new ArgumentError(`Generator.integer: n must be an integer of at least 1: it is ${n}.`),
    );
  });

  test('permutations are permutations, each as likely', () => {
    const generator = new Generator(5);
    expect([...generator.permutation(100)].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect([...generator.permutation(0)]).toEqual([]);
    const orders = ['0,1,2', '0,2,1', '1,0,2', '1,2,0', '2,0,1', '2,1,0'];
    expect(
      chiSquare(
        draw(60_000, () => orders.indexOf(generator.permutation(3).join())),
        6,
      ),
    ).toBeLessThan(23);
  });

  test.each([-1, 0.5, NaN, 2 ** 31])('refuses a permutation of %d', (n) => {
    expect(() => new Generator(0).permutation(n)).toThrow(
      new ArgumentError(`Generator.permutation: n must be an integer from 0 to 2³¹ - 1: it is ${n}.`),
    );
  });
});

describe('rand and randn', () => {
  test('follow manualSeed', () => {
    manualSeed(7);
    const first = [randn([5]).toArray(), rand([5]).toArray(), defaultGenerator().seed];
    manualSeed(7);
    expect([randn([5]).toArray(), rand([5]).toArray(), defaultGenerator().seed]).toEqual(first);
    expect(randn([5]).toArray()).not.toEqual(first[0]);
  });

  test('take a generator, and then leave the default one alone', () => {
    const before = defaultGenerator().getState();
    const values = [1, 1].map((seed) => randn([2, 3], { generator: new Generator(seed) }).toArray());
    expect(values[0]).toEqual(values[1]);
    rand([4], { generator: new Generator(1) });
    expect(defaultGenerator().getState()).toEqual(before);
  });

  test('make the number format and the leaf that is asked for', () => {
    const x = randn([2], { dtype: 'float64', requiresGrad: true });
    expect([x.dtype, x.requiresGrad, x.shape]).toEqual(['float64', true, [2]]);
  });

  test('rand stays below 1 in float32: 24 bits, where more would round up', () => {
    const generator = new Generator(8);
    const values = [...rand([50_000], { generator }).data];
    expect(values.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24))).toBe(true);
    expect(values.some((value) => (value * 2 ** 24) % 2 === 1)).toBe(true);
  });
});

/** Σ (observed − expected)²/expected over equally likely classes. */
function chiSquare(classes: number[], count: number): number {
  const observed = Array.from({ length: count }, () => 0);
  for (const k of classes) observed[k]++;
  const expected = classes.length / count;
  return observed.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}
