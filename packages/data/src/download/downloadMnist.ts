import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ArgumentError } from '@gmml/tensor';
import { cacheFolder } from '../cacheFolder.js';
import { dataSets, type DataSet, type MnistName, type RemoteFile } from './dataSets.js';
import { DownloadError } from './errors.js';
import { fetchFile } from './fetchFile.js';
import { flawOf } from './partFile.js';
import { makeFolder } from '../makeFolder.js';
import { systemReason } from '../systemErrors.js';

/** A file as it comes in. */
export interface DownloadProgress {
  /** Its name, as in 'train-images-idx3-ubyte.gz'. */
  file: string;
  /** Bytes that are there, with those of an earlier run. */
  received: number;
  /** Bytes of the whole file. */
  size: number;
  /** Where it comes from. */
  host: string;
}

/** Options of `downloadMnist`. */
export interface DownloadOptions {
  /** Folder for the files, made where it is missing. Default: one of the data set's name in `cacheFolder()`. */
  folder?: string;
  /** URL of a folder with the files, http or https. Default: the data set's public mirrors, one after the other. */
  mirror?: string;
  /** Hears how a file comes in; never of a file that is there already. Default: nobody does. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Hears, in a sentence, of what goes wrong on the way and is tried again. Default: nobody does. */
  onTrouble?: (message: string) => void;
  /** Ends it, throwing the signal's reason; what has come is kept. Default: nothing does. */
  signal?: AbortSignal;
}

/**
 * Fetches the four IDX files of MNIST or Fashion-MNIST over HTTPS, gzipped as they are, for `loadMnist`; gives the folder
 * that has them. Each file is held to the size and the SHA-256 that published code states (`dataSets.ts` says which); one that
 * is there and right is not fetched again. A file has its name only when it is whole, and what came of one is gone on with
 * in a later call. Redirects are followed, but not from HTTPS to HTTP; a server that stalls, breaks off or is overloaded is
 * asked again after a while, and then the next mirror.
 *
 * @throws ArgumentError when there is no folder for them, a file that was there in the given folder is not the data set's, or
 *   `mirror` is no URL
 * @throws DownloadError when a file cannot be had from any mirror, or cannot be written
 * @example
 * const source = await downloadMnist('fashion-mnist', { folder: 'fashion' });
 * loadMnist({ source }).train.images.shape; // [60000, 1, 28, 28]
 */
export async function downloadMnist(name: MnistName, options: DownloadOptions = {}): Promise<string> {
  const folder = options.folder ?? defaultFolder(name);
  await fetchDataSet(dataSets[name], folder, { ...options, replace: options.folder === undefined });
  return folder;
}

export interface FetchDataSetOptions extends Omit<DownloadOptions, 'folder'> {
  /** Fetch a file anew that is there and not right; an error where it is false, for it may be somebody's. */
  replace: boolean;
  /** Milliseconds without a byte after which a server counts as stalled. Default 30,000. */
  idle?: number;
  /** Milliseconds before a second try. Default 500. */
  firstDelay?: number;
}

/** `downloadMnist` for files of any digest. */
export async function fetchDataSet(
  { files, mirrors: publicMirrors }: DataSet,
  folder: string,
  { mirror, replace, onProgress, onTrouble, signal, idle = 30_000, firstDelay = 500 }: FetchDataSetOptions,
): Promise<void> {
  const mirrors = (mirror === undefined ? publicMirrors : [mirror]).map(mirrorUrl);
  openFolder(folder);
  const flaws = await Promise.all(files.map((file) => flawOf(join(folder, file.name), file).catch(missing)));
  const missingFiles = files.filter((file, i) => {
    const flaw = flaws[i];
    if (flaw === undefined || flaw === MISSING || replace) return flaw !== undefined;
    throw new ArgumentError(
      `${join(folder, file.name)} must be a file of the data set: ${flaw}. Move it away, or give another folder.`,
    );
  });
  for (const file of missingFiles) {
    const { name, size } = file;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one file at a time, so that its progress can be told
      await fetchFile(file, folder, {
        mirrors,
        onProgress: (received, host) => onProgress?.({ file: name, received, size, host }),
        onTrouble: (message) => onTrouble?.(message),
        signal,
        idle,
        firstDelay,
      });
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      throw new DownloadError(
        `${error.message} Try again, which goes on where this ended, or put ${wanted(missingFiles)} into ${folder} yourself.`,
        { cause: error },
      );
    }
  }
  await Promise.all(files.map(({ name }) => checkUnpacked(join(folder, name))));
}

/** 'a, b and c' */
function wanted(files: readonly RemoteFile[]): string {
  const names = files.map(({ name }) => name);
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

const MISSING = 'it is missing';

function missing(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? MISSING : `it cannot be read (${systemReason(error)})`;
}

function defaultFolder(name: MnistName): string {
  const cache = cacheFolder();
  if (cache !== undefined) return join(cache, name);
  throw new ArgumentError(
    'there must be a folder for the files: the cache is switched off by GMML_CACHE_DIR. Give one (gmml-train: --data).',
  );
}

function mirrorUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ['http:', 'https:'].includes(url.protocol)) return url;
  throw new ArgumentError(`the mirror must be a URL with http or https: it is '${text}'.`);
}

function openFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its place' : systemReason(error);
    throw new ArgumentError(`${folder} must be a folder that can be written: ${reason}.`, { cause: error });
  }
}

/** An unpacked file is what `loadMnist` takes where there are both: it must not be another data set's. */
async function checkUnpacked(packed: string): Promise<void> {
  const unpacked = packed.replace(/\.gz$/, '');
  const isThere = await access(unpacked).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  const bytes = await readFile(unpacked).catch((error: unknown) => {
    throw new ArgumentError(
      `${unpacked} must be a readable file, for it is read in the place of ${packed}: ${systemReason(error)}.`,
      { cause: error },
    );
  });
  if (gunzipSync(await readFile(packed)).equals(bytes)) return;
  throw new ArgumentError(
    `${unpacked} must be what ${packed} unpacks to, for it is read in its place: it differs. Move it away, or give another folder.`,
  );
}
