// examples/distributed on a cluster of its own: Dask's scheduler and two workers, processes that talk over TCP. One worker is
// killed in the middle of a task.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OpenSetClassifier } from '@gmml/gmm';
import { ClassStatistics, mixtureFromSafetensors, mixtureToSafetensors } from '@gmml/gmm/statistics';
import { parseSafetensors } from '@gmml/nn';
import { expect, onTestFinished, test } from 'vitest';
import { gmml } from '../cli/process.js';
import { temporaryFolder } from '../data/idxFiles.js';
import { npyBytes, npyRows } from '../data/npyFiles.js';
import { blobs } from '../gmm/samples.js';

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

const python = ['python3', '/usr/bin/python3'].find(
  (program) => spawnSync(program, ['-c', 'import distributed, numpy']).status === 0,
);

const driver = fileURLToPath(new URL('../../examples/distributed/driver.py', import.meta.url));
const program = fileURLToPath(new URL('../../packages/cli/dist/gmml.js', import.meta.url));

interface Ended {
  code: number | null;
  stderr: string;
}

function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(python!, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stderr })));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, ended };
}

/** The address of a scheduler, and its workers, which have what `env` says in their environment. */
async function startCluster(
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<{ address: string; workers: ChildProcess[] }> {
  const file = join(folder, 'scheduler.json');
  const scheduler = start(
    `-m distributed.cli.dask_scheduler --host 127.0.0.1 --port 0 --no-dashboard --scheduler-file ${file}`.split(
      ' ',
    ),
  );
  let address = '';
  while (address === '') {
    // oxlint-disable-next-line no-await-in-loop -- waits for a file
    await Promise.race([
      sleep(50),
      scheduler.ended.then(({ stderr }) => {
        throw new Error(`the scheduler ended: ${stderr}`);
      }),
    ]);
    if (existsSync(file))
      ({ address } = JSON.parse(readFileSync(file, 'utf8') || '{"address":""}') as { address: string });
  }
  const options = ['--no-nanny', '--nthreads', '1', '--no-dashboard', '--local-directory', folder];
  const workers = [0, 1].map(
    () => start(['-m', 'distributed.cli.dask_worker', address, ...options], env).child,
  );
  return { address, workers };
}

/** A program that runs gmml, and takes the worker that started it along once, in the middle of the last shard of an E-step. */
function fatalGmml(folder: string): string {
  const path = join(folder, 'gmml.sh');
  const isChosen = `case "$*" in *x-4.npy\\ --model*) mkdir "${folder}/killed" 2>/dev/null;; *) false;; esac`;
  writeFileSync(
    path,
    `#!/bin/sh\nif ${isChosen}; then kill -9 $PPID; fi\nexec "${process.execPath}" "${program}" "$@"\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

test(
  'a closed form and EM on Dask are the fits of all rows, though a worker dies',
  { timeout: LONG },
  async (context) => {
    context.skip(python === undefined, 'no python3 with dask.distributed (Debian: python3-distributed)');
    const folder = temporaryFolder();
    const shape = { seed: 8, rows: 1000, features: 3, components: 16, apart: 12 };
    const { x, labels } = blobs(shape);
    const shards = [0, 1, 2, 3, 4].map((i) => {
      const [from, to] = [i * 200, (i + 1) * 200];
      const [rows, kinds] = ['x', 'y'].map((letter) => join(folder, `${letter}-${i}.npy`));
      writeFileSync(rows, npyRows(Float64Array.from(x.slice(from, to).flat()), 3));
      writeFileSync(kinds, npyBytes("'<i4'", [200], Int32Array.from(labels.slice(from, to))));
      return rows;
    });
    const env = { GMML: fatalGmml(folder) };
    const { address, workers } = await startCluster(folder, env);
    const drive = async (...args: string[]): Promise<Buffer> => {
      const output = join(folder, 'model.safetensors');
      const { code, stderr } = await start([driver, address, output, ...args, ...shards], env).ended;
      expect(code, stderr).toBe(0);
      return readFileSync(output);
    };

    const closedForm = await drive('--labels');
    const statistics = new ClassStatistics({ features: 3 });
    statistics.add(x, labels);
    expect(OpenSetClassifier.fromSafetensors(closedForm).counts).toEqual(statistics.counts);
    expectSame(closedForm, statistics.toOpenSetClassifier().toSafetensors());

    expect(readdirSync(folder)).not.toContain('killed');
    const mixture = await drive('--components', '16');
    expect(readdirSync(folder)).toContain('killed');
    expect(workers.filter(({ signalCode }) => signalCode === 'SIGKILL').length).toBe(1);
    const first = await gmml(['init', shards[0], '--components', '16']);
    const single = mixtureFromSafetensors(first.stdout, { warmStart: true }).fit(x);
    expect(single.iterations).toBeGreaterThan(2);
    expect(parseSafetensors(mixture).metadata).toMatchObject({
      rows: '1000',
      iterations: String(single.iterations),
      converged: 'true',
    });
    expectSame(mixture, mixtureToSafetensors(single));
  },
);

function expectSame(a: Uint8Array, b: Uint8Array): void {
  const [left, right] = [parseSafetensors(a).tensors, parseSafetensors(b).tensors];
  expect(Object.keys(left)).toEqual(Object.keys(right));
  for (const [name, values] of Object.entries(left)) {
    expect(values, name).toBeAllClose(right[name], { rtol: 1e-9, atol: 1e-9 });
  }
}
