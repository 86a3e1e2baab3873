// Blocks are moved, or summed in float64 in the reference's order: the bits must be the reference's.
import { assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Generator } from '@gmml/tensor';
import { reference } from '../../../packages/tensor/src/kernels/reference/index.js';
import { addBlocks, takeBlocks } from '../../../packages/tensor/src/kernels/wasm/movement/blocks.js';
import { enginesOf, Placement } from './engines.js';
import { exactNumbers, roughNumbers } from './numbers.js';
import { firstDifference } from './rounding.js';

const CAPACITY = 16 * 1024 * 1024;

const samples = record({
  block: constantFrom(1, 1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 65),
  blocks: constantFrom(1, 2, 3, 15, 16, 17, 33, 100),
  count: constantFrom(0, 1, 2, 3, 5, 16, 40, 100),
  seed: integer({ min: 0, max: 1000 }),
  arePlaced: boolean(),
});

/** The first `count` of a random order of the positions below `blocks`. */
function distinct(count: number, blocks: number): Int32Array {
  const generator = new Generator(3);
  const keys = Float64Array.from({ length: blocks }, () => generator.uniform());
  return Int32Array.from([...keys.keys()].toSorted((a, b) => keys[a] - keys[b]).slice(0, count));
}

describe.each(enginesOf(CAPACITY))('blocks in WASM, $name', ({ engine }) => {
  const check = (
    routine: 'takeBlocks' | 'addBlocks',
    x: Float32Array,
    positions: Int32Array,
    block: number,
    before: Float32Array,
    arePlaced: boolean,
  ): boolean => {
    const placement = new Placement(engine);
    const expected = Float32Array.from(before);
    const [from, places, actual] = arePlaced
      ? [placement.floats(x), placement.integers(positions), placement.floats(before)]
      : [x, positions, Float32Array.from(before)];
    const kernel = routine === 'takeBlocks' ? takeBlocks : addBlocks;
    const done = kernel(engine, from, places, block, actual);
    reference[routine](x, positions, block, expected);
    expect(firstDifference(actual, done ? expected : before)).toBe(null);
    expect(firstDifference(from, x)).toBe(null);
    expect(firstDifference(places, positions)).toBe(null);
    expect(placement.isIntact()).toBe(true);
    return done;
  };

  test('take what the reference takes', () => {
    const holds = property(samples, ({ block, blocks, count, seed, arePlaced }) => {
      const generator = new Generator(seed);
      const positions = Int32Array.from({ length: count }, () => Math.floor(generator.uniform() * blocks));
      const before = new Float32Array(count * block).fill(7);
      const done = check(
        'takeBlocks',
        exactNumbers(blocks * block, seed),
        positions,
        block,
        before,
        arePlaced,
      );
      expect(done || !arePlaced).toBe(true);
    });
    assert(holds, { numRuns: 200 });
  });

  test('add where the reference adds, positions that meet or not', () => {
    const holds = property(samples, boolean(), ({ block, blocks, count, seed, arePlaced }, meet) => {
      const generator = new Generator(seed);
      const positions = meet
        ? Int32Array.from({ length: count }, () => Math.floor(generator.uniform() * blocks))
        : distinct(count, blocks);
      const g = meet ? roughNumbers(count * block, seed) : exactNumbers(positions.length * block, seed);
      const before = meet ? roughNumbers(blocks * block, 7) : exactNumbers(blocks * block, seed + 6);
      const done = check('addBlocks', g, positions, block, before, arePlaced);
      expect(done || !arePlaced).toBe(true);
    });
    assert(holds, { numRuns: 300 });
  });

  test('add infinities, NaN, denormals and −0 that meet', () => {
    for (let seed = 0; seed < 12; seed++) {
      const generator = new Generator(seed);
      const positions = Int32Array.from({ length: 300 }, () => Math.floor(generator.uniform() * 200));
      check('addBlocks', exactNumbers(300, seed), positions, 1, exactNumbers(200, seed + 6), true);
    }
  });

  test.each([
    ['one number each', 1, 250_000, 400_000],
    ['rows', 128, 2000, 3000],
  ])('move many blocks: %s', (_, block, count, blocks) => {
    const positions = distinct(count, blocks);
    const x = roughNumbers(blocks * block, 1);
    const g = roughNumbers(count * block, 2);
    expect(check('takeBlocks', x, positions, block, new Float32Array(g.length), true)).toBe(true);
    expect(check('addBlocks', g, positions, block, x, true)).toBe(true);
    positions[count - 1] = positions[0];
    expect(check('addBlocks', g, positions, block, x, true)).toBe(true);
  });

  test('leave float64 and what does not fit to the reference', () => {
    const positions = new Int32Array(300);
    const wide = [new Float64Array(300), new Float64Array(300)];
    expect(takeBlocks(engine, wide[0], positions, 1, wide[1])).toBe(false);
    expect(addBlocks(engine, wide[0], positions, 1, wide[1])).toBe(false);
    const long = new Float32Array(CAPACITY / 4);
    expect(takeBlocks(engine, long, new Int32Array(long.length), 1, new Float32Array(long.length))).toBe(
      false,
    );
    // There is room for the arrays, but not for the sums of what meets.
    const g = new Float32Array(1_200_000).fill(1);
    const out = new Float32Array(1_200_000);
    expect(addBlocks(engine, g, new Int32Array(g.length), 1, out)).toBe(false);
    expect(out.every((value) => value === 0)).toBe(true);
  });
});
