// examples/from-pytorch as two processes: Python trains and writes, Node reads and predicts the same.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSafetensors } from '@gmml/nn';
import { afterAll, expect, test } from 'vitest';
import { runBuilt } from '../cli/process.js';
import { findTorch, runPython } from '../torch/python.js';

/** A hang guard, not a speed limit. */
const LONG = 3 * 60_000;

const folder = mkdtempSync(join(tmpdir(), 'gmml-from-pytorch-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('examples/from-pytorch: PyTorch and gmml predict the same', { timeout: LONG }, async (context) => {
  const python = findTorch();
  context.skip(python === undefined, 'no Python with torch');
  const script = fileURLToPath(new URL('../../examples/from-pytorch/train.py', import.meta.url));
  const losses = [...(await runPython(python!, script, [folder])).matchAll(/^step \d+: loss (\S+)$/gm)];
  expect(Number(losses.at(-1)![1])).toBeLessThan(Number(losses[0][1]) / 2);
  expect(loadSafetensors(join(folder, 'model.safetensors')).metadata).toEqual({ format: 'pt' });

  const { code, stdout, stderr } = await runBuilt('examples/dist/from-pytorch/main.js', [folder]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [header, ...rows] = stdout.trimEnd().split('\n');
  const last = rows.pop()!;
  expect(header).toMatch(/^image {2}label {2}PyTorch +gmml +as cholesky$/);
  expect(rows.length).toBe(12);
  for (const [i, row] of rows.entries()) {
    const [image, label, ...answers] = row.trim().split(/ {2,}/);
    expect([image, label]).toEqual([String(i), String(i % 4)]);
    const [inPyTorch, ...here] = answers.map((text) =>
      /^class (\d), ([01]\.\d{6})$/.exec(text)!.slice(1).map(Number),
    );
    expect(here.length).toBe(2);
    for (const [best, probability] of here) {
      expect(best).toBe(inPyTorch[0]);
      expect(probability).toBeCloseTo(inPyTorch[1], 5);
    }
  }
  const differences = /^largest difference of a probability: (\S+), as cholesky (\S+)$/.exec(last)!.slice(1);
  for (const difference of differences) expect(Number(difference)).toBeLessThan(1e-5);
});
