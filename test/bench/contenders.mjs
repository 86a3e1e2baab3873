// Who is measured: gmml under each Node, and the peers that are found.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asideFromOutput, runNpm } from '../../scripts/process.mjs';
import { FITS, MEASUREMENTS, NETWORK } from './measurements.mjs';

const folder = dirname(fileURLToPath(import.meta.url));

/** What `--contenders` takes. */
export const KEYS = [
  'gmml',
  'pytorch-original',
  'pytorch-trace',
  'pytorch-cholesky',
  'sklearn-qda',
  'sklearn-mixture',
  'tfjs',
  'jax',
];

/**
 * @typedef {object} Contender a program on a number of threads
 * @property {string} key as `--contenders` calls it
 * @property {string} name
 * @property {number} threads
 * @property {string} command
 * @property {readonly string[]} args
 * @property {Record<string, string>} env added to this process's environment
 * @property {ReadonlySet<string>} measures names of what it can measure
 * @property {string} [note] what a reader of its numbers must know
 */

/** @typedef {{ name: string, reason: string }} Skipped */

const everything = new Set(MEASUREMENTS.map(({ name }) => name));
const noFits = new Set([...everything].filter((name) => !FITS.has(name)));
const noFactors = new Set([...noFits].filter((name) => !/^(?:solve|cholesky)/.test(name)));

/**
 * The contenders that were asked for and are here, and by name those that are not.
 * @param {{ keys: readonly string[], threads: readonly number[], nodes: readonly string[], python?: string }} options
 * @returns {Promise<{ contenders: Contender[], skipped: Skipped[] }>}
 */
export async function findContenders({ keys, threads, nodes, python }) {
  const found = [
    ...ours(threads, nodes),
    ...pytorch(keys, threads, python),
    ...scikitLearn(keys, threads, python),
    ...(await inJavaScript(keys, threads)),
  ].filter(({ key }) => keys.includes(key));
  return {
    contenders: found.filter(({ reason }) => reason === undefined),
    skipped: found.filter(({ reason }) => reason !== undefined),
  };
}

function ours(threads, nodes) {
  const programs = [
    { name: 'gmml', command: process.execPath },
    ...nodes.map((command) => {
      const version = versionOf(command);
      return { command, ...(version ? { name: `gmml (Node ${version})` } : unusable(command)) };
    }),
  ];
  return programs.flatMap((program) =>
    program.reason === undefined
      ? threads.map((count) => node({ ...program, key: 'gmml' }, 'gmml.mjs', count))
      : [{ ...program, key: 'gmml' }],
  );
}

function unusable(command) {
  return { name: `gmml under ${command}`, reason: 'no Node answers there' };
}

function node(program, script, threads, options = []) {
  const args = [join(folder, 'contenders', script), '--threads', String(threads), ...options];
  return { command: process.execPath, env: {}, measures: everything, ...program, args, threads };
}

function pytorch(keys, threads, python) {
  const heads = [
    { key: 'pytorch-original', name: 'PyTorch original', head: 'original', measures: NETWORK },
    { key: 'pytorch-trace', name: 'PyTorch trace', head: 'trace', measures: NETWORK },
    {
      key: 'pytorch-cholesky',
      name: 'PyTorch cholesky head',
      head: 'cholesky',
      measures: noFits,
      note: 'PyTorch: kernels are the same for every head and measured once; OpenBLAS has one thread but in matmul.',
    },
  ];
  if (!heads.some(({ key }) => keys.includes(key))) return [];
  const candidates = pythons(python);
  const command = candidates.find((candidate) => succeeds(candidate, ['-c', 'import torch']));
  const reason =
    command === undefined
      ? `none of ${candidates.join(', ')} can import torch (Debian: apt-get install python3-torch libopenblas0-pthread)`
      : undefined;
  const script = join(folder, 'contenders', 'pytorch.py');
  return heads.flatMap(({ head, ...names }) =>
    reason === undefined
      ? threads.map((count) => {
          // Threads of PyTorch and of OpenBLAS would fight; and a thread that spins for long loses to any other program.
          const env = {
            OPENBLAS_NUM_THREADS: '1',
            OMP_NUM_THREADS: String(count),
            GOMP_SPINCOUNT: '1000',
          };
          const args = [script, '--threads', String(count), '--head', head];
          return { ...names, command, args, env, threads: count };
        })
      : [{ ...names, reason }],
  );
}

function scikitLearn(keys, threads, python) {
  const models = [
    {
      key: 'sklearn-qda',
      name: 'scikit-learn QDA',
      model: 'qda',
      measures: new Set(['fit']),
      note: 'scikit-learn QDA: store_covariance=True, and nothing is shrunk.',
    },
    {
      key: 'sklearn-mixture',
      name: 'scikit-learn GaussianMixture',
      model: 'mixture',
      measures: FITS,
      note: 'scikit-learn GaussianMixture: as a fit of classes one component for each class, and nothing is shrunk.',
    },
  ].filter(({ key }) => keys.includes(key));
  if (models.length === 0) return [];
  const candidates = pythons(python);
  const command = candidates.find((candidate) => succeeds(candidate, ['-c', 'import sklearn']));
  const reason =
    command === undefined
      ? `none of ${candidates.join(', ')} can import sklearn (Debian: apt-get install python3-sklearn)`
      : undefined;
  const script = join(folder, 'contenders', 'scikit_learn.py');
  return models.flatMap(({ model, ...names }) =>
    reason === undefined
      ? threads.map((count) => {
          const env = { OPENBLAS_NUM_THREADS: String(count), OMP_NUM_THREADS: String(count) };
          const args = [script, '--threads', String(count), '--model', model];
          return { ...names, command, args, env, threads: count };
        })
      : [{ ...names, reason }],
  );
}

async function inJavaScript(keys, threads) {
  const peers = [
    {
      key: 'tfjs',
      name: 'tfjs-wasm',
      script: 'tfjs.mjs',
      measures: noFactors,
      options: [],
      note: 'tfjs-wasm: one thread in Node; dW by a convolution of our own; a head that whitens by a product, for want of a solve.',
    },
    {
      key: 'jax',
      name: 'jax-js',
      script: 'jax.mjs',
      measures: noFits,
      // A step takes seconds: one compiles, one warms up, one is timed.
      options: ['--warmup', '0', '--seconds', '0.1'],
      note: 'jax-js: one thread in Node; a head that whitens by a product, for its jit does not compile the gradient of its solve.',
    },
  ].filter(({ key }) => keys.includes(key));
  if (peers.length === 0) return [];
  const reason = threads.includes(1)
    ? await installPeers()
    : 'it runs on one thread in Node, and --threads lacks 1';
  return peers.map(({ script, options, ...peer }) =>
    reason === undefined ? node(peer, script, 1, options) : { ...peer, reason },
  );
}

/** Installs the peers that package.json pins, into this folder, unless they are there; resolves to why it could not. */
export async function installPeers() {
  if (installed()) return undefined;
  console.error(
    'Installing tfjs-wasm and jax-js into test/bench/node_modules with npm ci (first run only) …',
  );
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const exitCode = await runNpm(args, { cwd: folder, stdio: asideFromOutput });
  return exitCode === 0 && installed() ? undefined : `npm ci failed in test/bench (exit code ${exitCode})`;
}

function installed() {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.entries(dependencies).every(([name, version]) => {
    const manifest = join(folder, 'node_modules', name, 'package.json');
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version;
  });
}

function pythons(python) {
  return python === undefined ? ['/usr/bin/python3', 'python3', 'python'] : [python];
}

function versionOf(command) {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return status === 0 && /^v\d/.test(stdout) ? stdout.trim().slice(1) : undefined;
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 60_000 }).status === 0;
}
