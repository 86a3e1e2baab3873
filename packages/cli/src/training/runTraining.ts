import { chooseReporter } from '../progress/chooseReporter.js';
import { fetchDataSet } from './fetchDataSet.js';
import type { GmmlTrainOptions } from './options.js';
import { train } from './train.js';

/** Trains, on a data set that is fetched first where that is asked for, and reports on standard output. */
export async function runTraining(given: GmmlTrainOptions): Promise<void> {
  const { download, data } = given;
  const reporter = await chooseReporter(given, 'gmml-train');
  try {
    const folder = download === undefined ? data : await fetchDataSet({ ...given, download }, reporter);
    await train({ ...given, data: folder }, reporter);
  } finally {
    reporter.close();
  }
}
