import { downloadMnist, type MnistName } from '@gmml/data';
import { asUsageError } from '../errors.js';
import type { Reporter } from '../progress/reporter.js';

export interface FetchOptions {
  /** The data set to fetch. */
  download: MnistName;
  /** URL of the folder that has its files. Default: its public mirrors, one after the other. */
  mirror?: string;
  /** Folder for the files. Default: one in the user's cache folder. */
  data?: string;
}

/**
 * Fetches what is missing of a data set, and tells `reporter` as it comes in. Gives the folder that has it.
 *
 * @throws UsageError when there is no folder for it, or the one given holds other files of the same names
 * @throws DownloadError when a file cannot be had, or is not what it must be
 */
export async function fetchDataSet(
  { download, mirror, data }: FetchOptions,
  reporter: Reporter,
): Promise<string> {
  const fetched = downloadMnist(download, {
    folder: data,
    mirror,
    onProgress: (progress) => reporter.download(progress),
    onTrouble: (message) => reporter.warn(message),
  });
  return fetched.catch(asUsageError(`--download ${download}`));
}
