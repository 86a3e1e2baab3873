/* oxlint-disable no-await-in-loop -- iterations follow one another */
import { mixtureFromSafetensors, mixtureToSafetensors } from '../mixture/mixtureFile.js';
import { backendReport, GmmlError, NumericalError, tensor } from '@gmml/tensor';
import { checkInteger } from '@gmml/tensor/checks';
import { GaussianMixture } from '../mixture/gaussianMixture.js';
import type { GaussianMixtureOptions } from '../mixture/options.js';
import { checkRows, readRows, type Matrix, type Rows } from '../mixture/rows.js';
import { EMStatistics } from './emStatistics.js';
import { startThread, type Thread } from './threads.js';
import type { WorkerPart } from './fitWorker.js';

/** Options of `fit`. */
export interface ParallelFitOptions extends Omit<GaussianMixtureOptions, 'warmStart'> {
  /** Threads that the rows are divided among, at most one a row; default 2. */
  readonly workers?: number;
}

const OP = 'fit';

/**
 * `new GaussianMixture(options).fit(x)` with the E-steps on several threads, worker threads in Node and Workers in a page: each
 * keeps a part of the rows x [N, D], and in an iteration only mixtures and statistics go to and fro. The same start,
 * iterations and result up to rounding, while the calling thread, which makes the start, is free for other work.
 * @throws as `fit` does; ArgumentError for workers that are no positive integer, `missing: 'marginalize'` and shrinkage by
 *   'ledoitWolf'; NumericalError when a thread fails; GmmlError when one cannot be started
 */
export async function fit(
  x: Rows,
  { workers = 2, ...options }: ParallelFitOptions = {},
): Promise<GaussianMixture> {
  checkInteger(OP, 'workers', workers, 1);
  const { restarts = 1, init = 'kmeans', maxIterations = 100 } = options;
  const starter = new GaussianMixture({ ...options, maxIterations: 0, restarts: 1 });
  const matrix = readRows(OP, x);
  checkRows(OP, matrix, false, 'Leave such rows out, or fill them in.');
  const all = tensor(matrix.data, { shape: [matrix.rows, matrix.columns] });
  const starts = typeof init === 'string' ? restarts : 1;
  const threads: Thread[] = [];
  let best: GaussianMixture | null = null;
  let failure: NumericalError | null = null;
  try {
    for (let restart = 0; restart < starts; restart++) {
      try {
        const start = mixtureFromSafetensors(mixtureToSafetensors(starter.fit(all)), {
          restarts,
          maxIterations,
          generator: options.generator,
        });
        const empty = new EMStatistics(start);
        if (threads.length === 0) startAll(threads, partsOf(matrix, workers));
        const last = await iterated(start, empty, threads, maxIterations, options.generator);
        if (!best || last.lowerBound > best.lowerBound) best = last;
      } catch (error) {
        if (!(error instanceof NumericalError)) throw error;
        failure ??= error;
      }
    }
  } finally {
    for (const thread of threads) thread.end();
  }
  if (!best) throw failure!;
  return best;
}

/** Starts a thread for each part. Those before one that cannot be started are in `threads`, to be ended. @throws GmmlError */
function startAll(threads: Thread[], parts: readonly WorkerPart[]): void {
  try {
    for (const part of parts) threads.push(startThread(part));
  } catch (error) {
    throw new GmmlError(`${OP}: a thread could not be started: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

/** EM from a start, as `GaussianMixture.fit` ends it. */
async function iterated(
  start: GaussianMixture,
  empty: EMStatistics,
  threads: readonly Thread[],
  maxIterations: number,
  generator: GaussianMixtureOptions['generator'],
): Promise<GaussianMixture> {
  let mixture = start;
  let statistics = empty;
  for (let iteration = 0; iteration < maxIterations && !mixture.converged; iteration++) {
    if (iteration > 0) statistics = new EMStatistics(mixture);
    const bytes = mixtureToSafetensors(mixture);
    // All of them, so that none answers a question that is no longer asked.
    const answers = await Promise.allSettled(threads.map((thread) => thread.ask(bytes)));
    for (const answer of answers) {
      if (answer.status === 'rejected')
        throw new NumericalError(`${OP}: ${(answer.reason as Error).message}.`);
      if ('error' in answer.value) throw new NumericalError(`${OP}: in a thread: ${answer.value.error}`);
      statistics.merge(EMStatistics.fromSafetensors(answer.value));
    }
    mixture = statistics.toGaussianMixture();
  }
  return generator ? mixtureFromSafetensors(mixtureToSafetensors(mixture), { generator }) : mixture;
}

/** The rows in parts of about the same size. */
function partsOf({ data, rows, columns }: Matrix, workers: number): WorkerPart[] {
  const parts = Math.min(workers, rows);
  const backend = backendReport().backend as WorkerPart['backend'];
  return Array.from({ length: parts }, (_, i) => {
    const [from, to] = [i, i + 1].map((at) => Math.floor((at * rows) / parts) * columns);
    return { rows: data.slice(from, to), features: columns, backend };
  });
}
