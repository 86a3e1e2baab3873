// The tests: a type check of everything, vitest, and at the end one line with the counts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { runNode, toolScript } from './process.mjs';

/** Builds, runs vitest even where the type check failed, and reports both; resolves to an exit code. */
export async function test(args) {
  const built = await build('.');
  console.error('Testing …');
  const folder = mkdtempSync(join(tmpdir(), 'gmml-test-'));
  const countsFile = join(folder, 'counts.json');
  try {
    const tested = await runVitest(args, countsFile);
    const { passed, failed, skipped } = readCounts(countsFile);
    // With arguments, every test that they leave out would be listed.
    if (args.length === 0) for (const name of skipped) console.log(`skipped: ${name}`);
    if (built !== 0) console.log('The type check failed; its errors stand above the tests.');
    if (tested !== 0 && failed === 0)
      console.log(`vitest ended with exit code ${tested} outside any test; see above.`);
    console.log(
      `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
    );
    return built || tested;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runVitest(args, countsFile) {
  const reporters = ['--reporter=./scripts/countsReporter.mjs'];
  if (!args.some((argument) => argument.startsWith('--reporter'))) reporters.unshift('--reporter=default');
  const env = { ...process.env, GMML_TEST_COUNTS: countsFile };
  // vitest colours its output even where nobody looks at a terminal.
  if (!process.stdout.isTTY && !('FORCE_COLOR' in env)) env.NO_COLOR = '1';
  return runNode(toolScript('vitest'), ['run', ...reporters, ...args], { env });
}

/** Where vitest could not start or was killed, there are no counts, and nothing is known to have passed. */
function readCounts(countsFile) {
  try {
    return JSON.parse(readFileSync(countsFile, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: [] };
  }
}
