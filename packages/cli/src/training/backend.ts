import { backendReport, useBackend } from '@gmml/tensor';
import { asUsageError } from '../errors.js';
import type { Reporter } from '../progress/reporter.js';
import { count } from '../formatting.js';
import type { TrainOptions } from './settings.js';

/** Selects the backend and warns when it is less than asked for. 'auto' takes what there is. */
export async function selectBackend(
  { backend, threads }: TrainOptions,
  reporter: Reporter,
): Promise<{ backend: string; threads: number }> {
  const chosen = await useBackend(backend, { threads }).catch(asUsageError('--backend'));
  const fewerThreads = threads !== 'auto' && chosen.threads < threads;
  if (fewerThreads || (backend !== 'auto' && chosen.backend !== backend)) {
    const asked =
      threads === 'auto' ? `backend ${backend}` : `backend ${backend}, ${count(threads, 'thread')}`;
    const { notice } = backendReport();
    const because = notice === undefined ? '' : ` (${notice})`;
    reporter.warn(
      `asked for ${asked}: running on backend ${chosen.backend}, ${count(chosen.threads, 'thread')}${because}.`,
    );
  }
  return chosen;
}

/** Says so when there are fewer threads than before; gives how many there are. */
export function warnOfLostThreads(before: number, reporter: Reporter): number {
  const { threads, notice } = backendReport();
  if (threads < before && notice !== undefined) reporter.warn(`${notice}.`);
  return threads;
}
