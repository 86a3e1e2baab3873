/* oxlint-disable no-await-in-loop -- one Node after the other, so that each has the machine to itself */
// Builds and tests with each Node that is supported and the newest: npm run test:matrix [-- --node 22,24] [arguments of vitest]. npm's
// package `node` brings them into a temporary folder. The browser's tests are left out: no Node runs in them.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { asideFromOutput, root, runNpm, runProgram, toolScript } from './process.mjs';

const PROJECTS = ['reference', 'wasm'];

const [first, versions, ...others] = process.argv.slice(2);
if (first === '--node' && versions === undefined) {
  console.error('matrix: --node takes versions, as in --node 22,24.');
  process.exit(2);
}
const wanted = first === '--node' ? versions.split(',') : ['20', '22', '24', 'latest'];
const vitestArguments = first === '--node' ? others : process.argv.slice(2);

const folder = mkdtempSync(join(tmpdir(), 'gmml-matrix-'));
try {
  const rows = [];
  for (const version of wanted) rows.push(await tryVersion(version));
  console.table(rows);
  process.exitCode = rows.every(({ build, tests }) => build === 'passed' && tests === 'passed') ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function tryVersion(version) {
  const place = join(folder, version);
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const installed = await runNpm(['install', `--prefix=${place}`, ...quiet, `node@${version}`], {
    stdio: asideFromOutput,
  });
  if (installed !== 0) return { node: version, build: 'not installed', tests: 'not run' };
  const bin = join(place, 'node_modules', 'node', 'bin');
  // Programs that tests start find it too.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const node = join(bin, process.platform === 'win32' ? 'node.exe' : 'node');
  const start = performance.now();
  const built = await runProgram(node, [toolScript('typescript'), '-b', root], { env });
  const counts = join(folder, `${version}.json`);
  const projects = PROJECTS.flatMap((name) => ['--project', name]);
  const reporters = ['--reporter=dot', '--reporter=./scripts/countsReporter.mjs'];
  const tested = await runProgram(
    node,
    [toolScript('vitest'), 'run', ...projects, ...reporters, ...vitestArguments],
    { env: { ...env, GMML_TEST_COUNTS: counts, NO_COLOR: '1' } },
  );
  // There are no counts where vitest did not start.
  const { passed, failed, skipped } = existsSync(counts)
    ? JSON.parse(readFileSync(counts, 'utf8'))
    : { passed: 0, failed: 0, skipped: [] };
  return {
    node: JSON.parse(readFileSync(join(place, 'node_modules', 'node', 'package.json'), 'utf8')).version,
    build: built === 0 ? 'passed' : 'failed',
    tests: tested === 0 ? 'passed' : 'failed',
    passed,
    failed,
    skipped: skipped.length,
    seconds: Math.round((performance.now() - start) / 1000),
  };
}
