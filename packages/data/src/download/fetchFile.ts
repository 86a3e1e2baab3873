import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { RemoteFile } from './dataSets.js';
import { DownloadError, MirrorError, PassingError } from './errors.js';
import { flawOf, PartFile } from './partFile.js';
import { get, receive } from './request.js';

export interface FetchFileOptions {
  /** Folders with the file, tried one after the other. */
  mirrors: readonly URL[];
  /** Hears how many bytes there are, after each piece. */
  onProgress: (received: number, host: string) => void;
  /** Hears what went wrong and what is done about it. */
  onTrouble: (message: string) => void;
  signal: AbortSignal | undefined;
  /** Milliseconds without a byte after which a server counts as stalled. */
  idle: number;
  /** Milliseconds before the second try; each further one waits twice as long. */
  firstDelay: number;
}

/** Tries in a row that bring no new byte before a mirror is given up. */
const MOST_VAIN_TRIES = 5;
/** Tries of any kind on one mirror: a server that sends a byte a time is of no use either. */
const MOST_TRIES = 100;
/** Milliseconds that are waited for a server, whatever it asks for. */
const LONGEST_DELAY = 60_000;

/**
 * Fetches one file into `folder`. It has its name only once it is there as a whole, its size and digest are right, and it is
 * on the disk. What has come of it is kept from mirror to mirror and from run to run, because the digest says what the bytes must
 * be, wherever they come from; where parts do not fit together, it is fetched once more from its start.
 *
 * @throws DownloadError when no mirror has it, saying why for each, or it cannot be written
 */
export async function fetchFile(file: RemoteFile, folder: string, options: FetchFileOptions): Promise<void> {
  const { mirrors, onTrouble, signal } = options;
  const part = await PartFile.open(folder, file.name);
  try {
    const reasons: string[] = [];
    for (const mirror of mirrors) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- a mirror is asked when those before it have failed
        await fetchFrom(urlOf(mirror, file.name), part, file, options);
        // oxlint-disable-next-line no-await-in-loop -- the loop ends here
        await part.finish(join(folder, file.name));
        if (reasons.length > 0)
          onTrouble(`${file.name} is from ${mirror.host}, because ${reasons.join('; ')}.`);
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof MirrorError)) throw error;
        reasons.push(`${mirror.host} ${error.message}`);
      }
    }
    throw new DownloadError(`${file.name} must come from a mirror: ${reasons.join('; ')}.`);
  } finally {
    part.close();
  }
}

function urlOf(mirror: URL, name: string): URL {
  const url = new URL(mirror);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${name}`;
  return url;
}

/** Fills `part` until it is right. */
async function fetchFrom(
  url: URL,
  part: PartFile,
  file: RemoteFile,
  options: FetchFileOptions,
): Promise<void> {
  const { onTrouble, signal, firstDelay } = options;
  const state: { etag?: string } = {};
  let most = part.size;
  let vain = 0;
  let restarted = false;
  for (let tries = 1; ; tries++) {
    const resumed = part.size > 0;
    let delay = 0;
    try {
      // oxlint-disable-next-line no-await-in-loop -- tries follow one another
      if (part.size !== file.size) await fetchRest(url, part, file, state, options);
      // oxlint-disable-next-line no-await-in-loop
      const flaw = await flawOf(part.path, file);
      if (flaw === undefined) return;
      part.empty();
      if (!resumed || restarted) throw new MirrorError(`sends another file: ${flaw}`);
      [most, restarted] = [0, true];
      onTrouble(`${file.name}: the parts do not fit together. Fetching it from its start.`);
    } catch (error) {
      if (!(error instanceof PassingError)) throw error;
      vain = part.size > most ? 0 : vain + 1;
      most = Math.max(most, part.size);
      if (vain >= MOST_VAIN_TRIES || tries >= MOST_TRIES) {
        throw new MirrorError(`${error.message} (${tries} tries)`, { cause: error });
      }
      delay = Math.min(LONGEST_DELAY, error.retryAfter ?? firstDelay * 2 ** Math.max(0, vain - 1));
      onTrouble(`${url.host} ${error.message}. Trying again in ${(delay / 1000).toFixed(1)} s.`);
    }
    // oxlint-disable-next-line no-await-in-loop
    await setTimeout(delay, undefined, { signal });
  }
}

/** Appends what is missing, from one answer; leaves the ETag that the next one must have in `state`. */
async function fetchRest(
  url: URL,
  part: PartFile,
  { size }: RemoteFile,
  state: { etag?: string },
  { onProgress, signal, idle }: FetchFileOptions,
): Promise<void> {
  const headers: Record<string, string> = {};
  if (part.size > size) part.empty();
  if (part.size > 0) {
    headers.range = `bytes=${part.size}-`;
    if (state.etag !== undefined) headers['if-range'] = state.etag;
  }
  const answer = await get(url, { headers, idle, signal });
  try {
    expectRest(answer, part, size);
    state.etag = strongETag(answer);
    onProgress(part.size, url.host);
    await receive(answer, (piece) => {
      if (part.size + piece.length > size) {
        part.empty();
        throw new MirrorError(`sends more than the ${size} bytes of the file`);
      }
      part.append(piece);
      onProgress(part.size, url.host);
    });
    if (part.size < size) throw new PassingError(`stopped after ${part.size} of ${size} bytes`);
  } finally {
    answer.destroy();
  }
}

/** Makes sure that the answer's first byte belongs behind what is there; empties the part where it begins anew. */
function expectRest(answer: IncomingMessage, part: PartFile, size: number): void {
  const { statusCode = 0, statusMessage = '', headers } = answer;
  if (statusCode === 206) {
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    if (Number(first) === part.size && (total === '*' || Number(total) === size)) return;
    part.empty();
    throw new PassingError(`sent another range than it was asked for (${headers['content-range']})`);
  }
  if (statusCode === 416) {
    part.empty();
    throw new PassingError('has no such range');
  }
  if ([408, 425, 429].includes(statusCode) || statusCode >= 500) {
    throw new PassingError(`answered ${statusCode} ${statusMessage}`.trimEnd(), {
      retryAfter: retryAfter(headers['retry-after']),
    });
  }
  if (statusCode !== 200) throw new MirrorError(`answered ${statusCode} ${statusMessage}`.trimEnd());
  const announced = headers['content-length'];
  if (announced !== undefined && Number(announced) !== size) {
    throw new MirrorError(`has a file of ${announced} bytes, not ${size}`);
  }
  part.empty();
}

/** Milliseconds; the header has seconds or a date. */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const delay = /^\d+$/.test(header) ? 1000 * Number(header) : Date.parse(header) - Date.now();
  return Number.isFinite(delay) ? Math.max(0, delay) : undefined;
}

/** A weak one does not promise the same bytes. */
function strongETag({ headers: { etag } }: IncomingMessage): string | undefined {
  return etag?.startsWith('W/') ? undefined : etag;
}
