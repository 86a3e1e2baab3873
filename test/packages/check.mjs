/* oxlint-disable no-await-in-loop -- one check after the other */
// What a user of the published packages gets: packs all of them, installs the tarballs with npm in an empty project outside of the
// workspace, and uses them there in every way: node test/packages/check.mjs [folder for the tarballs], after the build. Ends with 1 where
// something fails; the tarballs are left only where nothing does.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const execute = promisify(execFile);

/** Every entry that the manifests export. */
const entries = readdirSync(join(root, 'packages')).flatMap((folder) => {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
  return Object.keys(exports).map((path) => name + path.slice(1));
});

/** What a page can load: neither files nor processes are there. */
const forPages = entries.filter((entry) => !/^@gmml\/(cli|data)|ndarray$/.test(entry));

const program = `
import { GMML, OpenSetClassifier } from '@gmml/gmm';
import { ClassStatistics } from '@gmml/gmm/statistics';
import { gmmlFromTorch } from '@gmml/gmm/torch';
import { Adam, nllLoss } from '@gmml/nn';
import { Generator, randn, tensor } from '@gmml/tensor';

const generator = new Generator(1);
const layer = new GMML(4, 4, 2, { generator });
const optimizer = new Adam(layer.parameters(), { lr: 0.1 });
const loss = nllLoss(layer.forward(randn([6, 4], { generator })), tensor([0, 1, 0, 1, 0, 1]));
loss.backward();
optimizer.step();
const classifier = new OpenSetClassifier({ features: 1 });
classifier.addExamples('low', [[0], [1]]);
classifier.addExamples('high', [[9], [10]]);
console.log(loss.item().toFixed(6), classifier.predict([9.5]).label, typeof ClassStatistics, typeof gmmlFromTorch);
`;

const page = `${program}
import { useBackend } from '@gmml/tensor';
await useBackend('auto', { threads: 2 });
`;

const folder = mkdtempSync(join(tmpdir(), 'gmml-packages-'));
const [kept] = process.argv.slice(2);
let failed = 0;
try {
  await main();
  if (failed === 0 && kept !== undefined) keepTarballs(resolve(kept));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(failed === 0 ? 'packages: all checks passed' : `packages: ${failed} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function main() {
  await check('pack, and install the tarballs in an empty project', async () => {
    const pnpm = ['exec', '--yes', '--loglevel=error', `--package=${packageManager}`, '--', 'pnpm'];
    await run(
      'npm',
      [...pnpm, '-r', '--filter', './packages/*', 'pack', '--pack-destination', folder],
      root,
      kept === undefined ? withOrigin('https://git.example/gmml.git') : {},
    );
    const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    put('package.json', JSON.stringify({ name: 'user', private: true, type: 'module' }));
    await run('npm', [
      'install',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '@types/node@20',
      ...tarballs.map((name) => `./${name}`),
    ]);
  });
  if (failed > 0) return;

  await check('nothing but builds, sources and documents is in them', () => {
    const scope = join(folder, 'node_modules/@gmml');
    const stray = readdirSync(scope, { recursive: true }).filter((name) => name.endsWith('.tsbuildinfo'));
    same(stray.join(), '');
    for (const name of readdirSync(scope)) {
      const found = readdirSync(join(scope, name)).filter((file) => file !== 'node_modules');
      same(found.toSorted().join(), 'LICENSE,README.md,dist,package.json,src');
    }
  });
  await check('the manifests name the repository, which they have of the origin of the clone', () => {
    const scope = join(folder, 'node_modules/@gmml');
    for (const name of readdirSync(scope)) {
      const { repository } = JSON.parse(readFileSync(join(scope, name, 'package.json'), 'utf8'));
      if (repository === undefined) throw new Error('the origin of this clone has no address on the net');
      same(repository.directory, `packages/${name}`);
    }
  });
  put('program.js', program);
  const expected = await run(process.execPath, ['program.js']);
  await check('import of every entry', async () => {
    put('imports.js', entries.map((entry) => `await import('${entry}');`).join('\n'));
    await run(process.execPath, ['imports.js']);
  });
  await check('require() of every entry', async () => {
    put('requires.cjs', entries.map((entry) => `require('${entry}');`).join('\n'));
    await run(process.execPath, ['--disable-warning=ExperimentalWarning', 'requires.cjs']);
  });
  await check('the commands', async () => {
    for (const command of ['gmml', 'gmml-train']) {
      const { version } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8'));
      same(await run(join(folder, 'node_modules/.bin', command), ['--version']), `${version}\n`);
    }
  });
  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    await check(`TypeScript with moduleResolution ${moduleResolution}`, async () => {
      put(
        'program.ts',
        program + entries.map((entry, i) => `export * as entry${i} from '${entry}';`).join('\n'),
      );
      const options = {
        module,
        moduleResolution,
        target: 'es2022',
        strict: true,
        noEmit: true,
        types: ['node'],
        lib: ['es2023', 'dom'],
      };
      put('tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['program.ts'] }));
      await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.']);
    });
  }
  await check('esbuild, for a page', async () => {
    const { build } = await import('esbuild');
    await build({
      stdin: {
        contents: program + forPages.map((entry) => `import '${entry}';`).join('\n'),
        resolveDir: folder,
      },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      outfile: join(folder, 'bundle.mjs'),
      logLevel: 'error',
    });
    same(await run(process.execPath, ['bundle.mjs']), expected);
  });
  await check("Vite, for a page: every entry, and the script of the kernels' threads", async () => {
    const { build } = await import('vite');
    put('page.js', page + forPages.map((entry) => `import '${entry}';`).join('\n'));
    put('index.html', '<!doctype html><script type="module" src="./page.js"></script>');
    const outDir = join(folder, 'site');
    await build({
      configFile: false,
      root: folder,
      logLevel: 'error',
      worker: { format: 'es' },
      build: { outDir, target: 'es2022' },
    });
    const assets = readdirSync(join(outDir, 'assets'));
    const scripts = assets.map((name) => readFileSync(join(outDir, 'assets', name), 'utf8'));
    const thread = assets.find((name) => /^gmmlThread-.*\.js$/.test(name));
    if (thread === undefined || !scripts.some((script) => script.includes(thread))) {
      throw new Error(`no script refers to a gmmlThread: there are ${assets.join(', ')}`);
    }
  });
}

function keepTarballs(place) {
  mkdirSync(place, { recursive: true });
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.tgz'))) {
    cpSync(join(folder, name), join(place, name));
  }
  console.log(`tarballs: ${place}`);
}

async function check(name, work) {
  try {
    await work();
    console.log(`passed: ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED: ${name}\n${error.stdout ?? ''}${error.stderr ?? ''}${error.message}`);
  }
}

/** Runs a program in the user's project; gives what it wrote on standard output. */
async function run(command, args, cwd = folder, env = {}) {
  const { stdout, stderr } = await execute(command, args, { cwd, env: { ...process.env, ...env } });
  if (cwd === folder && command === process.execPath && stderr !== '') throw new Error(`it wrote: ${stderr}`);
  return stdout;
}

/** Variables with which git sees another origin. */
function withOrigin(url) {
  return { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'remote.origin.url', GIT_CONFIG_VALUE_0: url };
}

function put(name, text) {
  writeFileSync(join(folder, name), text);
}

function same(actual, expected) {
  if (actual !== expected)
    throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
}
