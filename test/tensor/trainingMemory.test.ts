// Training in a process of its own: the memory of the tests themselves comes and goes.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';

const backend = inject('backend');

/** A hang guard, not a speed limit. */
const LONG = 15 * 60_000;

interface Trained {
  firstLoss: number;
  warmLoss: number;
  residentBytes: number[];
}

/** Trains 1,000 steps to warm up, then `steps` more. Imports the build, as every program does that vitest does not run. */
async function train(steps: number, mode: 'scopes' | 'plain'): Promise<Trained> {
  const script = fileURLToPath(new URL('trainingMemory.mjs', import.meta.url));
  // With a small young generation and collected garbage, what is resident is what is in use, to half a megabyte.
  const flags = ['--expose-gc', '--max-semi-space-size=2'];
  const args = [...flags, script, backend, '1000', String(steps), mode];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Trained;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

/** Megabytes between the medians of the second and the last fifth. */
function growth({ residentBytes }: Trained): number {
  const fifth = residentBytes.length / 5;
  return (median(residentBytes.slice(-fifth)) - median(residentBytes.slice(fifth, 2 * fifth))) / 1e6;
}

test(
  'resident memory stays level while a network trains, with scopes and without',
  { timeout: LONG },
  async () => {
    const scopes = await train(10_000, 'scopes');
    const plain = await train(2000, 'plain');
    expect(growth(scopes)).toBeLessThan(8);
    expect(growth(plain)).toBeLessThan(8);
    expect(scopes.warmLoss).toBeLessThan(scopes.firstLoss / 2);
    // A scope changes where numbers lie, and none of them.
    expect(scopes.warmLoss).toBe(plain.warmLoss);
  },
);
