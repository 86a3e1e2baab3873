// The examples as processes, as a reader would run them.
import { describe, expect, test } from 'vitest';
import { runBuilt } from '../cli/process.js';

/** A hang guard, not a speed limit. */
const LONG = 15 * 60_000;

test('examples/gmm-layer: the loss falls and posteriors sum to one', { timeout: LONG }, async () => {
  const { code, stdout, stderr } = await runBuilt('examples/dist/gmm-layer/main.js');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const printed = stdout.match(
    /^loss before the step: (.+)\nloss after the step: {2}(.+)\nrow sums: (.+) to (.+)\n$/,
  );
  const [before, after, smallest, largest] = printed!.slice(1).map(Number);
  expect(after).toBeLessThan(before);
  expect([smallest, largest]).toEqual([1, 1]);
});

describe('examples/mnist', () => {
  test.each([
    ['the mixture head', []],
    ['the linear head', ['--linear-classifier']],
  ])('trains on 1,000 digits with %s', { timeout: LONG }, async (_, args) => {
    const run = await runBuilt('examples/dist/mnist/main.js', ['--limit', '1000', '--epochs', '2', ...args]);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    const [backend, ...epochs] = run.stdout.trimEnd().split('\n');
    expect(backend).toMatch(/^backend \w+, threads \d+$/);
    const accuracies = epochs.map((line) =>
      Number(/^epoch \d: train loss \d+\.\d{4}, test accuracy (\d+\.\d\d) %$/.exec(line)![1]),
    );
    expect(accuracies.length).toBe(2);
    expect(accuracies[1]).toBeGreaterThan(75);
  });
});

test('examples/open-set: keeps what it knows and rejects what it does not', { timeout: LONG }, async () => {
  const { code, stdout, stderr } = await runBuilt('examples/dist/open-set/main.js');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [uncalibrated, ...lines] = stdout.trimEnd().split('\n');
  expect(uncalibrated).toMatch(/^uncalibrated: a newspaper is a (cat|dog), typicality null$/);
  const shares = (line: string): [string, number, number] => {
    const [, kind, right, unknown] = /^(\w+) *: ([\d.]+) % recognised, ([\d.]+) % none of these$/.exec(line)!;
    return [kind, Number(right), Number(unknown)];
  };
  const [before, after] = [lines.slice(0, 4).map(shares), lines.slice(5, 9).map(shares)];
  const kinds = ['cat', 'dog', 'horse', 'newspaper'];
  for (const [reported, known] of [
    [before, 2],
    [after, 3],
  ] as const) {
    expect(reported.map(([kind]) => kind)).toEqual(kinds);
    const kept = reported.slice(0, known).map(([, right]) => right);
    // 95 are kept of all kinds together: of a single one it may be fewer.
    expect(kept.reduce((sum, right) => sum + right, 0) / known).toBeGreaterThan(88);
    for (const [kind, right] of reported.slice(0, known)) expect(right, kind).toBeGreaterThan(80);
    for (const [kind, , unknown] of reported.slice(known)) expect(unknown, kind).toBeGreaterThan(88);
  }
  expect(lines[4]).toBe('labels: cat, dog, horse');
  expect(lines[9]).toMatch(/^460 cats; \d\.\d MB, and restored the same$/);
  expect(lines[10]).toMatch(/^a cat: cat, p [01]\.\d{3}, typicality above 0\.05: true$/);
});
