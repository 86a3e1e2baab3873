// The programs of the repository itself: what they say to arguments that do not fit.
import { expect, test } from 'vitest';
import { runBuilt } from './cli/process.js';

test.each([
  ['scripts/gmml.mjs', ['fly'], /^Usage: node scripts\/gmml\.mjs <command>\n/],
  ['scripts/matrix.mjs', ['--node'], /^matrix: --node takes versions, as in --node 22,24\.\n$/],
  ['test/soak/fuzz.mjs', ['many'], /^fuzz: files must be an integer of at least 1: it is many\.\n$/],
  ['test/soak/fuzz.mjs', ['10', '-1'], /^fuzz: seed must be an integer of at least 1: it is -1\.\n$/],
  ['test/soak/kills.mjs', ['0'], /^kills: kills must be an integer of at least 1: it is 0\.\n$/],
  ['test/bench/bench.mjs', ['--rounds', '0'], /^--rounds: must be an integer of at least 1: it is 0\.\n/],
])('%s %j ends with 2 and a line that says why', async (program, args, said) => {
  const { code, stdout, stderr } = await runBuilt(program, args);
  expect(stderr).toMatch(said);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
