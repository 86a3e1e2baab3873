import { expect, test } from 'vitest';
import { runBuilt } from '../cli/process.js';

test('5,000 mutated files bring typed errors of one line, within a second and a multiple of their size', async () => {
  const { code, stdout, stderr } = await runBuilt('test/soak/fuzz.mjs', ['5000', '7']);
  expect(stderr).toBe('');
  expect(stdout).toMatch(
    /5000 mutated files, seed 7: 0 problems, [\d.]+ s, \d+ MB resident at its peak\.\n$/,
  );
  expect(code).toBe(0);
});
